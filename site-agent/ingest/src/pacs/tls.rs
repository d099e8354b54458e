//! The TLS of a hospital's own network: its own authorities, and TLS 1.2 where a PACS has no other.
//! Both versions with the suites that BCP 195 leaves (PS3.15, B.12): the library has no others.

use std::error::Error;
use std::io;
use std::sync::Arc;

use rustls::client::verify_server_name;
use rustls::crypto::aws_lc_rs;
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{AlertDescription, ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};

use super::PacsError;

/// Certificates and their key, in PEM.
pub(super) type Identity = (Vec<u8>, Vec<u8>);

/// How the agent speaks to a PACS.
pub(super) fn client(
    authorities: &[u8],
    identity: Option<&Identity>,
) -> Result<ClientConfig, PacsError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| PacsError::BadAuthority)?
        .with_root_certificates(trusted(authorities)?);
    let Some(identity) = identity else { return Ok(builder.with_no_client_auth()) };
    let (chain, key) = read(identity)?;
    builder.with_client_auth_cert(chain, key).map_err(|_| PacsError::BadIdentity)
}

/// How a PACS that sends an image speaks to the agent: it shows a certificate, too. Whose that is, [`is_of`] says.
pub(super) fn server(authorities: &[u8], identity: &Identity) -> Result<ServerConfig, PacsError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let (trusted, own) = (Arc::new(trusted(authorities)?), Arc::clone(&provider));
    let verifier = WebPkiClientVerifier::builder_with_provider(trusted, own).build();
    let builder = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| PacsError::BadAuthority)?
        .with_client_cert_verifier(verifier.map_err(|_| PacsError::BadAuthority)?);
    let (chain, key) = read(identity)?;
    builder.with_single_cert(chain, key).map_err(|_| PacsError::BadIdentity)
}

/// Whether a chain that was verified is that of a host. An authority may have certified others, too.
pub(super) fn is_of(chain: &[CertificateDer<'_>], host: &ServerName<'_>) -> bool {
    let Some(own) = chain.first() else { return false };
    ParsedCertificate::try_from(own).is_ok_and(|own| verify_server_name(&own, host).is_ok())
}

fn trusted(authorities: &[u8]) -> Result<RootCertStore, PacsError> {
    let mut store = RootCertStore::empty();
    // Collections of a whole system hold certificates that no library takes: the others count.
    store.add_parsable_certificates(CertificateDer::pem_slice_iter(authorities).flatten());
    if store.is_empty() { Err(PacsError::BadAuthority) } else { Ok(store) }
}

type Chain = Vec<CertificateDer<'static>>;

fn read((certificates, key): &Identity) -> Result<(Chain, PrivateKeyDer<'static>), PacsError> {
    let chain = CertificateDer::pem_slice_iter(certificates).flatten().collect();
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| PacsError::BadIdentity)?;
    Ok((chain, key))
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
