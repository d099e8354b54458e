//! How an enrolled site keeps its certificate: the same key, a new life.

use fedval_ambient::Problem;
use fedval_study::SiteId;
use fedval_trust::{AuthorityError, Certificate, PublicKey, Role};

use crate::Coordinator;
use crate::enrolment::SITE_CERTIFICATE_DAYS;
use crate::port::StoreError;

/// A certificate is not renewed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RenewError {
    /// The site is not enrolled with this key.
    #[error("the site is not enrolled with this key")]
    NotEnrolled,
    /// The certificate cannot be made.
    #[error("the certificate cannot be made")]
    CannotIssue(#[source] AuthorityError),
    /// The store failed.
    #[error("the coordinator cannot reach its store")]
    Store(#[from] StoreError),
}

impl Problem for RenewError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotEnrolled => "NOT_ENROLLED",
            Self::CannotIssue(_) => "CERTIFICATE_NOT_ISSUED",
            Self::Store(_) => "STORE_UNAVAILABLE",
        }
    }

    fn remedy(&self) -> Option<String> {
        Some(
            match self {
                Self::NotEnrolled => "ask the coordinator's operator for `fedval site invite`",
                Self::CannotIssue(_) => "look at the log of `fedval serve`",
                Self::Store(_) => "the agent tries again by itself",
            }
            .to_owned(),
        )
    }
}

impl Coordinator {
    /// Issues a new certificate for the key with which the site is enrolled. An answer that is lost
    /// costs nothing: the old certificate still works, and so does asking again.
    ///
    /// # Errors
    ///
    /// See [`RenewError`].
    pub async fn site_renew(
        &self,
        site: &SiteId,
        key: &PublicKey,
    ) -> Result<Certificate, RenewError> {
        let certificate = self
            .identity
            .authority
            .issue_for_key(
                &Role::Site(site.clone()),
                key,
                SITE_CERTIFICATE_DAYS,
                self.clock.as_ref(),
                self.entropy.as_ref(),
            )
            .map_err(RenewError::CannotIssue)?;
        if !self.store.site_renew(site, key, &certificate.to_pem()).await? {
            return Err(RenewError::NotEnrolled);
        }
        tracing::info!(%site, "certificate renewed");
        Ok(certificate)
    }
}
