//! The accept loop: a bounded number of handshakes beside each other, then gRPC.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use fedval_ambient::{Clock, Entropy};
use fedval_trust::Certificate;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio_rustls::rustls::ServerConfig;

use super::admission::{Admission, Full, Place};
use super::connection::Connection;
use super::handshake::{self, Reason};
use super::system;
use crate::metrics::Metrics;

/// Handshakes in progress. More wait in the operating system's queue.
const HANDSHAKES: usize = 256;
/// The log says that connections are refused this often; the metrics count each.
const SAY_MILLIS: u64 = 1000;

/// Where connections come in.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) tls: watch::Receiver<Arc<ServerConfig>>,
    pub(super) admission: Admission,
    pub(super) metrics: Metrics,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) incoming: mpsc::Sender<io::Result<Connection>>,
    /// When the log last said that connections are refused, in milliseconds since 1970.
    pub(super) last_said: AtomicI64,
}

/// A connection is not let in.
enum Refused {
    Handshake(Reason),
    Limit(Full),
}

impl Door {
    /// Lets connections in for as long as the server runs.
    pub(super) async fn accept(self: Arc<Self>, listener: TcpListener) {
        let handshakes = Arc::new(Semaphore::new(HANDSHAKES));
        while let Ok(handshake) = Arc::clone(&handshakes).acquire_owned().await {
            let (stream, address) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of descriptors, mostly: wait for some to close instead of spinning.
                    tracing::warn!(%error, "connection not accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let place = match self.admission.enter() {
                Ok(place) => place,
                Err(full) => {
                    self.refuse(&Refused::Limit(full));
                    continue;
                }
            };
            let (door, handshakes) = (Arc::clone(&self), Arc::clone(&handshakes));
            tokio::spawn(async move {
                let welcomed = door.welcome(stream, address.ip(), place, &handshakes).await;
                drop(handshake);
                match welcomed {
                    Ok(connection) => drop(door.incoming.send(Ok(connection)).await),
                    Err(refused) => door.refuse(&refused),
                }
            });
        }
    }

    async fn welcome(
        &self,
        stream: TcpStream,
        address: IpAddr,
        place: Place,
        handshakes: &Semaphore,
    ) -> Result<Connection, Refused> {
        let gone = |_| Refused::Handshake(Reason("connection"));
        system::tune(&stream).map_err(gone)?;
        let config = Arc::clone(&self.tls.borrow());
        let shaken = handshake::shake(stream, config, handshakes, HANDSHAKES).await;
        let stream = shaken.map_err(Refused::Handshake)?;
        let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let certificate = shown.map(|leaf| Certificate::from_der(leaf)).transpose();
        let malformed = |_| Refused::Handshake(Reason("client_certificate"));
        let certificate = certificate.map_err(malformed)?;
        let (now, entropy) = (self.clock.now(), self.entropy.as_ref());
        let stay = self.admission.stay(address, certificate.as_ref(), now, entropy);
        let stay = stay.map_err(Refused::Limit)?;
        Ok(Connection::new(stream, place, stay, self.metrics.connection()))
    }

    /// Once in a while: whoever floods the door must not flood the log.
    fn is_time_to_say(&self) -> bool {
        let now = self.clock.now().unix_millis();
        let last = self.last_said.swap(now, Ordering::Relaxed);
        let is_time = now.abs_diff(last) >= SAY_MILLIS;
        if !is_time {
            self.last_said.store(last, Ordering::Relaxed);
        }
        is_time
    }

    fn refuse(&self, refused: &Refused) {
        match refused {
            Refused::Handshake(Reason(reason)) => {
                // Strangers knock all the time; whoever shows a certificate is somebody's machine.
                if reason.starts_with("client_certificate") && self.is_time_to_say() {
                    tracing::warn!(reason, "handshake failed");
                } else {
                    tracing::debug!(reason, "handshake failed");
                }
                self.metrics.handshake_failed(reason);
            }
            Refused::Limit(Full(limit)) => {
                if self.is_time_to_say() {
                    tracing::warn!(limit, "connections refused");
                }
                self.metrics.connection_refused(limit);
            }
        }
    }
}
