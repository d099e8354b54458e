//! Enrolment: the key stays, a signing request goes, a certificate comes back.

use fedval_proto as proto;
use fedval_proto::enrolment_service_client::EnrolmentServiceClient;
use fedval_study::SiteId;
use fedval_trust::{Certificate, InviteToken, Role, SecretKey, authority, tls};

use crate::answer::within;
use crate::{Coordinator, EgressError};

/// What a site holds once it is enrolled.
#[derive(Debug)]
pub struct Enrolment {
    /// The site it is.
    pub site: SiteId,
    /// Its certificate.
    pub certificate: Certificate,
    /// The consortium's root, whose fingerprint the token held.
    pub root: Certificate,
}

/// Redeems a token for a certificate of `key`, which was made on this machine and stays on it.
///
/// # Errors
///
/// [`EgressError`] if the coordinator is not the one of the token's root, or refuses.
pub async fn enrol(
    coordinator: &Coordinator,
    token: &InviteToken,
    key: &SecretKey,
) -> Result<Enrolment, EgressError> {
    let tls = tls::enrolment_config(token.root()).map_err(|_| EgressError::Tls)?;
    let channel = coordinator.dial(tls).await?;
    let request = proto::EnrolRequest {
        token: token.secret().to_vec(),
        invitation: token.id().as_bytes().to_vec(),
        certificate_signing_request: authority::signing_request(key)
            .map_err(|_| EgressError::Tls)?,
    };
    let mut client = EnrolmentServiceClient::new(channel);
    let answer = within(client.enrol(request)).await?.into_inner();
    let bad = |_| EgressError::BadAnswer;
    let site: SiteId = fedval_wire::id("site", &answer.site).map_err(|_| EgressError::BadAnswer)?;
    let certificate = Certificate::from_der(&answer.certificate).map_err(bad)?;
    let root = Certificate::from_der(&answer.root).map_err(bad)?;
    let is_ours = *certificate.role() == Role::Site(site.clone())
        && certificate.public_key() == key.public()
        && root.fingerprint() == token.root();
    if is_ours { Ok(Enrolment { site, certificate, root }) } else { Err(EgressError::BadAnswer) }
}
