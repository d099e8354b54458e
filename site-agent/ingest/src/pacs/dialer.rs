//! The way to one address, and to no other place.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::PacsError;
use super::tls::told_by_tls;

/// How long its name may be looked up, and how long all its addresses together may then take to shake
/// hands. A firewall that swallows packets would else be taken for a PACS that is slow.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection, with TLS or without.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Reaches one PACS.
pub(super) struct Dialer {
    host: String,
    port: u16,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Dialer {
    pub(super) fn to(host: &str, port: u16, tls: Option<ClientConfig>) -> Result<Self, PacsError> {
        let tls = tls.map(|config| {
            let name = ServerName::try_from(host.to_owned());
            let name = name.map_err(|_| PacsError::BadAddress)?;
            Ok((TlsConnector::from(Arc::new(config)), name))
        });
        Ok(Self { host: host.to_owned(), port, tls: tls.transpose()? })
    }

    /// The addresses that its name has now.
    pub(super) async fn addresses(&self) -> Result<Vec<SocketAddr>, PacsError> {
        let found = timeout(PATIENCE, lookup_host((self.host.as_str(), self.port))).await;
        let found = found.map_err(|_| PacsError::Unreachable)?;
        Ok(found.map_err(|_| PacsError::Unreachable)?.collect())
    }

    /// Reaches the first of its addresses that shakes hands.
    pub(super) async fn dial(&self) -> Result<Box<dyn Stream>, PacsError> {
        let addresses = self.addresses().await?;
        let count = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
        // A network without a way for one family of addresses must not use up the other's time.
        let each = PATIENCE.checked_div(count).ok_or(PacsError::Unreachable)?;
        for address in addresses {
            match timeout(each, self.reach(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(PacsError::Unreachable)) | Err(_) => {}
                Ok(Err(error)) => return Err(error),
            }
        }
        Err(PacsError::Unreachable)
    }

    async fn reach(&self, address: SocketAddr) -> Result<Box<dyn Stream>, PacsError> {
        let tcp = TcpStream::connect(address).await.map_err(|_| PacsError::Unreachable)?;
        tcp.set_nodelay(true).map_err(|_| PacsError::Unreachable)?;
        let Some((connector, name)) = &self.tls else { return Ok(Box::new(tcp)) };
        let shaken = connector.connect(name.clone(), tcp).await;
        let why = |error: io::Error| told_by_tls(&error).unwrap_or(PacsError::Unreachable);
        Ok(Box::new(shaken.map_err(why)?))
    }
}
