//! What this site signed of its ledger: a restored backup does not hold it, and that must show.
//!
//! With every answer this site signs how many entries its ledger has and the hash of the last entry of its
//! journal, and the coordinator keeps it. On each connection the coordinator shows it: where this
//! journal does not hold that hash, it is an older one or another, and nothing is released until a
//! steward has looked into it. The coordinator cannot make one up, since it is this site's own signature.

use fedval_ambient::Timestamp;
use fedval_study::{LedgerMark, Sha256Digest, SiteId};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Error, Row as _};

use crate::journal::{self, Event};
use crate::row::count;
use crate::{Vault, VaultError};

/// Entries of the ledger, with what a steward accepted as forgotten.
async fn entries(connection: &mut SqliteConnection) -> Result<u64, Error> {
    let row = sqlx::query(
        "-- counter: entries
         SELECT (SELECT COUNT(*) FROM ledger) + forgotten AS entries FROM ledger_counter",
    )
    .fetch_one(connection)
    .await?;
    count(&row, "entries")
}

/// How many entries are missing, one at least where the journal is another.
pub(crate) async fn missing(connection: &mut SqliteConnection) -> Result<u64, Error> {
    let row = sqlx::query(
        "-- counter: missing
         SELECT seen_entries, seen_head IS NOT NULL AS missing FROM ledger_counter",
    )
    .fetch_one(&mut *connection)
    .await?;
    if !row.try_get::<bool, _>("missing")? {
        return Ok(0);
    }
    let seen: u64 = count(&row, "seen_entries")?;
    Ok(seen.saturating_sub(entries(connection).await?).max(1))
}

/// Whether a mark is of this journal, or was accepted though it is not.
async fn is_known(connection: &mut SqliteConnection, head: &Sha256Digest) -> Result<bool, Error> {
    let row = sqlx::query(
        "-- counter: is known
         SELECT EXISTS (SELECT 1 FROM journal WHERE hash = ?1)
             OR EXISTS (SELECT 1 FROM ledger_counter WHERE accepted = ?1) AS known",
    )
    .bind(&head.as_bytes()[..])
    .fetch_one(connection)
    .await?;
    row.try_get("known")
}

impl Vault {
    /// What goes with the next answer of this site.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn ledger_mark(&self, site: &SiteId) -> Result<LedgerMark, VaultError> {
        let tag = VaultError::during("ledger_mark");
        let mut tx = self.pool.begin().await.map_err(&tag)?;
        let entries = entries(&mut tx).await.map_err(&tag)?;
        let head = journal::head(&mut tx).await.map_err(&tag)?;
        tx.rollback().await.map_err(&tag)?;
        Ok(LedgerMark { site: site.clone(), entries, head })
    }

    /// How many entries are missing of those that this site signed for.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn ledger_missing(&self) -> Result<u64, VaultError> {
        let tag = VaultError::during("ledger_missing");
        missing(&mut *self.pool.acquire().await.map_err(&tag)?).await.map_err(&tag)
    }

    /// Notes a mark that this site signed and somebody showed it, and returns how many entries are
    /// missing.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn ledger_seen(&self, mark: &LedgerMark) -> Result<u64, VaultError> {
        let tag = VaultError::during("ledger_seen");
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&tag)?;
        if !is_known(&mut tx, &mark.head).await.map_err(&tag)? {
            sqlx::query(
                "-- ledger_seen
                 UPDATE ledger_counter SET seen_entries = ?1, seen_head = ?2",
            )
            .bind(i64::try_from(mark.entries).unwrap_or(i64::MAX))
            .bind(&mark.head.as_bytes()[..])
            .execute(&mut *tx)
            .await
            .map_err(&tag)?;
        }
        let missing = missing(&mut tx).await.map_err(&tag)?;
        tx.commit().await.map_err(&tag)?;
        Ok(missing)
    }

    /// Lets releases go on though entries are missing, as a steward decided; how many there were.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn ledger_accept(&self, approver: &str, now: Timestamp) -> Result<u64, VaultError> {
        let tag = VaultError::during("ledger_accept");
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&tag)?;
        let missing = missing(&mut tx).await.map_err(&tag)?;
        if missing > 0 {
            sqlx::query(
                "-- ledger_accept
                 UPDATE ledger_counter
                 SET forgotten = forgotten + ?1, accepted = seen_head,
                     seen_entries = 0, seen_head = NULL",
            )
            .bind(i64::try_from(missing).unwrap_or(i64::MAX))
            .execute(&mut *tx)
            .await
            .map_err(&tag)?;
            let event = Event::Accepted { approver: approver.to_owned(), missing };
            journal::append(&mut tx, event, now).await.map_err(&tag)?;
        }
        tx.commit().await.map_err(&tag)?;
        Ok(missing)
    }
}
