//! Vetted results that wait for a steward.

use fedval_ambient::Timestamp;
use fedval_disclosure::{Verdict, Vetted, bound_bits};
use fedval_study::{ResultDigest, RoundId, SiteResult, Suppression};
use serde::{Deserialize, Serialize};
use sqlx::Row as _;

use crate::row::{count, digest, json, to_json};
use crate::{JobState, Vault, VaultError};

/// What a rule decided on one quantity, as a preview shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredDecision {
    /// The quantity.
    pub quantity: String,
    /// `released`, or why it was withheld.
    pub verdict: String,
    /// The rule's id.
    pub rule: String,
}

/// A vetted result as it waits on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VettedResult {
    /// The exact bytes that would leave.
    pub bytes: Vec<u8>,
    /// Their digest, to which an approval binds.
    pub digest: ResultDigest,
    /// What the rules decided.
    pub decisions: Vec<StoredDecision>,
    /// Upper bound in bits on what the bytes can say.
    pub bits: u64,
}

impl Vault {
    /// Stores what the gate let through; the job then waits for its release.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn vetted_put(
        &self,
        round: &RoundId,
        vetted: &Vetted<SiteResult>,
        from: JobState,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let tag = VaultError::during("vetted_put");
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&tag)?;
        sqlx::query(
            "-- vetted_put
             INSERT INTO vetted (round_id, result, digest, decisions, bits, vetted_at_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (round_id) DO UPDATE SET
                 result = excluded.result, digest = excluded.digest,
                 decisions = excluded.decisions, bits = excluded.bits,
                 vetted_at_ms = excluded.vetted_at_ms",
        )
        .bind(round.as_str())
        .bind(vetted.bytes())
        .bind(&vetted.digest().0.as_bytes()[..])
        .bind(to_json(&stored_decisions(vetted)).map_err(&tag)?)
        .bind(i64::try_from(bound_bits(vetted.value())).unwrap_or(i64::MAX))
        .bind(now.unix_millis())
        .execute(&mut *tx)
        .await
        .map_err(&tag)?;
        sqlx::query(
            "-- vetted_put: job
             UPDATE jobs SET state = 'awaiting_release', changed_at_ms = ?3
             WHERE round_id = ?1 AND state = ?2",
        )
        .bind(round.as_str())
        .bind(from.as_str())
        .bind(now.unix_millis())
        .execute(&mut *tx)
        .await
        .map_err(&tag)?;
        tx.commit().await.map_err(&tag)
    }

    /// The vetted result of a job.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn vetted_find(&self, round: &RoundId) -> Result<Option<VettedResult>, VaultError> {
        let tag = VaultError::during("vetted_find");
        let row = sqlx::query("-- vetted_find\nSELECT * FROM vetted WHERE round_id = ?1")
            .bind(round.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(&tag)?;
        let stored = |row: sqlx::sqlite::SqliteRow| {
            Ok(VettedResult {
                bytes: row.try_get("result")?,
                digest: ResultDigest(digest(&row, "digest")?),
                decisions: json(&row, "decisions")?,
                bits: count(&row, "bits")?,
            })
        };
        row.map(stored).transpose().map_err(&tag)
    }
}

fn stored_decisions(vetted: &Vetted<SiteResult>) -> Vec<StoredDecision> {
    let verdict = |verdict| match verdict {
        Verdict::Released => "released",
        Verdict::Withheld(Suppression::Primary) => "withheld: too few patients",
        Verdict::Withheld(Suppression::Complementary) => "withheld: would reveal another",
    };
    vetted
        .decisions()
        .iter()
        .map(|decision| StoredDecision {
            quantity: decision.quantity.clone(),
            verdict: verdict(decision.verdict).to_owned(),
            rule: decision.rule.id().to_owned(),
        })
        .collect()
}
