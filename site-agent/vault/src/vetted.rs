//! Vetted results that wait for a steward.

use std::fmt;

use fedval_ambient::Timestamp;
use fedval_disclosure::{SiteLocal, Vetted, bound_bits};
use fedval_study::{ResultDigest, RoundId, SiteResult};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Error, Row as _};

use crate::row::{count, digest, json, to_json};
use crate::{JobState, Vault, VaultError, job};

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
#[derive(Clone, PartialEq, Eq)]
pub struct VettedResult {
    /// The exact bytes that would leave.
    pub bytes: Vec<u8>,
    /// Their digest, to which an approval binds.
    pub digest: ResultDigest,
    /// What the rules decided.
    pub decisions: Vec<StoredDecision>,
    /// Upper bound in bits on what the bytes can say.
    pub bits: u64,
    /// What they cost, in 10⁻⁶ zCDP.
    pub rho_micro: u64,
    /// What the ledger will remember, as it is stored.
    pub(crate) footprint: Option<SiteLocal<Vec<u8>>>,
    /// Earlier answers about opened cohorts that it was held against; absent without aggregates.
    pub(crate) beside: Option<u64>,
}

impl fmt::Debug for VettedResult {
    /// Shows the digest only: nobody approved these bytes yet.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VettedResult").field("digest", &self.digest).finish_non_exhaustive()
    }
}

/// Stores what the gate let through, in place of what waited before.
pub(crate) async fn put(
    connection: &mut SqliteConnection,
    vetted: &Vetted<SiteResult>,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "-- vetted: put
         INSERT INTO vetted
             (round_id, result, digest, decisions, bits, vetted_at_ms, footprint, rho_micro,
              beside)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (round_id) DO UPDATE SET
             result = excluded.result, digest = excluded.digest,
             decisions = excluded.decisions, bits = excluded.bits,
             vetted_at_ms = excluded.vetted_at_ms, footprint = excluded.footprint,
             rho_micro = excluded.rho_micro, beside = excluded.beside",
    )
    .bind(vetted.value().header.round.as_str())
    .bind(vetted.bytes())
    .bind(&vetted.digest().0.as_bytes()[..])
    .bind(to_json(&stored_decisions(vetted))?)
    .bind(i64::try_from(bound_bits(vetted.value())).unwrap_or(i64::MAX))
    .bind(now.unix_millis())
    .bind(vetted.footprint().map(|footprint| footprint.open_on_site().to_bytes()))
    .bind(i64::try_from(vetted.rho_micro()).unwrap_or(i64::MAX))
    .bind(vetted.earlier_answers().map(|n| i64::try_from(n).unwrap_or(i64::MAX)))
    .execute(connection)
    .await?;
    Ok(())
}

/// The vetted result of a job.
pub(crate) async fn find(
    connection: &mut SqliteConnection,
    round: &RoundId,
) -> Result<Option<VettedResult>, Error> {
    let stored = |row: SqliteRow| {
        Ok(VettedResult {
            bytes: row.try_get("result")?,
            digest: ResultDigest(digest(&row, "digest")?),
            decisions: json(&row, "decisions")?,
            bits: count(&row, "bits")?,
            rho_micro: count(&row, "rho_micro")?,
            footprint: row.try_get::<Option<Vec<u8>>, _>("footprint")?.map(SiteLocal::new),
            beside: row.try_get::<Option<i64>, _>("beside")?.and_then(|n| u64::try_from(n).ok()),
        })
    };
    sqlx::query("-- vetted: find\nSELECT * FROM vetted WHERE round_id = ?1")
        .bind(round.as_str())
        .fetch_optional(connection)
        .await?
        .map(stored)
        .transpose()
}

impl Vault {
    /// Stores what the gate let through of a running job, which then waits for its release. `false`,
    /// and nothing changes, where the job does not run any more: a steward or the coordinator was
    /// faster.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn vetted_put(
        &self,
        vetted: &Vetted<SiteResult>,
        now: Timestamp,
    ) -> Result<bool, VaultError> {
        let tag = VaultError::during("vetted_put");
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&tag)?;
        let round = &vetted.value().header.round;
        let (from, to) = ([JobState::Running], JobState::AwaitingRelease);
        if !job::shift(&mut tx, round, &from, to, now).await.map_err(&tag)? {
            return Ok(false);
        }
        put(&mut tx, vetted, now).await.map_err(&tag)?;
        tx.commit().await.map_err(&tag)?;
        Ok(true)
    }

    /// The vetted result of a job.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn vetted_find(&self, round: &RoundId) -> Result<Option<VettedResult>, VaultError> {
        let tag = VaultError::during("vetted_find");
        find(&mut *self.pool.acquire().await.map_err(&tag)?, round).await.map_err(&tag)
    }
}

fn stored_decisions(vetted: &Vetted<SiteResult>) -> Vec<StoredDecision> {
    vetted
        .decisions()
        .iter()
        .map(|decision| StoredDecision {
            quantity: decision.quantity.clone(),
            verdict: decision.verdict.as_str().to_owned(),
            rule: decision.rule.id().to_owned(),
        })
        .collect()
}
