//! Results.

use async_trait::async_trait;
use fedval_core::port::{Inserted, ResultStore, StoreError, StoredResult};
use fedval_study::{ResultDigest, RoundId, Sha256Digest};
use sqlx::sqlite::SqliteRow;
use sqlx::{Error, Row as _};

use super::SqliteStore;
use super::row::{bytes32, json, moment, parsed, to_json};

fn stored_result(row: &SqliteRow) -> Result<StoredResult, Error> {
    Ok(StoredResult {
        round: parsed(row, "round_id")?,
        site: parsed(row, "site_id")?,
        bytes: row.try_get("result")?,
        digest: ResultDigest(Sha256Digest::from_bytes(bytes32(row, "digest")?)),
        endorsement: json(row, "endorsement")?,
        recorded_at: moment(row, "recorded_at_ms")?,
    })
}

#[async_trait]
impl ResultStore for SqliteStore {
    async fn result_insert(&self, result: &StoredResult) -> Result<Inserted, StoreError> {
        let tag = StoreError::during::<Error>("result_insert");
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&tag)?;
        let earlier = sqlx::query(
            "-- result_insert: compare
             SELECT digest, recorded_at_ms FROM results WHERE round_id = ?1 AND site_id = ?2",
        )
        .bind(result.round.as_str())
        .bind(result.site.as_str())
        .fetch_optional(&mut *tx)
        .await
        .map_err(&tag)?;
        if let Some(row) = earlier {
            let same = bytes32(&row, "digest").map_err(&tag)? == *result.digest.0.as_bytes();
            let recorded_at = moment(&row, "recorded_at_ms").map_err(&tag)?;
            return Ok(if same {
                Inserted::SameAsBefore(recorded_at)
            } else {
                Inserted::DiffersFromBefore
            });
        }
        let done = sqlx::query(
            "-- result_insert
             INSERT INTO results (round_id, site_id, result, digest, endorsement, recorded_at_ms)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6
             WHERE EXISTS (SELECT 1 FROM rounds WHERE round_id = ?1 AND closed_at_ms IS NULL)",
        )
        .bind(result.round.as_str())
        .bind(result.site.as_str())
        .bind(&result.bytes)
        .bind(&result.digest.0.as_bytes()[..])
        .bind(to_json(&result.endorsement).map_err(&tag)?)
        .bind(result.recorded_at.unix_millis())
        .execute(&mut *tx)
        .await
        .map_err(&tag)?;
        tx.commit().await.map_err(&tag)?;
        Ok(if done.rows_affected() == 1 { Inserted::New } else { Inserted::RoundClosed })
    }

    async fn result_list(&self, round: &RoundId) -> Result<Vec<StoredResult>, StoreError> {
        let tag = StoreError::during::<Error>("result_list");
        let rows = sqlx::query(
            "-- result_list\nSELECT * FROM results WHERE round_id = ?1 ORDER BY site_id",
        )
        .bind(round.as_str())
        .fetch_all(&self.pool)
        .await
        .map_err(&tag)?;
        rows.iter().map(stored_result).collect::<Result<_, _>>().map_err(&tag)
    }
}
