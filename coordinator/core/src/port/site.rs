//! Sites, their invitations, and operators.

use async_trait::async_trait;
use fedval_ambient::Timestamp;
use fedval_study::{Name, Sha256Digest, SiteId};
use fedval_trust::PublicKey;

use super::StoreError;

/// Where a site stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SiteState {
    /// Invited, without a certificate yet.
    Invited,
    /// Its certificate works.
    Enrolled,
    /// Its certificate no longer works.
    Revoked,
}

/// A site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteRow {
    /// Its id.
    pub site: SiteId,
    /// Where it stands.
    pub state: SiteState,
    /// Its certificate in PEM, from enrolment on.
    pub certificate: Option<String>,
}

/// An operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorRow {
    /// The operator's name.
    pub name: Name,
    /// The key that proves it.
    pub key: PublicKey,
}

/// The registry: the authority on who may call, above any certificate chain.
#[async_trait]
pub trait SiteStore: Send + Sync {
    /// Records an invitation; a pending one of the same site stops working.
    async fn invitation_insert(
        &self,
        site: &SiteId,
        token_hash: &Sha256Digest,
        expires_at: Timestamp,
    ) -> Result<(), StoreError>;

    /// The site of an invitation that is unused and has not expired.
    async fn invitation_find(
        &self,
        token_hash: &Sha256Digest,
        now: Timestamp,
    ) -> Result<Option<SiteId>, StoreError>;

    /// Uses up an invitation and records the site's certificate, in one transaction.
    ///
    /// `false` where the invitation was used or expired meanwhile: exactly one caller gets `true`.
    async fn invitation_redeem(
        &self,
        token_hash: &Sha256Digest,
        now: Timestamp,
        key: &PublicKey,
        certificate: &str,
    ) -> Result<bool, StoreError>;

    /// The enrolled site whose certificate has this key.
    async fn site_by_key(&self, key: &PublicKey) -> Result<Option<SiteId>, StoreError>;

    /// One site.
    async fn site_find(&self, site: &SiteId) -> Result<Option<SiteRow>, StoreError>;

    /// Every site, in order of ids.
    async fn site_list(&self) -> Result<Vec<SiteRow>, StoreError>;

    /// Makes a site's certificate stop working. `false` where there is no such site.
    async fn site_revoke(&self, site: &SiteId) -> Result<bool, StoreError>;

    /// Records an operator; the same name again replaces the key.
    async fn operator_put(&self, operator: &OperatorRow) -> Result<(), StoreError>;

    /// The operator who holds this key.
    async fn operator_by_key(&self, key: &PublicKey) -> Result<Option<OperatorRow>, StoreError>;
}
