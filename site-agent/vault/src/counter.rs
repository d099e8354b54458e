//! How many entries the ledger ever had: a restored backup has fewer, and that must show.
//!
//! With every answer this site signs its counter, and the coordinator keeps the largest. On each
//! connection the coordinator shows it: where it is larger than this ledger's, entries are missing, and
//! nothing is released until a steward has looked into it. The coordinator cannot make one up, since
//! it is this site's own signature.

use fedval_ambient::Timestamp;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Error, Row as _};

use crate::journal::{self, Event};
use crate::row::count;
use crate::{Vault, VaultError};

/// Entries and what a steward accepted as forgotten; the largest counter ever seen.
async fn read(connection: &mut SqliteConnection) -> Result<(u64, u64), Error> {
    let row = sqlx::query(
        "-- counter: read
         SELECT (SELECT COUNT(*) FROM ledger) + forgotten AS entries, seen FROM ledger_counter",
    )
    .fetch_one(connection)
    .await?;
    let entries: i64 = row.try_get("entries")?;
    Ok((u64::try_from(entries).unwrap_or(0), count(&row, "seen")?))
}

/// How many entries are missing.
pub(crate) async fn missing(connection: &mut SqliteConnection) -> Result<u64, Error> {
    let (entries, seen) = read(connection).await?;
    Ok(seen.saturating_sub(entries))
}

impl Vault {
    /// The counter that goes with the next answer.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn ledger_count(&self) -> Result<u64, VaultError> {
        let tag = VaultError::during("ledger_count");
        let mut connection = self.pool.acquire().await.map_err(&tag)?;
        Ok(read(&mut connection).await.map_err(&tag)?.0)
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

    /// Notes a counter of this site that somebody showed it, and returns how many entries are missing.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the database fails.
    pub async fn ledger_seen(&self, seen: u64) -> Result<u64, VaultError> {
        let tag = VaultError::during("ledger_seen");
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&tag)?;
        sqlx::query("-- ledger_seen\nUPDATE ledger_counter SET seen = MAX(seen, ?1)")
            .bind(i64::try_from(seen).unwrap_or(i64::MAX))
            .execute(&mut *tx)
            .await
            .map_err(&tag)?;
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
            sqlx::query("-- ledger_accept\nUPDATE ledger_counter SET forgotten = forgotten + ?1")
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
