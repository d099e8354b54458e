//! Records, decrypted, every byte that an agent sends.
//!
//! It stands between one agent and the coordinator with the keys of both, which only a test that made
//! both can have.

use std::path::Path;
use std::sync::{Arc, Mutex};

use fedval_trust::{Certificate, SecretKey, tls};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// A recorder in front of one agent.
#[derive(Debug)]
pub struct Recorder {
    runtime: Option<Runtime>,
    port: u16,
    sent: Arc<Mutex<Vec<u8>>>,
}

fn pair(folder: &Path, name: &str) -> (SecretKey, Certificate) {
    let text = |extension: &str| {
        let path = folder.join(format!("{name}.{extension}"));
        std::fs::read_to_string(&path).expect("a key or certificate")
    };
    let key = SecretKey::from_pem(&text("key")).expect("a key");
    (key, Certificate::from_pem(&text("pem")).expect("a certificate"))
}

impl Recorder {
    /// Listens for the agent of `agent_home` and passes everything on to the coordinator.
    ///
    /// # Panics
    ///
    /// If keys are missing or no port is free.
    #[must_use]
    pub fn start(coordinator_home: &Path, coordinator_port: u16, agent_home: &Path) -> Self {
        let (_, root) = pair(&coordinator_home.join("pki"), "root");
        let (key, certificate) = pair(agent_home, "site");
        let client = tls::client_config(&root, &certificate, &key).expect("TLS");
        Self::between(coordinator_home, coordinator_port, client)
    }

    /// Listens for a machine that enrols, and so has no certificate yet.
    ///
    /// # Panics
    ///
    /// If keys are missing or no port is free.
    #[must_use]
    pub fn start_for_enrolment(coordinator_home: &Path, coordinator_port: u16) -> Self {
        let (_, root) = pair(&coordinator_home.join("pki"), "root");
        let client = tls::enrolment_config(root.fingerprint()).expect("TLS");
        Self::between(coordinator_home, coordinator_port, client)
    }

    fn between(coordinator_home: &Path, coordinator_port: u16, client: ClientConfig) -> Self {
        let pki = coordinator_home.join("pki");
        let (_, root) = pair(&pki, "root");
        let (server_key, server_certificate) = pair(&pki, "server");
        let server = tls::server_config(&root, &server_certificate, &server_key).expect("TLS");
        let runtime = Runtime::new().expect("threads");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let port = listener.local_addr().expect("a bound port").port();
        let sent = Arc::new(Mutex::new(Vec::new()));
        let acceptor = TlsAcceptor::from(Arc::new(server));
        let connector = TlsConnector::from(Arc::new(client));
        runtime.spawn(relay(listener, acceptor, connector, coordinator_port, Arc::clone(&sent)));
        Self { runtime: Some(runtime), port, sent }
    }

    /// Where the agent must dial.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// Everything the agent sent so far.
    ///
    /// # Panics
    ///
    /// If the recording task panicked.
    #[must_use]
    pub fn sent(&self) -> Vec<u8> {
        self.sent.lock().expect("no panic while recording").clone()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn relay(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    connector: TlsConnector,
    port: u16,
    sent: Arc<Mutex<Vec<u8>>>,
) {
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, connector, sent) = (acceptor.clone(), connector.clone(), Arc::clone(&sent));
        tokio::spawn(async move {
            let agent = acceptor.accept(stream).await?;
            let upstream = TcpStream::connect(("localhost", port)).await?;
            let name = ServerName::try_from("localhost").expect("a host name");
            let coordinator = connector.connect(name, upstream).await?;
            let (mut from_agent, mut to_agent) = tokio::io::split(agent);
            let (mut from_coordinator, mut to_coordinator) = tokio::io::split(coordinator);
            let back =
                tokio::spawn(
                    async move { tokio::io::copy(&mut from_coordinator, &mut to_agent).await },
                );
            let mut buffer = vec![0; 64 * 1024];
            loop {
                let read = from_agent.read(&mut buffer).await?;
                if read == 0 {
                    break;
                }
                sent.lock().expect("no panic while recording").extend(&buffer[..read]);
                to_coordinator.write_all(&buffer[..read]).await?;
            }
            to_coordinator.shutdown().await?;
            drop(back.await);
            Ok::<(), std::io::Error>(())
        });
    }
}
