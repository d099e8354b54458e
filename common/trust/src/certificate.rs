//! Certificates of the consortium: one root, and leaves that name a role.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use fedval_ambient::{Problem, Timestamp};
use fedval_study::{Name, PersonRole, Sha256Digest, SiteId};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use crate::key::{PublicKey, Signature};

/// Ed25519 (RFC 8410).
const ED25519_OID: &str = "1.3.101.112";
/// Identities are URIs below this.
const URI_PREFIX: &str = "spiffe://fedval/";

/// What a certificate lets its holder speak as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// The consortium's certificate authority.
    Root,
    /// The coordinator's TLS server.
    Server,
    /// The coordinator's signing key: dispatches, round records, reports.
    Coordinator,
    /// The sponsor's signing key: study protocols.
    Sponsor,
    /// A person who calls the coordinator.
    Person(PersonRole, Name),
    /// A site: TLS client and signer of its results.
    Site(SiteId),
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("root"),
            Self::Server => f.write_str("server"),
            Self::Coordinator => f.write_str("coordinator"),
            Self::Sponsor => f.write_str("sponsor"),
            Self::Person(role, name) => write!(f, "{role}/{name}"),
            Self::Site(site) => write!(f, "site/{site}"),
        }
    }
}

impl FromStr for Role {
    type Err = CertificateError;

    fn from_str(text: &str) -> Result<Self, CertificateError> {
        let unknown = |_| CertificateError::Malformed;
        match text.split_once('/') {
            Some(("site", site)) => site.parse().map(Self::Site).map_err(unknown),
            Some((role, name)) => {
                let role = role.parse().map_err(|_| CertificateError::Malformed)?;
                name.parse().map(|name| Self::Person(role, name)).map_err(unknown)
            }
            None => match text {
                "root" => Ok(Self::Root),
                "server" => Ok(Self::Server),
                "coordinator" => Ok(Self::Coordinator),
                "sponsor" => Ok(Self::Sponsor),
                _ => Err(CertificateError::Malformed),
            },
        }
    }
}

impl Role {
    /// The role as the certificate carries it.
    pub(crate) fn uri(&self) -> String {
        format!("{URI_PREFIX}{self}")
    }
}

/// SHA-256 of a certificate, by which people confirm the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub Sha256Digest);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for Fingerprint {
    type Err = fedval_study::digest::DigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.replace(':', "").to_lowercase().parse().map(Self)
    }
}

/// A certificate is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The bytes are no certificate of this consortium's form.
    #[error("the certificate is not one that fedval issues")]
    Malformed,
    /// Another authority signed it.
    #[error("the certificate was issued by another authority")]
    ForeignIssuer,
    /// It was not valid at the time in question.
    #[error("the certificate was not valid at that time")]
    NotValidThen,
}

impl Problem for CertificateError {
    fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "CERTIFICATE_MALFORMED",
            Self::ForeignIssuer => "CERTIFICATE_FOREIGN",
            Self::NotValidThen => "CERTIFICATE_NOT_VALID",
        }
    }

    fn remedy(&self) -> Option<String> {
        Some("ask the coordinator's operator for a new invitation and enrol again".to_owned())
    }
}

/// A certificate, parsed once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    role: Role,
    public_key: PublicKey,
    not_before: Timestamp,
    not_after: Timestamp,
}

