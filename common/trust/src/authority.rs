//! The consortium's certificate authority.

use fedval_ambient::{Clock, Entropy, Problem};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PublicKeyData,
    SanType, SerialNumber,
};
use rustls_pki_types::{CertificateSigningRequestDer, PrivatePkcs8KeyDer};
use time::OffsetDateTime;

use crate::certificate::{Certificate, Role};
use crate::key::{PublicKey, SecretKey};

/// Stands in the name of every certificate.
pub(crate) const ORGANISATION: &str = "fedval";
const DAY_SECONDS: i64 = 24 * 3600;
/// The root outlives every study.
const ROOT_DAYS: i64 = 3650;
/// Certificates are backdated so that a clock that is a little slow accepts them.
const BACKDATED_SECONDS: i64 = 300;

/// A certificate cannot be issued.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorityError {
    /// The signing request is malformed or its signature does not hold.
    #[error("the certificate signing request is not valid")]
    BadRequest,
    /// The library refused the certificate's content.
    #[error("the certificate cannot be made")]
    CannotIssue(#[source] rcgen::Error),
}

impl Problem for AuthorityError {
    fn code(&self) -> &'static str {
        match self {
            Self::BadRequest => "CSR_INVALID",
            Self::CannotIssue(_) => "CERTIFICATE_NOT_ISSUED",
        }
    }

    fn remedy(&self) -> Option<String> {
        Some("run the same `fedval-agent enrol` command again".to_owned())
    }
}

/// The root key with its certificate.
#[derive(Debug)]
pub struct Authority {
    key: SecretKey,
    root: Certificate,
}

impl Authority {
    /// Makes a new root.
    ///
    /// # Errors
    ///
    /// [`AuthorityError::CannotIssue`] if the library refuses.
    pub fn create(clock: &dyn Clock, entropy: &dyn Entropy) -> Result<Self, AuthorityError> {
        let key = SecretKey::generate(entropy);
        let pair = pair_of(&key)?;
        let mut params = params_of(&Role::Root, clock, entropy, ROOT_DAYS)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let der = params.self_signed(&pair).map_err(AuthorityError::CannotIssue)?;
        let root = Certificate::from_der(der.der()).map_err(|_| AuthorityError::BadRequest)?;
        Ok(Self { key, root })
    }

    /// The authority of a key and certificate read from files.
    #[must_use]
    pub const fn from_parts(key: SecretKey, root: Certificate) -> Self {
        Self { key, root }
    }

    /// The root certificate.
    #[must_use]
    pub const fn root(&self) -> &Certificate {
        &self.root
    }

    /// The root key, to be written with mode 0600.
    #[must_use]
    pub const fn key(&self) -> &SecretKey {
        &self.key
    }

    /// Certifies a key of this machine.
    ///
    /// `hosts` are the names and addresses under which a server is reached; empty for other roles.
    ///
    /// # Errors
    ///
    /// [`AuthorityError::CannotIssue`] if a host name is not one.
    pub fn issue(
        &self,
        role: &Role,
        key: &SecretKey,
        hosts: &[String],
        days: i64,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> Result<Certificate, AuthorityError> {
        let mut params = params_of(role, clock, entropy, days)?;
        for host in hosts {
            let name = match host.parse() {
                Ok(address) => SanType::IpAddress(address),
                Err(_) => {
                    SanType::DnsName(host.as_str().try_into().map_err(AuthorityError::CannotIssue)?)
                }
            };
            params.subject_alt_names.push(name);
        }
        self.sign(&params, &pair_of(key)?)
    }

    /// Certifies the key of a signing request for `role`. Whatever else the request asks for is
    /// ignored: the registry, not the requester, says who this is.
    ///
    /// # Errors
    ///
    /// [`AuthorityError::BadRequest`] if the request's own signature does not hold.
    pub fn issue_from_request(
        &self,
        role: &Role,
        request_der: &[u8],
        days: i64,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> Result<Certificate, AuthorityError> {
        let request = CertificateSigningRequestDer::from(request_der);
        let request = CertificateSigningRequestParams::from_der(&request)
            .map_err(|_| AuthorityError::BadRequest)?;
        self.sign(&params_of(role, clock, entropy, days)?, &request.public_key)
    }

    /// Certifies a key that the registry knows, as a renewal does.
    ///
    /// # Errors
    ///
    /// [`AuthorityError::CannotIssue`] if the library refuses.
    pub fn issue_for_key(
        &self,
        role: &Role,
        key: &PublicKey,
        days: i64,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> Result<Certificate, AuthorityError> {
        self.sign(&params_of(role, clock, entropy, days)?, &KnownKey(key))
    }

    fn sign(
        &self,
        params: &CertificateParams,
        key: &impl PublicKeyData,
    ) -> Result<Certificate, AuthorityError> {
        let issuer = Issuer::from_ca_cert_der(&self.root.der().into(), pair_of(&self.key)?)
            .map_err(AuthorityError::CannotIssue)?;
        let signed = params.signed_by(key, &issuer).map_err(AuthorityError::CannotIssue)?;
        Certificate::from_der(signed.der()).map_err(|_| AuthorityError::BadRequest)
    }
}

/// A public key as the library wants it.
struct KnownKey<'a>(&'a PublicKey);

impl PublicKeyData for KnownKey<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ED25519
    }
}

