//! Studies: draft, then locked for good.

use async_trait::async_trait;
use fedval_study::StudyId;
use fedval_trust::Endorsement;

use super::StoreError;

/// Where a study stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StudyState {
    /// May still be replaced.
    Draft,
    /// Never changes.
    Locked,
}

/// A study.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StudyRow {
    /// Its id.
    pub study: StudyId,
    /// Where it stands.
    pub state: StudyState,
    /// The protocol's canonical bytes.
    pub protocol: Vec<u8>,
    /// Signatures, once locked.
    pub endorsements: Vec<Endorsement>,
}

/// Outcome of storing a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DraftStored {
    /// Stored, in place of an earlier draft if there was one.
    Stored,
    /// The study is locked: nothing was stored.
    AlreadyLocked,
}

/// Studies.
#[async_trait]
pub trait StudyStore: Send + Sync {
    /// Stores a draft.
    async fn study_put_draft(
        &self,
        study: &StudyId,
        protocol: &[u8],
    ) -> Result<DraftStored, StoreError>;

    /// Locks a draft that still has exactly these bytes. `false` where it has not.
    async fn study_lock(
        &self,
        study: &StudyId,
        protocol: &[u8],
        endorsements: &[Endorsement],
    ) -> Result<bool, StoreError>;

    /// One study.
    async fn study_find(&self, study: &StudyId) -> Result<Option<StudyRow>, StoreError>;

    /// Every study, in order of ids.
    async fn study_list(&self) -> Result<Vec<StudyRow>, StoreError>;
}
