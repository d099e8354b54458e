//! The embedded database: one file, written through by every commit.

use std::path::Path;
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::SqlStore;
use super::database::Database;
use super::open::OpenError;

/// How long a writer waits for another.
const BUSY_SECONDS: u64 = 30;
/// One connection writes at a time; the others read beside it.
const CONNECTIONS: u32 = 4;

impl SqlStore {
    /// Opens the embedded database file, creating it and bringing its schema up to date.
    ///
    /// Every commit is flushed to the disk before it returns: what was acknowledged is never lost.
    ///
    /// # Errors
    ///
    /// See [`OpenError`].
    pub async fn open(file: &Path) -> Result<Self, OpenError> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .pragma("temp_store", "MEMORY")
            .busy_timeout(Duration::from_secs(BUSY_SECONDS));
        let pool = SqlitePoolOptions::new()
            .max_connections(CONNECTIONS)
            // A full disk ends a transaction by itself, and the driver then counts one that is no
            // more: such a connection begins none again, and is closed.
            .after_release(|connection, _| {
                Box::pin(async move {
                    match connection.begin_with("BEGIN").await {
                        Ok(probe) => Ok(probe.rollback().await.is_ok()),
                        Err(_) => Ok(false),
                    }
                })
            })
            .connect_with(options)
            .await
            .map_err(OpenError::File)?;
        sqlx::migrate!("./migrations/sqlite").run(&pool).await.map_err(OpenError::Schema)?;
        Ok(Self { database: Database::Sqlite(pool) })
    }
}
