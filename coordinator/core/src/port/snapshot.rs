//! Everything a store holds, as values: what a backup is made of, whatever database it came from.

use async_trait::async_trait;
use fedval_study::{LogEntry, SiteId};

use super::{
    CosignatureRow, CredentialRow, DispatchRow, InvitationRow, LedgerMarkRow, PersonRow, PublicKey,
    RoundRow, SignatureRow, SiteRow, StoreError, StoredResult, StudyRow,
};

/// All rows, each kind in order of keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Snapshot {
    /// Sites, with the key of each enrolled one.
    pub sites: Vec<(SiteRow, Option<PublicKey>)>,
    /// Invitations.
    pub invitations: Vec<InvitationRow>,
    /// People.
    pub people: Vec<PersonRow>,
    /// Studies.
    pub studies: Vec<StudyRow>,
    /// Rounds.
    pub rounds: Vec<RoundRow>,
    /// Dispatches.
    pub dispatches: Vec<DispatchRow>,
    /// Results.
    pub results: Vec<StoredResult>,
    /// Highest epoch of each site's sessions.
    pub epochs: Vec<(SiteId, u64)>,
    /// Marks of sites' ledgers.
    pub ledger_marks: Vec<LedgerMarkRow>,
    /// Entries of the log, in order.
    pub log: Vec<LogEntry>,
    /// Sites' signatures of the log.
    pub cosignatures: Vec<CosignatureRow>,
    /// Passwords of people. What opened the pages is not kept: people log in again, links are sent again.
    pub credentials: Vec<CredentialRow>,
    /// What people signed.
    pub signatures: Vec<SignatureRow>,
}

/// Backups.
#[async_trait]
pub trait SnapshotStore: Send + Sync {
    /// Reads everything at one moment, while others write.
    async fn snapshot_read(&self) -> Result<Snapshot, StoreError>;

    /// Fills an empty store, in one transaction. `false` where it is not empty: nothing was written.
    async fn snapshot_write(&self, snapshot: &Snapshot) -> Result<bool, StoreError>;
}
