//! Opening a store.

use std::path::Path;
use std::time::Duration;

use fedval_ambient::{Exit, Problem};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::SqlStore;
use super::database::Database;

/// How long a writer waits for another.
const BUSY_SECONDS: u64 = 30;

/// The store cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file cannot be opened or created.
    #[error("the database file cannot be opened")]
    File(#[source] sqlx::Error),
    /// The schema is not one that this version knows.
    #[error("the database's schema does not fit this version")]
    Schema(#[source] sqlx::migrate::MigrateError),
}

impl Problem for OpenError {
    fn code(&self) -> &'static str {
        match self {
            Self::File(_) => "STORE_NOT_OPENED",
            Self::Schema(_) => "STORE_SCHEMA",
        }
    }

    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::File(_) => {
                "check that the folder exists and is writable, then start again".to_owned()
            }
            Self::Schema(_) => {
                "start the version of fedval that last wrote this database".to_owned()
            }
        })
    }

    fn exit(&self) -> Exit {
        Exit::Machine
    }
}

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
            .busy_timeout(Duration::from_secs(BUSY_SECONDS));
        let pool = SqlitePoolOptions::new()
            .max_connections(4)
            .connect_with(options)
            .await
            .map_err(OpenError::File)?;
        sqlx::migrate!("./migrations/sqlite").run(&pool).await.map_err(OpenError::Schema)?;
        Ok(Self { database: Database::Sqlite(pool) })
    }
}
