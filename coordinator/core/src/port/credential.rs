//! Passwords of people, and what opens the pages.

use async_trait::async_trait;
use fedval_ambient::Timestamp;
use fedval_study::{Name, Sha256Digest, StudyId};

use super::StoreError;

/// A person's password as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialRow {
    /// The person.
    pub name: Name,
    /// Argon2id in PHC form.
    pub password_hash: String,
    /// Whether an operator chose it: then it opens nothing but its own replacement.
    pub is_issued: bool,
}

/// How often a password may be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TryLimit {
    /// Tries in one window.
    pub tries: u32,
    /// How long a window is, from its first try on.
    pub window_seconds: i64,
}

/// What came of asking to try a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Try {
    /// The try is counted; the password may be compared.
    Counted(CredentialRow),
    /// Too many were counted in this window.
    TooMany,
    /// The person has no password.
    Unknown,
}

/// Whom a pass belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PassHolder {
    /// A person who logged in.
    Person(Name),
    /// Whoever was sent the link to one study.
    Reader(StudyId),
}

/// What opens the pages for a while. The secret itself is never stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassRow {
    /// SHA-256 of the secret.
    pub secret_hash: Sha256Digest,
    /// Whom it belongs to.
    pub holder: PassHolder,
    /// First moment it no longer works.
    pub expires_at: Timestamp,
}

/// Passwords and passes. Both end with the person.
#[async_trait]
pub trait CredentialStore: Send + Sync {
    /// Keeps a person's password in place of an earlier one, forgets its tries and ends the person's
    /// passes. `false` where there is no such person.
    async fn credential_put(&self, row: &CredentialRow) -> Result<bool, StoreError>;

    /// Counts a try before the password is compared, so that no number of callers at once gets more.
    async fn credential_try(
        &self,
        name: &Name,
        now: Timestamp,
        limit: TryLimit,
    ) -> Result<Try, StoreError>;

    /// Forgets the tries: the password was right.
    async fn credential_clear(&self, name: &Name) -> Result<(), StoreError>;

    /// Keeps a pass, and forgets those that expired before `now`. `false` where its holder is gone.
    async fn pass_insert(&self, pass: &PassRow, now: Timestamp) -> Result<bool, StoreError>;

    /// The pass with this secret, if it still works.
    async fn pass_find(
        &self,
        secret_hash: &Sha256Digest,
        now: Timestamp,
    ) -> Result<Option<PassRow>, StoreError>;

    /// Ends one pass.
    async fn pass_end(&self, secret_hash: &Sha256Digest) -> Result<(), StoreError>;

    /// Ends every link to a study, and returns how many there were.
    async fn pass_end_of_study(&self, study: &StudyId) -> Result<u64, StoreError>;
}
