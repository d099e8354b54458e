//! Studies: the locked versions of their protocols, and the draft of the next.

use async_trait::async_trait;
use fedval_study::{ProtocolDigest, Sha256Digest, StudyId};
use fedval_trust::Endorsement;

use super::StoreError;

/// A locked version of a protocol, which never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedVersion {
    /// Its number.
    pub version: u32,
    /// The protocol's canonical bytes.
    pub protocol: Vec<u8>,
    /// The sponsor's and the coordinator's signatures.
    pub endorsements: Vec<Endorsement>,
}

impl LockedVersion {
    /// SHA-256 of the protocol.
    #[must_use]
    pub fn digest(&self) -> ProtocolDigest {
        ProtocolDigest(Sha256Digest::of(&self.protocol))
    }
}

/// A version that may still be replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftVersion {
    /// Its number.
    pub version: u32,
    /// The protocol's canonical bytes.
    pub protocol: Vec<u8>,
}

/// A study. It has a locked version, or a draft, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StudyRow {
    /// Its id.
    pub study: StudyId,
    /// Locked versions, from the first; the last is in force.
    pub locked: Vec<LockedVersion>,
    /// The version that would follow.
    pub draft: Option<DraftVersion>,
}

impl StudyRow {
    /// The version in force, once there is one.
    #[must_use]
    pub fn in_force(&self) -> Option<&LockedVersion> {
        self.locked.last()
    }

    /// The locked version with this number.
    #[must_use]
    pub fn version(&self, number: u32) -> Option<&LockedVersion> {
        self.locked.iter().find(|locked| locked.version == number)
    }

    /// The locked version with this digest: what a dispatch names.
    #[must_use]
    pub fn version_of(&self, digest: ProtocolDigest) -> Option<&LockedVersion> {
        self.locked.iter().find(|locked| locked.digest() == digest)
    }

    /// The newest protocol, draft or not.
    ///
    /// # Panics
    ///
    /// Never of a row from a store: it has one or the other.
    #[must_use]
    pub fn newest(&self) -> &[u8] {
        let draft = self.draft.as_ref().map(|draft| &draft.protocol);
        let locked = || self.in_force().map(|locked| &locked.protocol);
        draft.or_else(locked).expect("a study has a locked version or a draft")
    }
}

/// Outcome of storing a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DraftStored {
    /// Stored, in place of an earlier draft if there was one.
    Stored,
    /// The version that it follows is not the one in force: nothing was stored.
    DoesNotFollow,
}

/// Outcome of locking a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DraftLocked {
    /// Locked: it is in force.
    Locked,
    /// The draft has other bytes, or there is none: nothing was changed.
    DraftChanged,
    /// A round is open under the version in force: nothing was changed.
    RoundOpen,
}

/// Studies.
#[async_trait]
pub trait StudyStore: Send + Sync {
    /// Stores a draft of a study whose version in force is `follows`; of a new study where that is none.
    async fn study_put_draft(
        &self,
        study: &StudyId,
        follows: Option<u32>,
        draft: &DraftVersion,
    ) -> Result<DraftStored, StoreError>;

    /// Locks a draft that still has exactly these bytes.
    async fn study_lock(
        &self,
        study: &StudyId,
        protocol: &[u8],
        endorsements: &[Endorsement],
    ) -> Result<DraftLocked, StoreError>;

    /// One study.
    async fn study_find(&self, study: &StudyId) -> Result<Option<StudyRow>, StoreError>;

    /// Every study, in order of ids.
    async fn study_list(&self) -> Result<Vec<StudyRow>, StoreError>;
}
