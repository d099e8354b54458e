//! Reading and writing everything at one moment.

use async_trait::async_trait;
use fedval_core::port::{Snapshot, SnapshotStore, StoreError};
use fedval_study::{Canonical, LogEntry, SiteId};
use sqlx::Error;

use super::SqlStore;
use super::database::Transaction;
use super::row::{count, damaged, integer, parsed};

/// The instance of a session that nobody holds.
const NOBODY: [u8; 32] = [0; 32];

fn log_entry(bytes: &[u8]) -> Result<LogEntry, Error> {
    Canonical::parse(bytes).map(Canonical::into_value).map_err(|_| damaged("entry"))
}

/// A row that contradicts another of the snapshot is damage.
fn written(rows: u64, column: &'static str) -> Result<(), Error> {
    if rows == 1 { Ok(()) } else { Err(damaged(column)) }
}

impl Transaction {
    async fn epoch_list(&mut self) -> Result<Vec<(SiteId, u64)>, Error> {
        let sql = "-- epoch_list\nSELECT site_id, epoch FROM sessions ORDER BY site_id";
        let rows = self.rows(sql, &[]).await?;
        rows.iter().map(|row| Ok((parsed(row, "site_id")?, count(row, "epoch")?))).collect()
    }

    async fn epoch_restore(&mut self, site: &SiteId, epoch: u64) -> Result<(), Error> {
        self.execute(
            "-- epoch_restore
             INSERT INTO sessions (site_id, epoch, instance, ends_at_ms) VALUES ($1, $2, $3, NULL)",
            &[site.as_str().into(), integer(epoch)?.into(), NOBODY[..].into()],
        )
        .await?;
        Ok(())
    }

    async fn is_empty(&mut self) -> Result<bool, Error> {
        let sql = "-- snapshot_write: is it empty
            SELECT site_id AS name FROM sites
            UNION ALL SELECT name FROM operators
            UNION ALL SELECT study_id FROM studies
            LIMIT 1";
        Ok(self.rows(sql, &[]).await?.is_empty())
    }

    /// Rows before those that refer to them.
    async fn snapshot_fill(&mut self, snapshot: &Snapshot) -> Result<(), Error> {
        for (site, key) in &snapshot.sites {
            self.site_restore(site, key.as_ref()).await?;
        }
        for invitation in &snapshot.invitations {
            self.invitation_record(invitation).await?;
        }
        for person in &snapshot.people {
            self.person_record(person).await?;
        }
        for study in &snapshot.studies {
            self.study_restore(study).await?;
        }
        for round in &snapshot.rounds {
            written(self.round_record(round).await?, "round_id")?;
        }
        for dispatch in &snapshot.dispatches {
            written(self.dispatch_record(dispatch).await?, "site_id")?;
        }
        for result in &snapshot.results {
            self.result_record(result).await?;
        }
        for (site, epoch) in &snapshot.epochs {
            self.epoch_restore(site, *epoch).await?;
        }
        for mark in &snapshot.ledger_marks {
            self.ledger_mark_record(mark).await?;
        }
        if self.log_grow(&snapshot.log).await? != snapshot.log.len() {
            return Err(damaged("entry"));
        }
        for cosignature in &snapshot.cosignatures {
            self.cosignature_record(cosignature).await?;
        }
        for credential in &snapshot.credentials {
            written(self.credential_record(credential).await?, "name")?;
        }
        for signature in &snapshot.signatures {
            written(self.signature_record(signature).await?, "signer")?;
        }
        Ok(())
    }
}

#[async_trait]
impl SnapshotStore for SqlStore {
    async fn snapshot_read(&self) -> Result<Snapshot, StoreError> {
        self.during("snapshot_read", || async {
            let mut tx = self.database.begin_snapshot().await?;
            let snapshot = Snapshot {
                sites: tx.site_list().await?,
                invitations: tx.invitation_list().await?,
                people: tx.person_list().await?,
                studies: tx.study_list().await?,
                rounds: tx.round_list().await?,
                dispatches: tx.dispatch_list().await?,
                results: tx.result_list().await?,
                epochs: tx.epoch_list().await?,
                ledger_marks: tx.ledger_mark_list().await?,
                log: tx
                    .log_entries()
                    .await?
                    .iter()
                    .map(|entry| log_entry(entry))
                    .collect::<Result<_, _>>()?,
                cosignatures: tx.cosignature_rows().await?,
                credentials: tx.credential_rows().await?,
                signatures: tx.signature_rows().await?,
            };
            tx.commit().await?;
            Ok(snapshot)
        })
        .await
    }

    async fn snapshot_write(&self, snapshot: &Snapshot) -> Result<bool, StoreError> {
        self.during("snapshot_write", || async {
            let mut tx = self.begin().await?;
            let lock = "-- snapshot_write: nobody else begins
                LOCK TABLE sites, operators, studies IN SHARE ROW EXCLUSIVE MODE";
            tx.lock(lock, &[]).await?;
            if !tx.is_empty().await? {
                return Ok(false);
            }
            tx.snapshot_fill(snapshot).await?;
            tx.count_change().await?;
            tx.commit().await?;
            Ok(true)
        })
        .await
    }
}
