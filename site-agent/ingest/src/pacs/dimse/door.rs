//! Where a PACS that brings an image comes in over TLS: with the certificate of its own host, as it is dialled under.

use std::sync::Arc;

use rustls_pki_types::ServerName;
use tokio_rustls::TlsAcceptor;

use crate::pacs::dialer::Stream;
use crate::pacs::{PacsError, tls};

/// Lets in the one host.
#[derive(Clone)]
pub(super) struct Door {
    acceptor: TlsAcceptor,
    host: ServerName<'static>,
}

impl Door {
    pub(super) fn new(
        host: &str,
        authorities: &[u8],
        identity: Option<&tls::Identity>,
    ) -> Result<Self, PacsError> {
        let identity = identity.ok_or(PacsError::BadIdentity)?;
        let config = tls::server(authorities, identity)?;
        let host = ServerName::try_from(host.to_owned()).map_err(|_| PacsError::BadAddress)?;
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), host })
    }

    /// Shakes hands; `None` where that fails, and of a certificate that is another host's.
    pub(super) async fn enter<S: Stream + 'static>(&self, stream: S) -> Option<Box<dyn Stream>> {
        let stream = self.acceptor.accept(stream).await.ok()?;
        let (_, session) = stream.get_ref();
        let is_host = tls::is_of(session.peer_certificates()?, &self.host);
        let stream: Box<dyn Stream> = Box::new(stream);
        is_host.then_some(stream)
    }
}
