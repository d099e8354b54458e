//! What the coordinator signed of its log and of this site's ledger, in the order in which it showed it. Rows are only
//! added: of a coordinator that tells two histories they hold both, under its own signature.

use fedval_ambient::Timestamp;
use fedval_study::{LedgerMark, LogCheckpoint, Sha256Digest};
use fedval_trust::Endorsement;
use sqlx::Error;
use sqlx::sqlite::SqliteRow;

use crate::row::{count, digest, json, moment, to_json};
use crate::{Vault, VaultError};

/// A state of the coordinator's log under its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedLogState {
    /// The state.
    pub checkpoint: LogCheckpoint,
    /// The coordinator's signature.
    pub endorsement: Endorsement,
    /// When it was shown to this site.
    pub seen_at: Timestamp,
}

/// What the coordinator signed of this site's ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountersignedMark {
    /// Entries of the ledger.
    pub entries: u64,
    /// Hash of the last entry of the journal then.
    pub head: Sha256Digest,
    /// The coordinator's signature.
    pub endorsement: Endorsement,
    /// When it was shown to this site.
    pub seen_at: Timestamp,
}

fn integer(entries: u64) -> i64 {
    i64::try_from(entries).unwrap_or(i64::MAX)
}

fn state_of(row: &SqliteRow) -> Result<SignedLogState, Error> {
    Ok(SignedLogState {
        checkpoint: LogCheckpoint {
            log: digest(row, "log")?,
            entries: count(row, "entries")?,
            root: digest(row, "root")?,
        },
        endorsement: json(row, "endorsement")?,
        seen_at: moment(row, "seen_at_ms")?,
    })
}

fn mark_of(row: &SqliteRow) -> Result<CountersignedMark, Error> {
    Ok(CountersignedMark {
        entries: count(row, "entries")?,
        head: digest(row, "head")?,
        endorsement: json(row, "endorsement")?,
        seen_at: moment(row, "seen_at_ms")?,
    })
}

impl Vault {
    /// Keeps a state of the log that the coordinator signed, unless it is the one that was shown last.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn log_state_keep(
        &self,
        checkpoint: LogCheckpoint,
        endorsement: &Endorsement,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        let tag = VaultError::during("log_state_keep");
        sqlx::query(
            "-- log_state_keep
             INSERT INTO log_states (log, entries, root, endorsement, seen_at_ms)
             SELECT ?1, ?2, ?3, ?4, ?5
             WHERE NOT EXISTS (SELECT 1 FROM log_states
                 WHERE sequence = (SELECT MAX(sequence) FROM log_states)
                   AND entries = ?2 AND root = ?3)",
        )
        .bind(&checkpoint.log.as_bytes()[..])
        .bind(integer(checkpoint.entries))
        .bind(&checkpoint.root.as_bytes()[..])
        .bind(to_json(endorsement).map_err(&tag)?)
        .bind(now.unix_millis())
        .execute(&self.pool)
        .await
        .map_err(&tag)?;
        Ok(())
    }

    /// The state of the log that was shown last.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn log_state_last(&self) -> Result<Option<SignedLogState>, VaultError> {
        let tag = VaultError::during("log_state_last");
        let sql = "-- log_state_last\nSELECT * FROM log_states ORDER BY sequence DESC LIMIT 1";
        let row = sqlx::query(sql).fetch_optional(&self.pool).await.map_err(&tag)?;
        row.as_ref().map(state_of).transpose().map_err(&tag)
    }

    /// The coordinator's signature of a state of the log, where it ever showed one.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn log_state_find(
        &self,
        entries: u64,
        root: Sha256Digest,
    ) -> Result<Option<SignedLogState>, VaultError> {
        let tag = VaultError::during("log_state_find");
        let row = sqlx::query(
            "-- log_state_find
             SELECT * FROM log_states WHERE entries = ?1 AND root = ?2
             ORDER BY sequence DESC LIMIT 1",
        )
        .bind(integer(entries))
        .bind(&root.as_bytes()[..])
        .fetch_optional(&self.pool)
        .await
        .map_err(&tag)?;
        row.as_ref().map(state_of).transpose().map_err(&tag)
    }

    /// Keeps a mark of this site's ledger that the coordinator signed, unless it is the one that was shown last.
    /// `false` where the coordinator had signed a larger one before: it forgot, or tells another history.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn mark_countersigned(
        &self,
        mark: &LedgerMark,
        endorsement: &Endorsement,
        now: Timestamp,
    ) -> Result<bool, VaultError> {
        let tag = VaultError::during("mark_countersigned");
        sqlx::query(
            "-- mark_countersigned
             INSERT INTO countersigned_marks (entries, head, endorsement, seen_at_ms)
             SELECT ?1, ?2, ?3, ?4
             WHERE NOT EXISTS (SELECT 1 FROM countersigned_marks
                 WHERE sequence = (SELECT MAX(sequence) FROM countersigned_marks)
                   AND entries = ?1 AND head = ?2)",
        )
        .bind(integer(mark.entries))
        .bind(&mark.head.as_bytes()[..])
        .bind(to_json(endorsement).map_err(&tag)?)
        .bind(now.unix_millis())
        .execute(&self.pool)
        .await
        .map_err(&tag)?;
        let largest = self.countersigned_find().await?;
        Ok(largest.is_none_or(|largest| largest.entries <= mark.entries))
    }

    /// The largest mark of this site's ledger that the coordinator signed.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn countersigned_find(&self) -> Result<Option<CountersignedMark>, VaultError> {
        let tag = VaultError::during("countersigned_find");
        let row = sqlx::query(
            "-- countersigned_find
             SELECT * FROM countersigned_marks ORDER BY entries DESC, sequence DESC LIMIT 1",
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(&tag)?;
        row.as_ref().map(mark_of).transpose().map_err(&tag)
    }
}
