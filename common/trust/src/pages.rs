//! TLS for the pages that people read in a browser: any certificate that the browser takes, no client
//! certificate.
//!
//! Not the consortium's: browsers take no Ed25519 certificates.

use std::sync::Arc;

use fedval_ambient::Clock;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::authority::{AuthorityError, ORGANISATION, valid_for};
use crate::tls::TlsError;

/// As long as the server's other certificate.
const DAYS: i64 = 825;

/// A key and a certificate for these names that nobody vouches for: browsers ask before they go on. Both in
/// PEM, the key first.
///
/// # Errors
///
/// [`AuthorityError::CannotIssue`] if a name is none.
pub fn self_signed(
    names: &[String],
    clock: &dyn Clock,
) -> Result<(String, String), AuthorityError> {
    let key =
        KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(AuthorityError::CannotIssue)?;
    let mut params = CertificateParams::new(names.to_vec()).map_err(AuthorityError::CannotIssue)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, ORGANISATION);
    (params.not_before, params.not_after) = valid_for(clock, DAYS);
    let certificate = params.self_signed(&key).map_err(AuthorityError::CannotIssue)?;
    Ok((key.serialize_pem(), certificate.pem()))
}

/// TLS 1.3 with this key and chain, both in PEM, for HTTP/1.1.
///
/// # Errors
///
/// [`TlsError`] if either is none, or they do not fit.
pub fn config(key: &str, chain: &str) -> Result<ServerConfig, TlsError> {
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(TlsError::from)?;
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(chain.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(TlsError::from)?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(TlsError::from)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(TlsError::from)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

#[cfg(test)]
mod tests {
    use fedval_ambient::MockClock;

    use super::*;

    #[test]
    fn what_is_made_here_can_be_served() {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let (key, certificate) = self_signed(&names, &MockClock::default()).unwrap();
        assert!(config(&key, &certificate).is_ok());
        let (other, _) = self_signed(&names, &MockClock::default()).unwrap();
        assert!(config(&other, &certificate).is_err(), "the key is another's");
        assert!(config("", &certificate).is_err());
        assert!(config(&key, "").is_err());
    }
}
