//! Is the server that answers the consortium's? Where it is not, what it showed is kept, because that
//! names what stands between.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;

use fedval_ambient::Timestamp;
use fedval_study::Sha256Digest;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::{
    CertificateError as TlsCertificateError, DigitallySignedStruct, Error, OtherError,
    RootCertStore, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use x509_parser::prelude::{FromDer as _, X509Certificate, X509Name};

use crate::certificate::{Certificate, CertificateError, Fingerprint, Role};

/// Longest name of an issuer that is passed on: it is the other side's text.
const ISSUER_CHARACTERS: usize = 160;

/// A server's certificate that was not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedServer {
    /// Who issued it, as it says itself: printable ASCII, of bounded length.
    pub issuer: String,
    /// Why it was refused.
    pub problem: ServerProblem,
}

/// Why a server's certificate was not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerProblem {
    /// An authority of another kind issued it, such as a gateway that opens TLS.
    ForeignIssuer,
    /// A consortium's root issued it, but another one; or it is no server's.
    OtherRoot,
    /// It is the consortium's, made for other names.
    OtherName,
    /// It is the consortium's, and does not hold at this machine's time.
    NotValidNow {
        /// First moment at which it holds.
        from: Timestamp,
        /// Last moment at which it holds.
        until: Timestamp,
        /// This machine's clock.
        now: Timestamp,
    },
}

impl fmt::Display for RefusedServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server's certificate, issued by `{}`, is refused", self.issuer)
    }
}

impl StdError for RefusedServer {}

impl RefusedServer {
    /// The refusal inside a handshake's error, if that is why it failed.
    #[must_use]
    pub fn within(error: &io::Error) -> Option<&Self> {
        match error.get_ref()?.downcast_ref::<Error>()? {
            Error::InvalidCertificate(TlsCertificateError::Other(OtherError(inner))) => {
                inner.downcast_ref()
            }
            _ => None,
        }
    }
}

impl From<RefusedServer> for Error {
    fn from(refused: RefusedServer) -> Self {
        Self::InvalidCertificate(TlsCertificateError::Other(OtherError(Arc::new(refused))))
    }
}

/// Accepts a server whose chain ends in the consortium's root and whose certificate names the host.
#[derive(Debug)]
pub(crate) struct ConsortiumServer {
    root: Root,
    provider: Arc<CryptoProvider>,
}

/// What is known of the root.
#[derive(Debug)]
enum Root {
    /// All of it.
    Known(Box<Certificate>),
    /// Its fingerprint: the server must show it.
    Pinned(Fingerprint),
}

impl ConsortiumServer {
    pub(crate) fn of(root: &Certificate, provider: Arc<CryptoProvider>) -> Arc<Self> {
        Arc::new(Self { root: Root::Known(Box::new(root.clone())), provider })
    }

    pub(crate) fn pinned(root: Fingerprint, provider: Arc<CryptoProvider>) -> Arc<Self> {
        Arc::new(Self { root: Root::Pinned(root), provider })
    }

    /// The root's DER, where it is known or shown.
    fn root<'a>(&'a self, shown: &[CertificateDer<'a>]) -> Option<CertificateDer<'a>> {
        match &self.root {
            Root::Known(root) => Some(CertificateDer::from(root.der())),
            Root::Pinned(Fingerprint(digest)) => {
                shown.iter().find(|der| Sha256Digest::of(der.as_ref()) == *digest).cloned()
            }
        }
    }

    fn verifier(&self, root: &CertificateDer<'_>) -> Result<Arc<WebPkiServerVerifier>, Error> {
        let mut store = RootCertStore::empty();
        store.add(root.clone().into_owned())?;
        WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(&self.provider))
            .build()
            .map_err(|error| Error::General(error.to_string()))
    }
}

impl ServerCertVerifier for ConsortiumServer {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let root = self.root(intermediates);
        let verified = match &root {
            Some(root) => self.verifier(root)?.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            ),
            None => Err(Error::InvalidCertificate(TlsCertificateError::UnknownIssuer)),
        };
        verified.map_err(|error| refused(end_entity, root.as_ref(), &error, now).into())
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

/// Says why. Who issued comes first: the library looks at the dates before it looks at the issuer.
fn refused(
    shown: &CertificateDer<'_>,
    root: Option<&CertificateDer<'_>>,
    error: &Error,
    now: UnixTime,
) -> RefusedServer {
    let Ok((_, parsed)) = X509Certificate::from_der(shown) else {
        let issuer = "somebody whose certificate cannot be read".to_owned();
        return RefusedServer { issuer, problem: ServerProblem::ForeignIssuer };
    };
    let issuer = printable(&parsed.issuer().to_string());
    if !is_a_consortium(parsed.issuer()) {
        return RefusedServer { issuer, problem: ServerProblem::ForeignIssuer };
    }
    let millis = i64::try_from(now.as_secs()).unwrap_or(i64::MAX).saturating_mul(1000);
    let now = Timestamp::from_unix_millis(millis);
    let at = |seconds: i64| Timestamp::from_unix_millis(seconds.saturating_mul(1000));
    let validity = parsed.validity();
    let own = |certificate: &CertificateDer<'_>| Certificate::from_der(certificate);
    let held = match (own(shown), root.map(own)) {
        (Ok(leaf), Some(Ok(root))) => leaf.verify(&root, now),
        _ => Err(CertificateError::ForeignIssuer),
    };
    let problem = match held {
        Err(CertificateError::NotValidThen) => ServerProblem::NotValidNow {
            from: at(validity.not_before.timestamp()),
            until: at(validity.not_after.timestamp()),
            now,
        },
        Ok(()) if is_about_the_name(error) => ServerProblem::OtherName,
        _ => ServerProblem::OtherRoot,
    };
    RefusedServer { issuer, problem }
}

const fn is_about_the_name(error: &Error) -> bool {
    matches!(
        error,
        Error::InvalidCertificate(
            TlsCertificateError::NotValidForName
                | TlsCertificateError::NotValidForNameContext { .. }
        )
    )
}

/// Whether this is what the root of any consortium is called.
fn is_a_consortium(issuer: &X509Name<'_>) -> bool {
    let is = |found: Option<&x509_parser::x509::AttributeTypeAndValue<'_>>, text: &str| {
        found.and_then(|value| value.as_str().ok()) == Some(text)
    };
    is(issuer.iter_organization().next(), crate::authority::ORGANISATION)
        && is(issuer.iter_common_name().next(), &Role::Root.to_string())
}

/// The other side's text, fit for a terminal and for a log.
fn printable(text: &str) -> String {
    let shown: String = text
        .chars()
        .filter(|character| !character.is_control())
        .map(|character| if matches!(character, ' '..='~') { character } else { '?' })
        .take(ISSUER_CHARACTERS)
        .collect();
    if shown.trim().is_empty() { "somebody without a name".to_owned() } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_issuer_is_fit_for_a_terminal_and_for_a_log() {
        assert_eq!(
            printable("O=Klinik \u{1b}[31mS\u{fc}d\n, CN=\u{202e}x"),
            "O=Klinik [31mS?d, CN=?x"
        );
        assert_eq!(printable(&"x".repeat(9999)).len(), ISSUER_CHARACTERS);
        assert_eq!(printable("\n \t"), "somebody without a name");
    }
}