impl Certificate {
    /// Reads a certificate from DER.
    ///
    /// # Errors
    ///
    /// [`CertificateError::Malformed`] if it is not one that fedval issues.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        let malformed = CertificateError::Malformed;
        let (rest, parsed) = X509Certificate::from_der(der).map_err(|_| malformed)?;
        let key = parsed.public_key();
        if !rest.is_empty() || key.algorithm.algorithm.to_id_string() != ED25519_OID {
            return Err(malformed);
        }
        let key: [u8; 32] =
            key.subject_public_key.data.as_ref().try_into().map_err(|_| malformed)?;
        let validity = parsed.validity();
        Ok(Self {
            der: der.to_vec(),
            role: role_of(&parsed)?,
            public_key: PublicKey::from_bytes(key),
            not_before: Timestamp::from_unix_millis(validity.not_before.timestamp() * 1000),
            not_after: Timestamp::from_unix_millis(validity.not_after.timestamp() * 1000),
        })
    }

    /// Reads a certificate from PEM.
    ///
    /// # Errors
    ///
    /// [`CertificateError::Malformed`] if it is not one that fedval issues.
    pub fn from_pem(pem: &str) -> Result<Self, CertificateError> {
        let der = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|_| CertificateError::Malformed)?;
        Self::from_der(&der)
    }

    /// The certificate in PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
        pem::encode_config(&pem::Pem::new("CERTIFICATE", self.der.clone()), config)
    }

    /// The certificate in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// What its holder may speak as.
    #[must_use]
    pub const fn role(&self) -> &Role {
        &self.role
    }

    /// The certified key.
    #[must_use]
    pub const fn public_key(&self) -> PublicKey {
        self.public_key
    }

    /// SHA-256 of the DER form.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint(Sha256Digest::of(&self.der))
    }

    /// From when on a new one should be asked for: half its life is over.
    #[must_use]
    pub const fn half_life(&self) -> Timestamp {
        let (from, to) = (self.not_before.unix_millis(), self.not_after.unix_millis());
        Timestamp::from_unix_millis(from + (to - from) / 2)
    }

    /// First moment at which it holds.
    #[must_use]
    pub const fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// First moment after which it no longer holds.
    #[must_use]
    pub const fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// Names and addresses under which a server that shows it is reached.
    ///
    /// # Errors
    ///
    /// [`CertificateError::Malformed`] if one of them is not of a form that fedval issues.
    pub fn hosts(&self) -> Result<Vec<String>, CertificateError> {
        let malformed = CertificateError::Malformed;
        let (_, parsed) = X509Certificate::from_der(&self.der).map_err(|_| malformed)?;
        let names = parsed.subject_alternative_name().ok().flatten().ok_or(malformed)?;
        let hosts = names.value.general_names.iter().filter_map(|name| match name {
            GeneralName::DNSName(host) => Some(Ok((*host).to_owned())),
            GeneralName::IPAddress(bytes) => Some(address(bytes).ok_or(malformed)),
            _ => None,
        });
        hosts.collect()
    }

    /// Checks that `root` issued this certificate and that it was valid at `then`.
    ///
    /// # Errors
    ///
    /// [`CertificateError`] if another authority issued it or it was not valid.
    pub fn verify(&self, root: &Self, then: Timestamp) -> Result<(), CertificateError> {
        let (_, parsed) =
            X509Certificate::from_der(&self.der).map_err(|_| CertificateError::Malformed)?;
        let signature = Signature::try_from(parsed.signature_value.data.as_ref())
            .map_err(|_| CertificateError::ForeignIssuer)?;
        let issued = *root.role() == Role::Root
            && root.public_key.verifies(&[parsed.tbs_certificate.as_ref()], &signature);
        if !issued {
            return Err(CertificateError::ForeignIssuer);
        }
        if then < self.not_before || then > self.not_after {
            return Err(CertificateError::NotValidThen);
        }
        Ok(())
    }
}

/// An address as a certificate carries it: 4 or 16 bytes.
fn address(bytes: &[u8]) -> Option<String> {
    let v4 = <[u8; 4]>::try_from(bytes).map(|bytes| IpAddr::from(bytes).to_string());
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(|bytes| IpAddr::from(bytes).to_string())).ok()
}

fn role_of(parsed: &X509Certificate<'_>) -> Result<Role, CertificateError> {
    let names =
        parsed.subject_alternative_name().ok().flatten().ok_or(CertificateError::Malformed)?;
    let mut uris = names.value.general_names.iter().filter_map(|name| match name {
        GeneralName::URI(uri) => uri.strip_prefix(URI_PREFIX),
        _ => None,
    });
    match (uris.next(), uris.next()) {
        (Some(role), None) => role.parse(),
        _ => Err(CertificateError::Malformed),
    }
}
