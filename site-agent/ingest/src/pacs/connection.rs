//! Connections to the PACS's web services: dialled when needed, used again while both sides keep them.

use std::sync::Mutex;

use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;

use super::PacsError;
use super::dialer::Dialer;

/// One request after the other goes this way; none of them has a body.
pub(super) type Connection = SendRequest<Empty<Bytes>>;

/// Ways to one PACS, and no other place.
pub(super) struct Connections {
    dialer: Dialer,
    idle: Mutex<Vec<Connection>>,
}

impl Connections {
    pub(super) fn by(dialer: Dialer) -> Self {
        Self { dialer, idle: Mutex::default() }
    }

    /// A connection that takes a request: an idle one that still holds, or a new one.
    pub(super) async fn take(&self) -> Result<Connection, PacsError> {
        while let Some(mut connection) = self.pop() {
            if connection.ready().await.is_ok() {
                return Ok(connection);
            }
        }
        let shaken = http1::handshake(TokioIo::new(self.dialer.dial().await?)).await;
        let (sender, connection) = shaken.map_err(|_| PacsError::Unreachable)?;
        // Ends with the sender. What it ends with, the request is told.
        tokio::spawn(async move { drop(connection.await) });
        Ok(sender)
    }

    /// Keeps a connection whose last answer was read to its end.
    pub(super) fn give_back(&self, connection: Connection) {
        self.idle.lock().expect("nothing panics while it is held").push(connection);
    }

    fn pop(&self) -> Option<Connection> {
        self.idle.lock().expect("nothing panics while it is held").pop()
    }
}
