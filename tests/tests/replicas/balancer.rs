//! Leads each new connection to one of the replicas that accept one, as a load balancer does.

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::random_below;

/// A running balancer.
pub(crate) struct Balancer {
    port: u16,
    serving: JoinHandle<()>,
}

impl Balancer {
    pub(crate) async fn start(replicas: Vec<u16>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let serving = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(lead(client, replicas.clone()));
            }
        });
        Self { port, serving }
    }

    pub(crate) fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// To a random replica; where it is away, to the next.
async fn lead(mut client: TcpStream, mut replicas: Vec<u16>) {
    let first = random_below(replicas.len() as u64);
    replicas.rotate_left(usize::try_from(first).unwrap());
    for port in replicas {
        if let Ok(mut replica) = TcpStream::connect(("127.0.0.1", port)).await {
            // Ends with either side, whatever way it ends.
            drop(tokio::io::copy_bidirectional(&mut client, &mut replica).await);
            return;
        }
    }
}
