//! Rounds, the dispatches in them, and leases.

use async_trait::async_trait;
use fedval_ambient::Timestamp;
use fedval_study::{RoundId, SiteId, StudyId};
use fedval_trust::Endorsement;

use super::StoreError;

/// A round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundRow {
    /// Its id.
    pub round: RoundId,
    /// Its study.
    pub study: StudyId,
    /// Counted from 1 within the study.
    pub number: u32,
    /// Version of the protocol that its sites are asked under.
    pub protocol_version: u32,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// When sites that have not answered are overdue. Nothing happens by itself then.
    pub deadline_at: Option<Timestamp>,
}

/// What a site says it is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Its agent saw the offer.
    Queued,
    /// Its steward or policy approved.
    Approved,
    /// Protocol and model are on their way.
    Downloading,
    /// The model runs.
    Evaluating,
    /// A steward must look.
    AwaitingRelease,
    /// The result was sent.
    Sent,
}

/// One dispatch of a round to a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DispatchRow {
    /// The round.
    pub round: RoundId,
    /// The site.
    pub site: SiteId,
    /// Canonical bytes of the signed order.
    pub dispatch: Vec<u8>,
    /// The coordinator's signature on it.
    pub endorsement: Endorsement,
    /// When it was issued.
    pub dispatched_at: Timestamp,
    /// Last phase the site named.
    pub phase: Option<Phase>,
    /// Epoch of the session that last got the lease; 0 before the first.
    pub lease_epoch: u64,
    /// When the current lease ends.
    pub lease_ends_at: Option<Timestamp>,
}

/// Rounds.
#[async_trait]
pub trait RoundStore: Send + Sync {
    /// Opens a round. `false` where the study has an open round, the number is taken, or another version of the
    /// protocol is in force.
    async fn round_open(&self, round: &RoundRow) -> Result<bool, StoreError>;

    /// The study's rounds, in order of numbers.
    async fn round_list(&self, study: &StudyId) -> Result<Vec<RoundRow>, StoreError>;

    /// One round.
    async fn round_find(&self, round: &RoundId) -> Result<Option<RoundRow>, StoreError>;

    /// Sets the deadline of an open round. `false` where it is closed.
    async fn round_set_deadline(
        &self,
        round: &RoundId,
        deadline_at: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Closes a round. `false` where it was closed before. A change.
    async fn round_close(&self, round: &RoundId, now: Timestamp) -> Result<bool, StoreError>;

    /// Records dispatches to sites that have none in their round yet, all in one transaction, and
    /// returns how many were new. A change.
    async fn dispatch_insert(&self, rows: &[DispatchRow]) -> Result<usize, StoreError>;

    /// One dispatch.
    async fn dispatch_find(
        &self,
        round: &RoundId,
        site: &SiteId,
    ) -> Result<Option<DispatchRow>, StoreError>;

    /// Dispatches of a round, in order of site ids.
    async fn dispatch_list(&self, round: &RoundId) -> Result<Vec<DispatchRow>, StoreError>;

    /// Dispatches to a site in open rounds that it has not answered.
    async fn dispatch_pending(&self, site: &SiteId) -> Result<Vec<DispatchRow>, StoreError>;

    /// Records what a site says it is doing.
    async fn dispatch_set_phase(
        &self,
        round: &RoundId,
        site: &SiteId,
        phase: Phase,
    ) -> Result<(), StoreError>;

    /// Gives the lease to the session with this epoch. `false` where the site has no such dispatch
    /// or another session is current.
    async fn lease_grant(
        &self,
        round: &RoundId,
        site: &SiteId,
        epoch: u64,
        ends_at: Timestamp,
    ) -> Result<bool, StoreError>;
}