/// A signing request for a key that was made on this machine.
///
/// # Errors
///
/// [`AuthorityError::CannotIssue`] if the library refuses.
pub fn signing_request(key: &SecretKey) -> Result<Vec<u8>, AuthorityError> {
    let params = CertificateParams::new(Vec::new()).map_err(AuthorityError::CannotIssue)?;
    let request = params.serialize_request(&pair_of(key)?).map_err(AuthorityError::CannotIssue)?;
    Ok(request.der().to_vec())
}

fn pair_of(key: &SecretKey) -> Result<KeyPair, AuthorityError> {
    let der = PrivatePkcs8KeyDer::from(key.to_der());
    KeyPair::from_pkcs8_der_and_sign_algo(&der, &rcgen::PKCS_ED25519)
        .map_err(AuthorityError::CannotIssue)
}

/// First and last moment of a certificate that is made now.
pub(crate) fn valid_for(clock: &dyn Clock, days: i64) -> (OffsetDateTime, OffsetDateTime) {
    let now = clock.now();
    let last = now.plus_seconds(days * DAY_SECONDS);
    (now.plus_seconds(-BACKDATED_SECONDS).to_offset(), last.to_offset())
}

fn params_of(
    role: &Role,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    days: i64,
) -> Result<CertificateParams, AuthorityError> {
    let mut params = CertificateParams::new(Vec::new()).map_err(AuthorityError::CannotIssue)?;
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, ORGANISATION);
    name.push(DnType::CommonName, role.to_string());
    params.distinguished_name = name;
    let uri = role.uri();
    params.subject_alt_names =
        vec![SanType::URI(uri.as_str().try_into().map_err(AuthorityError::CannotIssue)?)];
    (params.not_before, params.not_after) = valid_for(clock, days);
    params.serial_number = Some(SerialNumber::from_slice(&entropy.bytes32()[..16]));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = match role {
        Role::Server => vec![ExtendedKeyUsagePurpose::ServerAuth],
        Role::Person(..) | Role::Site(_) => vec![ExtendedKeyUsagePurpose::ClientAuth],
        Role::Root | Role::Coordinator | Role::Sponsor => Vec::new(),
    };
    Ok(params)
}

#[cfg(test)]
mod tests {
    use fedval_ambient::{MockClock, SeededEntropy};

    use super::*;
    use crate::certificate::CertificateError;

    #[test]
    fn a_site_is_certified_for_the_role_the_registry_says() {
        let (clock, entropy) = (MockClock::default(), SeededEntropy::new(3));
        let authority = Authority::create(&clock, &entropy).unwrap();
        let key = SecretKey::generate(&entropy);
        let role = Role::Site("nih-a".parse().unwrap());
        let request = signing_request(&key).unwrap();
        let issued = authority.issue_from_request(&role, &request, 30, &clock, &entropy).unwrap();
        assert_eq!((issued.role(), issued.public_key()), (&role, key.public()));
        assert_eq!(issued.verify(authority.root(), clock.now()), Ok(()));
        assert_eq!(Certificate::from_pem(&issued.to_pem()), Ok(issued.clone()));
        clock.advance_seconds(31 * DAY_SECONDS);
        assert_eq!(
            issued.verify(authority.root(), clock.now()),
            Err(CertificateError::NotValidThen)
        );
        let other = Authority::create(&clock, &entropy).unwrap();
        assert_eq!(issued.verify(other.root(), clock.now()), Err(CertificateError::ForeignIssuer));
    }

    #[test]
    fn a_renewed_certificate_has_the_same_key_and_a_new_life() {
        let (clock, entropy) = (MockClock::default(), SeededEntropy::new(3));
        let authority = Authority::create(&clock, &entropy).unwrap();
        let key = SecretKey::generate(&entropy);
        let role = Role::Site("nih-a".parse().unwrap());
        let first = authority.issue(&role, &key, &[], 30, &clock, &entropy).unwrap();
        clock.advance_seconds(15 * DAY_SECONDS);
        let renewed = authority.issue_for_key(&role, &key.public(), 30, &clock, &entropy).unwrap();
        assert_eq!((renewed.role(), renewed.public_key()), (&role, key.public()));
        assert_eq!(renewed.not_after(), first.not_after().plus_seconds(15 * DAY_SECONDS));
        assert_eq!(renewed.verify(authority.root(), clock.now()), Ok(()));
    }

    #[test]
    fn a_servers_certificate_says_its_hosts_and_when_it_is_half_over() {
        let (clock, entropy) = (MockClock::default(), SeededEntropy::new(3));
        let authority = Authority::create(&clock, &entropy).unwrap();
        let key = SecretKey::generate(&entropy);
        let hosts = ["fedval.example.org", "192.0.2.7", "2001:db8::7"].map(str::to_owned);
        let issued = authority.issue(&Role::Server, &key, &hosts, 30, &clock, &entropy).unwrap();
        assert_eq!(issued.hosts().unwrap(), hosts);
        assert_eq!(authority.root().hosts().unwrap(), Vec::<String>::new());
        let half = issued.half_life().unix_millis() - clock.now().unix_millis();
        assert_eq!(half, (15 * DAY_SECONDS - BACKDATED_SECONDS / 2) * 1000);
    }

    #[test]
    fn a_request_whose_signature_does_not_hold_is_refused() {
        let (clock, entropy) = (MockClock::default(), SeededEntropy::new(3));
        let authority = Authority::create(&clock, &entropy).unwrap();
        let mut request = signing_request(&SecretKey::generate(&entropy)).unwrap();
        *request.last_mut().unwrap() ^= 1;
        let refused = authority.issue_from_request(&Role::Server, &request, 1, &clock, &entropy);
        assert!(matches!(refused, Err(AuthorityError::BadRequest)));
    }
}
