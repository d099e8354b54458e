//! A counter of what open connections must hear of.

use async_trait::async_trait;

use super::StoreError;

/// Replicas look at the counter, not at each other.
#[async_trait]
pub trait ChangeStore: Send + Sync {
    /// Rises in the same transaction as every write that is called a change: a dispatch, the closing
    /// of a round, a revocation.
    async fn change_count(&self) -> Result<u64, StoreError>;
}
