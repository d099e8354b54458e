//! How many answers each site ever gave, by its own signature.

use async_trait::async_trait;
use fedval_study::LedgerMark;
use fedval_study::SiteId;
use fedval_trust::Signature;

use super::StoreError;

/// A site's statement with its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerMarkRow {
    /// The statement.
    pub mark: LedgerMark,
    /// The site's signature.
    pub signature: Signature,
}

/// Marks: one row for each site, which only rises.
#[async_trait]
pub trait LedgerMarkStore: Send + Sync {
    /// Keeps a mark, unless one with as many entries or more is there.
    async fn ledger_mark_put(&self, row: &LedgerMarkRow) -> Result<(), StoreError>;

    /// A site's mark.
    async fn ledger_mark_find(&self, site: &SiteId) -> Result<Option<LedgerMarkRow>, StoreError>;
}
