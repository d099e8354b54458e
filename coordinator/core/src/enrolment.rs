//! How a site becomes known.

use fedval_ambient::{Problem, Timestamp};
use fedval_study::{LogEvent, Sha256Digest, SiteId};
use fedval_trust::{AuthorityError, Certificate, InvitationId, InviteToken, Role};

use crate::Coordinator;
use crate::port::{
    InvitationRow, InvitationState, NewInvitation, PublicKey, SiteState, StoreError,
};

/// Longest life of an invitation.
pub const MAX_INVITATION_HOURS: u32 = 72;
/// A site's certificate lives this long; the registry can end it sooner.
pub(crate) const SITE_CERTIFICATE_DAYS: i64 = 30;
/// So many wrong tokens lock an invitation for good.
const MOST_WRONG_TRIES: u32 = 10;

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
    /// Too many wrong tokens were tried with the invitation's name.
    #[error("the invitation is locked: {MOST_WRONG_TRIES} wrong tokens were tried")]
    Locked,
    /// The signing request is not valid.
    #[error("the certificate signing request is not valid")]
    BadRequest(#[source] AuthorityError),
    /// The key speaks for another site already.
    #[error("this key is the key of another site")]
    KeyTaken,
    /// The store failed.
    #[error("the coordinator cannot reach its store")]
    Store(#[from] StoreError),
}

impl Problem for EnrolError {
    fn code(&self) -> &'static str {
        match self {
            Self::TokenRefused => "TOKEN_REFUSED",
            Self::Locked => "INVITATION_LOCKED",
            Self::BadRequest(_) => "CSR_INVALID",
            Self::KeyTaken => "KEY_TAKEN",
            Self::Store(_) => "STORE_UNAVAILABLE",
        }
    }

    fn remedy(&self) -> Option<String> {
        match self {
            Self::TokenRefused | Self::Locked => {
                Some("ask the coordinator's operator for a new `fedval site invite`".to_owned())
            }
            Self::KeyTaken => Some("enrol in a new folder, where a new key is made".to_owned()),
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
        let invitation = NewInvitation {
            id: token.id(),
            site: site.clone(),
            token_hash: InviteToken::hash(token.secret()),
            expires_at,
        };
        self.store.invitation_insert(&invitation).await?;
        tracing::info!(%site, "site invited");
        Ok(Invitation { token, expires_at })
    }

    /// Ends a site's part: its certificate and invitations work no longer. `false` where there is no such
    /// site.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store fails.
    pub async fn site_revoke(&self, site: &SiteId) -> Result<bool, StoreError> {
        let known = self.store.site_revoke(site).await?;
        if known {
            self.log(LogEvent::SiteRevoked { site: site.clone() }).await?;
        }
        Ok(known)
    }

    /// Exchanges a token's secret and a signing request for a certificate. Whoever lost the answer
    /// asks again with the same key and gets the same certificate.
    ///
    /// # Errors
    ///
    /// See [`EnrolError`].
    pub async fn site_enrol(
        &self,
        invitation: &InvitationId,
        secret: &[u8],
        request: &[u8],
    ) -> Result<Enrolled, EnrolError> {
        let row = self.invitation_opened(invitation, secret).await?;
        let site = row.invitation.site;
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
        let (key, now) = (certificate.public_key(), self.clock.now());
        if self.store.site_by_key(&key).await?.is_some_and(|owner| owner != site) {
            return Err(EnrolError::KeyTaken);
        }
        let pem = certificate.to_pem();
        let is_first = row.state == InvitationState::Pending
            && self.store.invitation_redeem(invitation, now, MOST_WRONG_TRIES, &key, &pem).await?;
        if is_first {
            let key = Sha256Digest::of(key.as_bytes());
            self.log(LogEvent::SiteEnrolled { site: site.clone(), key }).await?;
            tracing::info!(%site, "site enrolled");
            return Ok(Enrolled { site, certificate });
        }
        self.enrolled_before(invitation, site, &key).await
    }

    /// The invitation that this secret opens.
    async fn invitation_opened(
        &self,
        invitation: &InvitationId,
        secret: &[u8],
    ) -> Result<InvitationRow, EnrolError> {
        let row = self.store.invitation_find(invitation).await?;
        let row = row.ok_or(EnrolError::TokenRefused)?;
        if row.wrong_tries >= MOST_WRONG_TRIES {
            return Err(EnrolError::Locked);
        }
        if row.invitation.token_hash != InviteToken::hash(secret) {
            let tries = self.store.invitation_count_wrong(invitation).await?;
            tracing::warn!(site = %row.invitation.site, tries, "wrong invitation token");
            return Err(EnrolError::TokenRefused);
        }
        let is_usable =
            row.state != InvitationState::Replaced && self.clock.now() < row.invitation.expires_at;
        if is_usable { Ok(row) } else { Err(EnrolError::TokenRefused) }
    }

    /// The certificate of an enrolment whose answer was lost: only for the key that enrolled.
    async fn enrolled_before(
        &self,
        invitation: &InvitationId,
        site: SiteId,
        key: &PublicKey,
    ) -> Result<Enrolled, EnrolError> {
        let row = self.store.invitation_find(invitation).await?;
        let same_key = row.is_some_and(|row| row.state == InvitationState::Redeemed(*key));
        let site_row = self.store.site_find(&site).await?;
        let certificate = site_row
            .filter(|row| same_key && row.state == SiteState::Enrolled)
            .and_then(|row| row.certificate)
            .and_then(|pem| Certificate::from_pem(&pem).ok())
            .filter(|certificate| certificate.public_key() == *key);
        certificate
            .map(|certificate| Enrolled { site, certificate })
            .ok_or(EnrolError::TokenRefused)
    }
}
