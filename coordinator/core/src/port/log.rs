//! The transparency log, and which of its states sites signed.

use async_trait::async_trait;
use fedval_study::{LogCheckpoint, LogEntry, SiteId};
use fedval_trust::Endorsement;

use super::StoreError;

/// A state of the log that a site followed and signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CosignatureRow {
    /// The site.
    pub site: SiteId,
    /// The state.
    pub checkpoint: LogCheckpoint,
    /// The site's signature.
    pub endorsement: Endorsement,
}

/// The log. It only grows.
#[async_trait]
pub trait LogStore: Send + Sync {
    /// Appends the entries that are not there yet, by [`LogEntry::key`], in one transaction and in this
    /// order, and returns how many were new. Concurrent callers follow one after the other.
    async fn log_append(&self, entries: &[LogEntry]) -> Result<usize, StoreError>;

    /// The canonical bytes of every entry from place `from` on, in order.
    async fn log_list(&self, from: u64) -> Result<Vec<Vec<u8>>, StoreError>;

    /// Keeps a site's signature, unless one of as many entries or more is there.
    async fn cosignature_put(&self, row: &CosignatureRow) -> Result<(), StoreError>;

    /// The latest signature of each site, in order of ids.
    async fn cosignature_list(&self) -> Result<Vec<CosignatureRow>, StoreError>;
}
