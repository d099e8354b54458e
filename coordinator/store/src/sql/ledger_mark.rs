//! Marks of sites' ledgers.

use async_trait::async_trait;
use fedval_core::port::{LedgerMarkRow, LedgerMarkStore, StoreError};
use fedval_study::{LedgerMark, Sha256Digest, SiteId};
use sqlx::Error;

use super::row::{bytes, count, damaged, integer, parsed};
use super::{Row, SqlStore, Transaction};

const PUT: &str = "-- ledger_mark_put
    INSERT INTO ledger_marks (site_id, entries, signature, head) VALUES ($1, $2, $3, $4)
    ON CONFLICT (site_id) DO UPDATE
    SET entries = excluded.entries, signature = excluded.signature, head = excluded.head
    WHERE ledger_marks.entries < excluded.entries";

fn row_of(row: &Row) -> Result<LedgerMarkRow, Error> {
    let mark = LedgerMark {
        site: parsed(row, "site_id")?,
        entries: count(row, "entries")?,
        head: Sha256Digest::from_bytes(bytes(row, "head")?),
    };
    let signature: [u8; 64] = bytes(row, "signature")?;
    let signature = signature.as_slice().try_into().map_err(|_| damaged("signature"))?;
    Ok(LedgerMarkRow { mark, signature })
}

impl Transaction {
    pub(super) async fn ledger_mark_record(&mut self, row: &LedgerMarkRow) -> Result<(), Error> {
        let entries = integer(row.mark.entries)?.into();
        let values = [
            row.mark.site.as_str().into(),
            entries,
            row.signature.as_bytes()[..].into(),
            row.mark.head.as_bytes()[..].into(),
        ];
        self.execute(PUT, &values).await?;
        Ok(())
    }

    pub(super) async fn ledger_mark_list(&mut self) -> Result<Vec<LedgerMarkRow>, Error> {
        let sql = "-- ledger_mark_list\nSELECT * FROM ledger_marks ORDER BY site_id";
        self.rows(sql, &[]).await?.iter().map(row_of).collect()
    }
}

#[async_trait]
impl LedgerMarkStore for SqlStore {
    async fn ledger_mark_put(&self, row: &LedgerMarkRow) -> Result<(), StoreError> {
        self.during("ledger_mark_put", || async {
            let mut tx = self.begin().await?;
            tx.ledger_mark_record(row).await?;
            tx.commit().await
        })
        .await
    }

    async fn ledger_mark_find(&self, site: &SiteId) -> Result<Option<LedgerMarkRow>, StoreError> {
        self.during("ledger_mark_find", || async {
            let mut tx = self.begin().await?;
            let sql = "-- ledger_mark_find\nSELECT * FROM ledger_marks WHERE site_id = $1";
            let row = tx.row(sql, &[site.as_str().into()]).await?;
            row.as_ref().map(row_of).transpose()
        })
        .await
    }
}
