//! TLS 1.3 with the consortium's own root, and nothing of the public web.

use std::sync::Arc;

use fedval_study::Sha256Digest;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, ServerConfig, SignatureScheme,
    version,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::certificate::{Certificate, Fingerprint};
use crate::key::SecretKey;

/// HTTP/2, the only protocol spoken.
pub const ALPN: &[u8] = b"h2";

/// TLS cannot be set up from the given keys and certificates.
#[derive(Debug, thiserror::Error)]
#[error("TLS cannot be set up from the stored keys and certificates")]
pub struct TlsError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl TlsError {
    fn from(error: impl std::error::Error + Send + Sync + 'static) -> Self {
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
        .with_root_certificates(roots(root)?)
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
    let verifier = Arc::new(PinnedRoot { root, provider: provider() });
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&version::TLS13])
        .map_err(TlsError::from)?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(config)
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
    // An IPv6 address stands in brackets in a URL.
    let host = host.trim_matches(['[', ']']).to_owned();
    let name = ServerName::try_from(host.clone()).map_err(std::io::Error::other)?;
    let stream = TcpStream::connect((host.as_str(), port)).await?;
    stream.set_nodelay(true)?;
    TlsConnector::from(config).connect(name, stream).await
}

/// Accepts a server whose chain ends in the root with the pinned fingerprint, and then verifies
/// that chain and the host name as always.
#[derive(Debug)]
struct PinnedRoot {
    root: Fingerprint,
    provider: Arc<CryptoProvider>,
}

impl PinnedRoot {
    fn verifier(&self, root: &CertificateDer<'_>) -> Result<Arc<WebPkiServerVerifier>, Error> {
        let mut store = RootCertStore::empty();
        store.add(root.clone().into_owned())?;
        WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(&self.provider))
            .build()
            .map_err(|error| Error::General(error.to_string()))
    }
}

impl ServerCertVerifier for PinnedRoot {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let is_pinned = |certificate: &&CertificateDer<'_>| {
            Sha256Digest::of(certificate.as_ref()) == self.root.0
        };
        let unknown = Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let root = intermediates.iter().find(is_pinned).ok_or(unknown)?;
        self.verifier(root)?.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        )
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.2 is not spoken".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
