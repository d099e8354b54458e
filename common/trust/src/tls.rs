//! TLS 1.3 with the consortium's own root, and nothing of the public web.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{ClientConfig, RootCertStore, ServerConfig, version};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::certificate::{Certificate, Fingerprint};
use crate::key::SecretKey;
use crate::server::ConsortiumServer;

/// HTTP/2, the only protocol spoken.
pub const ALPN: &[u8] = b"h2";

/// TLS cannot be set up from the given keys and certificates.
#[derive(Debug, thiserror::Error)]
#[error("TLS cannot be set up from the stored keys and certificates")]
pub struct TlsError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl TlsError {
    pub(crate) fn from(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(Box::new(error))
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn roots(root: &Certificate) -> Result<Arc<RootCertStore>, TlsError> {
    let mut store = RootCertStore::empty();
    store.add(CertificateDer::from(root.der().to_vec())).map_err(TlsError::from)?;
    Ok(Arc::new(store))
}

fn private_key(key: &SecretKey) -> PrivateKeyDer<'static> {
    PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.to_der()))
}

fn chain(leaf: &Certificate, root: &Certificate) -> Vec<CertificateDer<'static>> {
    [leaf, root].map(|certificate| CertificateDer::from(certificate.der().to_vec())).to_vec()
}

/// The server's side. A client without a certificate gets through the handshake, because a site
/// that enrols has none yet; every call but enrolment then asks for one.
///
/// No session is resumed: a resumed one would speak with a certificate that nobody looked at again.
///
/// # Errors
///
/// [`TlsError`] if key and certificate do not fit.
pub fn server_config(
    root: &Certificate,
    certificate: &Certificate,
    key: &SecretKey,
) -> Result<ServerConfig, TlsError> {
    let clients = WebPkiClientVerifier::builder_with_provider(roots(root)?, provider())
        .allow_unauthenticated()
        .build()
        .map_err(TlsError::from)?;
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&version::TLS13])
        .map_err(TlsError::from)?
        .with_client_cert_verifier(clients)
        .with_single_cert(chain(certificate, root), private_key(key))
        .map_err(TlsError::from)?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

/// The side of an enrolled site or an operator.
///
/// # Errors
///
/// [`TlsError`] if key and certificate do not fit.
pub fn client_config(
    root: &Certificate,
    certificate: &Certificate,
    key: &SecretKey,
) -> Result<ClientConfig, TlsError> {
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&version::TLS13])
        .map_err(TlsError::from)?
        .dangerous()
        .with_custom_certificate_verifier(ConsortiumServer::of(root, provider()))
        .with_client_auth_cert(chain(certificate, root), private_key(key))
        .map_err(TlsError::from)?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(config)
}

/// The side of a site that enrols: it knows nothing but the root's fingerprint.
///
/// # Errors
///
/// [`TlsError`] if the provider lacks TLS 1.3.
pub fn enrolment_config(root: Fingerprint) -> Result<ClientConfig, TlsError> {
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&version::TLS13])
        .map_err(TlsError::from)?
        .dangerous()
        .with_custom_certificate_verifier(ConsortiumServer::pinned(root, provider()))
        .with_no_client_auth();
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(config)
}

/// The side of whoever speaks to a web proxy by TLS. `trusted` are the certificates in PEM that may
/// certify the proxy.
///
/// # Errors
///
/// [`TlsError`] if `trusted` holds no certificate.
pub fn proxy_config(trusted: &[u8]) -> Result<ClientConfig, TlsError> {
    let mut store = RootCertStore::empty();
    // Collections of a whole system hold certificates that no library takes: the others count.
    store.add_parsable_certificates(CertificateDer::pem_slice_iter(trusted).flatten());
    if store.is_empty() {
        return Err(TlsError::from(std::io::Error::from(std::io::ErrorKind::NotFound)));
    }
    Ok(ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(TlsError::from)?
        .with_root_certificates(store)
        .with_no_client_auth())
}

/// Connects to `host` and shakes hands.
///
/// # Errors
///
/// The connection's or the handshake's error; a refused certificate is a [`rustls::Error`] inside.
pub async fn dial(
    config: Arc<ClientConfig>,
    host: &str,
    port: u16,
) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect((without_brackets(host), port)).await?;
    stream.set_nodelay(true)?;
    handshake(config, host, stream).await
}

/// Shakes hands over a stream that leads to `host`, perhaps through a proxy.
///
/// # Errors
///
/// The handshake's error; [`RefusedServer::within`](crate::RefusedServer::within) finds a refused
/// certificate in it.
pub async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
    config: Arc<ClientConfig>,
    host: &str,
    stream: S,
) -> std::io::Result<TlsStream<S>> {
    let host = without_brackets(host).to_owned();
    let name = ServerName::try_from(host).map_err(std::io::Error::other)?;
    TlsConnector::from(config).connect(name, stream).await
}

/// An IPv6 address stands in brackets in a URL.
fn without_brackets(host: &str) -> &str {
    host.trim_matches(['[', ']'])
}
