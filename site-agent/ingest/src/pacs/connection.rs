//! Connections to the PACS: dialled when needed, used again while both sides keep them.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::crypto::aws_lc_rs;
use rustls::{AlertDescription, ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::PacsError;
use super::address::Address;

/// How long its name may be looked up, and how long all its addresses together may then take to shake
/// hands. A firewall that swallows packets would else be taken for a PACS that is slow.
const PATIENCE: Duration = Duration::from_secs(10);

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
        self.dial().await
    }

    /// Keeps a connection whose last answer was read to its end.
    pub(super) fn give_back(&self, connection: Connection) {
        self.idle.lock().expect("nothing panics while it is held").push(connection);
    }

    fn pop(&self) -> Option<Connection> {
        self.idle.lock().expect("nothing panics while it is held").pop()
    }

    /// Reaches the first of its addresses that shakes hands.
    async fn dial(&self) -> Result<Connection, PacsError> {
        let found = timeout(PATIENCE, lookup_host((self.host.as_str(), self.port))).await;
        let found = found.map_err(|_| PacsError::Unreachable)?;
        let addresses: Vec<_> = found.map_err(|_| PacsError::Unreachable)?.collect();
        let count = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
        // A network without a way for one family of addresses must not use up the other's time.
        let each = PATIENCE.checked_div(count).ok_or(PacsError::Unreachable)?;
        for address in addresses {
            match timeout(each, self.reach(address)).await {
                Ok(Ok(connection)) => return Ok(connection),
                Ok(Err(PacsError::Unreachable)) | Err(_) => {}
                Ok(Err(error)) => return Err(error),
            }
        }
        Err(PacsError::Unreachable)
    }

    async fn reach(&self, address: SocketAddr) -> Result<Connection, PacsError> {
        let tcp = TcpStream::connect(address).await.map_err(|_| PacsError::Unreachable)?;
        tcp.set_nodelay(true).map_err(|_| PacsError::Unreachable)?;
        match &self.tls {
            None => shake(tcp).await,
            Some((connector, name)) => {
                let shaken = connector.connect(name.clone(), tcp).await;
                let why = |error: io::Error| told_by_tls(&error).unwrap_or(PacsError::Unreachable);
                shake(shaken.map_err(why)?).await
            }
        }
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

/// What TLS says of certificates where a connection ends, if anything. A network that cuts it is
/// another thing than a certificate that nobody trusts. With TLS 1.3 a PACS looks at the agent's
/// certificate only when the agent already asks.
pub(super) fn told_by_tls(error: &(dyn Error + 'static)) -> Option<PacsError> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(tls) = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return about_certificates(tls);
        }
        cause = error.source();
    }
    None
}

const fn about_certificates(error: &rustls::Error) -> Option<PacsError> {
    match error {
        rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => {
            Some(PacsError::Certificate)
        }
        rustls::Error::AlertReceived(alert) if is_about_identity(*alert) => {
            Some(PacsError::IdentityRefused)
        }
        _ => None,
    }
}

/// What a PACS answers to a certificate of the agent's that it does not take, or does not get.
const fn is_about_identity(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::NoCertificate
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::CertificateRequired
            // Of an authority that has the right name and another key.
            | AlertDescription::DecryptError
    )
}
