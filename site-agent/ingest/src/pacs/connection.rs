//! Connections to the PACS: dialled when needed, used again while both sides keep them.

use std::io;
use std::sync::{Arc, Mutex};

use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::PacsError;
use super::address::Address;

/// One request after the other goes this way; none of them has a body.
pub(super) type Connection = SendRequest<Empty<Bytes>>;

/// The TLS of a hospital's own network: its own authorities, and TLS 1.2 where a PACS has no other.
pub(super) fn tls(
    authorities: &[u8],
    identity: Option<&(Vec<u8>, Vec<u8>)>,
) -> Result<ClientConfig, PacsError> {
    let mut store = RootCertStore::empty();
    // Collections of a whole system hold certificates that no library takes: the others count.
    store.add_parsable_certificates(CertificateDer::pem_slice_iter(authorities).flatten());
    if store.is_empty() {
        return Err(PacsError::BadAuthority);
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| PacsError::BadAuthority)?
        .with_root_certificates(store);
    let Some((certificates, key)) = identity else { return Ok(builder.with_no_client_auth()) };
    let chain: Vec<_> = CertificateDer::pem_slice_iter(certificates).flatten().collect();
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| PacsError::BadIdentity)?;
    builder.with_client_auth_cert(chain, key).map_err(|_| PacsError::BadIdentity)
}

/// Ways to one PACS, and no other place.
pub(super) struct Connections {
    host: String,
    port: u16,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    idle: Mutex<Vec<Connection>>,
}

impl Connections {
    pub(super) fn to(address: &Address, tls: Option<ClientConfig>) -> Result<Self, PacsError> {
        let tls = tls.map(|config| {
            let name = ServerName::try_from(address.host.clone());
            let name = name.map_err(|_| PacsError::BadAddress)?;
            Ok((TlsConnector::from(Arc::new(config)), name))
        });
        Ok(Self {
            host: address.host.clone(),
            port: address.port,
            tls: tls.transpose()?,
            idle: Mutex::default(),
        })
    }

    /// A connection that takes a request: an idle one that still holds, or a new one.
    pub(super) async fn take(&self) -> Result<Connection, PacsError> {
        while let Some(mut connection) = self.pop() {
            if connection.ready().await.is_ok() {
                return Ok(connection);
            }
        }
        let tcp = TcpStream::connect((self.host.as_str(), self.port)).await;
        let tcp = tcp.map_err(|_| PacsError::Unreachable)?;
        tcp.set_nodelay(true).map_err(|_| PacsError::Unreachable)?;
        match &self.tls {
            None => shake(tcp).await,
            Some((connector, name)) => {
                let shaken = connector.connect(name.clone(), tcp).await;
                shake(shaken.map_err(|error| not_trusted(&error))?).await
            }
        }
    }

    /// Keeps a connection whose last answer was read to its end.
    pub(super) fn give_back(&self, connection: Connection) {
        self.idle.lock().expect("nothing panics while it is held").push(connection);
    }

    fn pop(&self) -> Option<Connection> {
        self.idle.lock().expect("nothing panics while it is held").pop()
    }
}

async fn shake(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
) -> Result<Connection, PacsError> {
    let shaken = http1::handshake(TokioIo::new(stream)).await;
    let (sender, connection) = shaken.map_err(|_| PacsError::Unreachable)?;
    // Ends with the sender. What it ends with, the request is told.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}

/// A network that cuts the handshake is another thing than a certificate that nobody trusts.
fn not_trusted(error: &io::Error) -> PacsError {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    inner.map_or(PacsError::Unreachable, |_| PacsError::Certificate)
}
