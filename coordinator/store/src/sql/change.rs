//! The counter of changes.

use async_trait::async_trait;
use fedval_core::port::{ChangeStore, StoreError};
use sqlx::Error;

use super::SqlStore;
use super::database::Transaction;
use super::row::{count, damaged};

impl Transaction {
    /// Calls what the transaction wrote a change. Last in the transaction: everybody who changes
    /// something waits here for everybody else.
    pub(super) async fn count_change(&mut self) -> Result<(), Error> {
        self.execute("-- change\nUPDATE changes SET changes = changes + 1", &[]).await?;
        Ok(())
    }
}

#[async_trait]
impl ChangeStore for SqlStore {
    async fn change_count(&self) -> Result<u64, StoreError> {
        self.during("change_count", || async {
            let row = self.row("-- change_count\nSELECT changes FROM changes", &[]).await?;
            count(&row.ok_or_else(|| damaged("changes"))?, "changes")
        })
        .await
    }
}
