//! Results.

use async_trait::async_trait;
use fedval_core::port::{Inserted, ResultStore, StoreError, StoredResult};
use fedval_study::{ResultDigest, RoundId, Sha256Digest, SiteId};
use sqlx::Error;

use super::SqlStore;
use super::database::{Row, Transaction};
use super::row::{bytes, integer, json, moment, parsed, to_json};

fn stored_result(row: &Row) -> Result<StoredResult, Error> {
    Ok(StoredResult {
        round: parsed(row, "round_id")?,
        site: parsed(row, "site_id")?,
        bytes: row.get("result")?,
        digest: ResultDigest(Sha256Digest::from_bytes(bytes(row, "digest")?)),
        endorsement: json(row, "endorsement")?,
        recorded_at: moment(row, "recorded_at_ms")?,
    })
}

fn stored_results(rows: &[Row]) -> Result<Vec<StoredResult>, Error> {
    rows.iter().map(stored_result).collect()
}

impl Transaction {
    pub(super) async fn result_list(&mut self) -> Result<Vec<StoredResult>, Error> {
        let sql = "-- result_list: all
            SELECT round_id, site_id, result, digest, endorsement, recorded_at_ms FROM results
            ORDER BY round_id, site_id";
        stored_results(&self.rows(sql, &[]).await?)
    }

    pub(super) async fn result_record(&mut self, result: &StoredResult) -> Result<(), Error> {
        self.execute(
            "-- result_insert
             INSERT INTO results (round_id, site_id, result, digest, endorsement, recorded_at_ms)
             VALUES ($1, $2, $3, $4, $5, $6)",
            &[
                result.round.as_str().into(),
                result.site.as_str().into(),
                result.bytes[..].into(),
                result.digest.0.as_bytes()[..].into(),
                to_json(&result.endorsement)?.as_str().into(),
                result.recorded_at.unix_millis().into(),
            ],
        )
        .await?;
        Ok(())
    }

    /// What keeps a result from being recorded, if anything. The round cannot be closed before the
    /// transaction ends, and the site's lease cannot go to another session; nor can another result
    /// of the site come between.
    async fn result_refused(
        &mut self,
        result: &StoredResult,
        lease_epoch: u64,
    ) -> Result<Option<Inserted>, Error> {
        let key = [result.round.as_str().into(), result.site.as_str().into()];
        let lock = "-- result_insert: the round stays open
            SELECT 1 FROM rounds WHERE round_id = $1 FOR SHARE";
        self.lock(lock, &key[..1]).await?;
        let lock = "-- result_insert: one at a time
            SELECT 1 FROM dispatches WHERE round_id = $1 AND site_id = $2 FOR UPDATE";
        self.lock(lock, &key).await?;

        let earlier = "-- result_insert: compare
            SELECT digest, recorded_at_ms FROM results WHERE round_id = $1 AND site_id = $2";
        if let Some(row) = self.row(earlier, &key).await? {
            let same = bytes(&row, "digest")? == *result.digest.0.as_bytes();
            let recorded_at = moment(&row, "recorded_at_ms")?;
            return Ok(Some(if same {
                Inserted::SameAsBefore(recorded_at)
            } else {
                Inserted::DiffersFromBefore
            }));
        }
        let open = "-- result_insert: is it open
            SELECT round_id FROM rounds WHERE round_id = $1 AND closed_at_ms IS NULL";
        if self.row(open, &key[..1]).await?.is_none() {
            return Ok(Some(Inserted::RoundClosed));
        }
        let leased = "-- result_insert: is the lease current
            SELECT round_id FROM dispatches
            WHERE round_id = $1 AND site_id = $2 AND lease_epoch = $3";
        let held = self.row(leased, &[key[0], key[1], integer(lease_epoch)?.into()]).await?;
        Ok(held.is_none().then_some(Inserted::StaleLease))
    }
}

#[async_trait]
impl ResultStore for SqlStore {
    async fn result_insert(
        &self,
        result: &StoredResult,
        lease_epoch: u64,
    ) -> Result<Inserted, StoreError> {
        self.during("result_insert", || async {
            let mut tx = self.begin().await?;
            if let Some(refused) = tx.result_refused(result, lease_epoch).await? {
                return Ok(refused);
            }
            tx.result_record(result).await?;
            tx.commit().await?;
            Ok(Inserted::New)
        })
        .await
    }

    async fn result_find(
        &self,
        round: &RoundId,
        site: &SiteId,
    ) -> Result<Option<StoredResult>, StoreError> {
        self.during("result_find", || async {
            let sql = "-- result_find
                SELECT round_id, site_id, result, digest, endorsement, recorded_at_ms FROM results
                WHERE round_id = $1 AND site_id = $2";
            let row = self.row(sql, &[round.as_str().into(), site.as_str().into()]).await?;
            row.as_ref().map(stored_result).transpose()
        })
        .await
    }

    async fn result_list(&self, round: &RoundId) -> Result<Vec<StoredResult>, StoreError> {
        self.during("result_list", || async {
            let sql = "-- result_list
                SELECT round_id, site_id, result, digest, endorsement, recorded_at_ms FROM results
                WHERE round_id = $1 ORDER BY site_id";
            stored_results(&self.rows(sql, &[round.as_str().into()]).await?)
        })
        .await
    }
}
