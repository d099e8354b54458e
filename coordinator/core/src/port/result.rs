//! Results: one for each (round, site), for good.

use async_trait::async_trait;
use fedval_ambient::Timestamp;
use fedval_study::{ResultDigest, RoundId, SiteId};
use fedval_trust::Endorsement;

use super::StoreError;

/// A recorded result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredResult {
    /// The round.
    pub round: RoundId,
    /// The site.
    pub site: SiteId,
    /// Canonical bytes.
    pub bytes: Vec<u8>,
    /// Their digest.
    pub digest: ResultDigest,
    /// The site's signature.
    pub endorsement: Endorsement,
    /// When it was recorded.
    pub recorded_at: Timestamp,
}

/// Outcome of recording a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// Recorded by this call.
    New,
    /// Recorded earlier with the same bytes, at this moment.
    SameAsBefore(Timestamp),
    /// Another result stands for this round and site.
    DiffersFromBefore,
    /// The round is closed; nothing was recorded.
    RoundClosed,
    /// A later session got the lease; nothing was recorded.
    StaleLease,
}

/// Results.
#[async_trait]
pub trait ResultStore: Send + Sync {
    /// Records a result once. The key (round, site) decides, not a read before the write; then
    /// whether the round is open; then whether `lease_epoch` is that of the dispatch.
    async fn result_insert(
        &self,
        result: &StoredResult,
        lease_epoch: u64,
    ) -> Result<Inserted, StoreError>;

    /// One result.
    async fn result_find(
        &self,
        round: &RoundId,
        site: &SiteId,
    ) -> Result<Option<StoredResult>, StoreError>;

    /// Results of a round, in order of site ids.
    async fn result_list(&self, round: &RoundId) -> Result<Vec<StoredResult>, StoreError>;
}
