//! Sites, their invitations, and people.

use async_trait::async_trait;
use fedval_ambient::Timestamp;
use fedval_study::{Name, PersonRole, Sha256Digest, SiteId};
use fedval_trust::{InvitationId, PublicKey};

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

/// A new invitation. The token itself is never stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInvitation {
    /// Its public name.
    pub id: InvitationId,
    /// The site it is bound to.
    pub site: SiteId,
    /// SHA-256 of the token's secret.
    pub token_hash: Sha256Digest,
    /// First moment it no longer works.
    pub expires_at: Timestamp,
}

/// What became of an invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvitationState {
    /// Nobody used it.
    Pending,
    /// Somebody enrolled with it, with this key.
    Redeemed(PublicKey),
    /// A later invitation or a revocation took its place.
    Replaced,
}

/// An invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitationRow {
    /// As it was made.
    pub invitation: NewInvitation,
    /// What became of it.
    pub state: InvitationState,
    /// How often a wrong token was tried with its name.
    pub wrong_tries: u32,
}

/// A person who calls the coordinator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonRow {
    /// The person's name.
    pub name: Name,
    /// What the person may do.
    pub role: PersonRole,
    /// The key that proves it.
    pub key: PublicKey,
}

/// The registry: the authority on who may call, above any certificate chain.
#[async_trait]
pub trait SiteStore: Send + Sync {
    /// Records an invitation; a pending one of the same site stops working.
    async fn invitation_insert(&self, invitation: &NewInvitation) -> Result<(), StoreError>;

    /// One invitation, whatever became of it.
    async fn invitation_find(
        &self,
        invitation: &InvitationId,
    ) -> Result<Option<InvitationRow>, StoreError>;

    /// Counts a wrong token against an invitation and returns how many there were; 0 where there is
    /// no such invitation.
    async fn invitation_count_wrong(&self, invitation: &InvitationId) -> Result<u32, StoreError>;

    /// Uses up a pending invitation and records the site's certificate, in one transaction.
    ///
    /// `false` where the invitation was used, replaced or expired meanwhile, or `most_wrong` wrong
    /// tokens or more were tried: exactly one caller gets `true`.
    async fn invitation_redeem(
        &self,
        invitation: &InvitationId,
        now: Timestamp,
        most_wrong: u32,
        key: &PublicKey,
        certificate: &str,
    ) -> Result<bool, StoreError>;

    /// Replaces the certificate of an enrolled site that has this key. `false` where it has not.
    async fn site_renew(
        &self,
        site: &SiteId,
        key: &PublicKey,
        certificate: &str,
    ) -> Result<bool, StoreError>;

    /// The enrolled site whose certificate has this key.
    async fn site_by_key(&self, key: &PublicKey) -> Result<Option<SiteId>, StoreError>;

    /// One site.
    async fn site_find(&self, site: &SiteId) -> Result<Option<SiteRow>, StoreError>;

    /// Every site, in order of ids.
    async fn site_list(&self) -> Result<Vec<SiteRow>, StoreError>;

    /// Makes a site's certificate and pending invitations stop working and ends its session.
    /// `false` where there is no such site. A change.
    async fn site_revoke(&self, site: &SiteId) -> Result<bool, StoreError>;

    /// Records a person; the same name again replaces key and role. Another key ends the password, another key or
    /// role every pass.
    async fn person_put(&self, person: &PersonRow) -> Result<(), StoreError>;

    /// Forgets a person. `false` where there is none of this name.
    async fn person_remove(&self, name: &Name) -> Result<bool, StoreError>;

    /// The person who holds this key.
    async fn person_by_key(&self, key: &PublicKey) -> Result<Option<PersonRow>, StoreError>;

    /// Everybody, in order of names.
    async fn person_list(&self) -> Result<Vec<PersonRow>, StoreError>;
}
