//! The transparency log.

use async_trait::async_trait;
use fedval_core::port::{CosignatureRow, LogStore, StoreError};
use fedval_study::{Canonical, LogCheckpoint, LogEntry, Sha256Digest, SiteId};
use sqlx::Error;

use super::SqlStore;
use super::database::{Row, Transaction};
use super::row::{bytes, count, damaged, integer, json, parsed, to_json};

const COSIGN: &str = "-- cosignature_put
    INSERT INTO log_cosignatures (site_id, log, entries, root, endorsement)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (site_id) DO UPDATE
    SET log = excluded.log, entries = excluded.entries, root = excluded.root,
        endorsement = excluded.endorsement
    WHERE log_cosignatures.entries < excluded.entries";

const COSIGNATURES: &str = "-- cosignature_list
    SELECT site_id, log, entries, root, endorsement FROM log_cosignatures ORDER BY site_id";

const LIST: &str = "-- log_list\nSELECT entry FROM log_entries WHERE place >= $1 ORDER BY place";

fn cosignature_row(row: &Row) -> Result<CosignatureRow, Error> {
    let digest = |column| Ok::<_, Error>(Sha256Digest::from_bytes(bytes(row, column)?));
    Ok(CosignatureRow {
        site: parsed::<SiteId>(row, "site_id")?,
        checkpoint: LogCheckpoint {
            log: digest("log")?,
            entries: count(row, "entries")?,
            root: digest("root")?,
        },
        endorsement: json(row, "endorsement")?,
    })
}

fn entries(rows: &[Row]) -> Result<Vec<Vec<u8>>, Error> {
    rows.iter().map(|row| row.get("entry")).collect()
}

impl Transaction {
    /// Appends the entries that are not there yet. Whoever appends holds the head until the
    /// transaction ends, so that places follow each other without gaps.
    pub(super) async fn log_grow(&mut self, new: &[LogEntry]) -> Result<usize, Error> {
        let lock = "-- log_append: one at a time\nSELECT entries FROM log_head FOR UPDATE";
        self.lock(lock, &[]).await?;
        let head = "-- log_append: where\nSELECT entries FROM log_head";
        let head = self.row(head, &[]).await?.ok_or_else(|| damaged("entries"))?;
        let begin: u64 = count(&head, "entries")?;
        let mut place = begin;
        for entry in new {
            let canonical =
                Canonical::new(entry.clone()).map_err(|error| Error::Encode(error.into()))?;
            let insert = "-- log_append
                INSERT INTO log_entries (place, entry_key, entry) VALUES ($1, $2, $3)
                ON CONFLICT (entry_key) DO NOTHING";
            let key = entry.key();
            let values =
                [integer(place)?.into(), key.as_bytes()[..].into(), canonical.bytes().into()];
            place += self.execute(insert, &values).await?;
        }
        let advance = "-- log_append: head\nUPDATE log_head SET entries = $1";
        self.execute(advance, &[integer(place)?.into()]).await?;
        usize::try_from(place - begin).map_err(|_| damaged("entries"))
    }

    pub(super) async fn log_entries(&mut self) -> Result<Vec<Vec<u8>>, Error> {
        entries(&self.rows(LIST, &[0_i64.into()]).await?)
    }

    pub(super) async fn cosignature_record(&mut self, row: &CosignatureRow) -> Result<(), Error> {
        let CosignatureRow { site, checkpoint, endorsement } = row;
        let endorsement = to_json(endorsement)?;
        let values = [
            site.as_str().into(),
            checkpoint.log.as_bytes()[..].into(),
            integer(checkpoint.entries)?.into(),
            checkpoint.root.as_bytes()[..].into(),
            endorsement.as_str().into(),
        ];
        self.execute(COSIGN, &values).await?;
        Ok(())
    }

    pub(super) async fn cosignature_rows(&mut self) -> Result<Vec<CosignatureRow>, Error> {
        self.rows(COSIGNATURES, &[]).await?.iter().map(cosignature_row).collect()
    }
}

#[async_trait]
impl LogStore for SqlStore {
    async fn log_append(&self, entries: &[LogEntry]) -> Result<usize, StoreError> {
        self.during("log_append", || async {
            let mut tx = self.begin().await?;
            let appended = tx.log_grow(entries).await?;
            tx.commit().await?;
            Ok(appended)
        })
        .await
    }

    async fn log_list(&self, from: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        self.during("log_list", || async {
            entries(&self.rows(LIST, &[integer(from)?.into()]).await?)
        })
        .await
    }

    async fn cosignature_put(&self, row: &CosignatureRow) -> Result<(), StoreError> {
        self.during("cosignature_put", || async {
            let mut tx = self.begin().await?;
            tx.cosignature_record(row).await?;
            tx.commit().await
        })
        .await
    }

    async fn cosignature_list(&self) -> Result<Vec<CosignatureRow>, StoreError> {
        self.during("cosignature_list", || async {
            self.rows(COSIGNATURES, &[]).await?.iter().map(cosignature_row).collect()
        })
        .await
    }
}
