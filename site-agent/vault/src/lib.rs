//! The agent's durable state: jobs, checkpoints, vetted results, ledger, journal, and what others signed before this
//! site.
//!
//! Every commit is on the disk before it returns. What may be sent is minted from here.

mod backup;
mod checkpoint;
mod commit;
mod counter;
mod error;
mod forbidden;
mod job;
mod journal;
mod ledger;
mod log_seen;
mod protocol_seen;
mod row;
mod secret;
mod shard;
mod signed_state;
mod vetted;

use std::fs;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

pub use checkpoint::{CaseOutcome, Checkpoint, MasksOutcome};
pub use commit::{Approval, CommitError};
pub use error::VaultError;
pub use forbidden::Culprit;
pub use job::{Job, JobState, NewJob};
pub use journal::{Event, JournalEntry};
pub use ledger::LedgerEntry;
pub use log_seen::LogSeen;
pub use protocol_seen::VersionSeen;
pub use shard::{ShardCases, ShardFile};
pub use signed_state::{CountersignedMark, SignedLogState};
pub use vetted::{StoredDecision, VettedResult};

/// How long a writer waits for another: the daemon and a steward's command share the file.
const BUSY_SECONDS: u64 = 30;

/// The agent's state on disk. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Vault {
    pool: SqlitePool,
}

impl Vault {
    /// Opens the file, creating it and bringing its schema up to date.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the file cannot be opened or is of another version.
    pub async fn open(file: &Path) -> Result<Self, VaultError> {
        let io = |error| VaultError::during("open")(sqlx::Error::Io(error));
        open_private(file).map_err(io)?;
        // The daemon and a steward's command may both meet a new or an old schema: one brings it up
        // to date, the other waits.
        let turn = open_private(&file.with_extension("lock")).map_err(io)?;
        turn.lock().map_err(io)?;
        let options = SqliteConnectOptions::new()
            .filename(file)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            // The agent may write in its own folder only.
            .pragma("temp_store", "MEMORY")
            .busy_timeout(Duration::from_secs(BUSY_SECONDS));
        let pool = SqlitePoolOptions::new()
            .max_connections(4)
            .connect_with(options)
            .await
            .map_err(VaultError::during("open"))?;
        sqlx::migrate!("./migrations").run(&pool).await.map_err(VaultError::Schema)?;
        Ok(Self { pool })
    }
}

/// Makes the file readable by its owner alone; the database gives its journals the same mode.
fn open_private(file: &Path) -> std::io::Result<fs::File> {
    fs::OpenOptions::new().append(true).create(true).mode(0o600).open(file)
}
