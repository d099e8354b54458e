//! How a site becomes known.

use fedval_ambient::{Problem, Timestamp};
use fedval_study::SiteId;
use fedval_trust::{AuthorityError, Certificate, InviteToken, Role};

use crate::Coordinator;
use crate::port::{SiteState, StoreError};

/// Longest life of an invitation.
pub const MAX_INVITATION_HOURS: u32 = 72;
/// A site's certificate lives this long; the registry can end it sooner.
const SITE_CERTIFICATE_DAYS: i64 = 30;

/// A new invitation: the only moment its token is seen.
#[derive(Debug)]
pub struct Invitation {
    /// The token.
    pub token: InviteToken,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// A site cannot be invited.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InviteError {
    /// The life asked for is out of range.
    #[error("an invitation lives 1 to {MAX_INVITATION_HOURS} hours")]
    BadLife,
    /// The site has a working certificate.
    #[error("the site `{site}` is enrolled already")]
    AlreadyEnrolled {
        /// The site.
        site: SiteId,
    },
    /// The store failed.
    #[error("the coordinator cannot reach its store")]
    Store(#[from] StoreError),
}

impl Problem for InviteError {
    fn code(&self) -> &'static str {
        match self {
            Self::BadLife => "INVITATION_LIFE",
            Self::AlreadyEnrolled { .. } => "SITE_ALREADY_ENROLLED",
            Self::Store(_) => "STORE_UNAVAILABLE",
        }
    }

    fn remedy(&self) -> Option<String> {
        match self {
            Self::BadLife => Some("give --hours between 1 and 72".to_owned()),
            Self::AlreadyEnrolled { site } => {
                Some(format!("run `fedval site revoke {site}` first if its machine was replaced"))
            }
            Self::Store(_) => Some("look at the log of `fedval serve`".to_owned()),
        }
    }
}

/// What a site gets when it enrols.
#[derive(Debug)]
pub struct Enrolled {
    /// The site the token was bound to.
    pub site: SiteId,
    /// Its certificate.
    pub certificate: Certificate,
}

/// Enrolment is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnrolError {
    /// Unknown, used or expired: a caller may not learn which.
    #[error("the invitation is unknown, was used, or has expired")]
    TokenRefused,
    /// The signing request is not valid.
    #[error("the certificate signing request is not valid")]
    BadRequest(#[source] AuthorityError),
    /// The store failed.
    #[error("the coordinator cannot reach its store")]
    Store(#[from] StoreError),
}

impl Problem for EnrolError {
    fn code(&self) -> &'static str {
        match self {
            Self::TokenRefused => "TOKEN_REFUSED",
            Self::BadRequest(_) => "CSR_INVALID",
            Self::Store(_) => "STORE_UNAVAILABLE",
        }
    }

    fn remedy(&self) -> Option<String> {
        match self {
            Self::TokenRefused => {
                Some("ask the coordinator's operator for a new `fedval site invite`".to_owned())
            }
            Self::BadRequest(_) => Some("run the same release of fedval on both sides".to_owned()),
            Self::Store(_) => Some("try again in a minute".to_owned()),
        }
    }
}

impl Coordinator {
    /// Invites a site. An earlier pending invitation of the same site stops working.
    ///
    /// # Errors
    ///
    /// See [`InviteError`].
    pub async fn site_invite(&self, site: &SiteId, hours: u32) -> Result<Invitation, InviteError> {
        if !(1..=MAX_INVITATION_HOURS).contains(&hours) {
            return Err(InviteError::BadLife);
        }
        if self.store.site_find(site).await?.is_some_and(|row| row.state == SiteState::Enrolled) {
            return Err(InviteError::AlreadyEnrolled { site: site.clone() });
        }
        let token = InviteToken::generate(self.entropy.as_ref(), self.root().fingerprint());
        let expires_at = self.clock.now().plus_seconds(i64::from(hours) * 3600);
        self.store.invitation_insert(site, &InviteToken::hash(token.secret()), expires_at).await?;
        tracing::info!(%site, "site invited");
        Ok(Invitation { token, expires_at })
    }

    /// Exchanges a token's secret and a signing request for a certificate.
    ///
    /// # Errors
    ///
    /// See [`EnrolError`].
    pub async fn site_enrol(&self, secret: &[u8], request: &[u8]) -> Result<Enrolled, EnrolError> {
        let now = self.clock.now();
        let hash = InviteToken::hash(secret);
        let site = self.store.invitation_find(&hash, now).await?.ok_or(EnrolError::TokenRefused)?;
        let role = Role::Site(site.clone());
        let certificate = self
            .identity
            .authority
            .issue_from_request(
                &role,
                request,
                SITE_CERTIFICATE_DAYS,
                self.clock.as_ref(),
                self.entropy.as_ref(),
            )
            .map_err(EnrolError::BadRequest)?;
        let key = certificate.public_key();
        if !self.store.invitation_redeem(&hash, now, &key, &certificate.to_pem()).await? {
            return Err(EnrolError::TokenRefused);
        }
        tracing::info!(%site, "site enrolled");
        Ok(Enrolled { site, certificate })
    }
}
