//! The vault failed.

use fedval_ambient::{Exit, Problem};

/// A failed operation on the vault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// The database failed: disk full, damaged, not writable.
    #[error("the vault failed at {operation}")]
    Database {
        /// What was being done.
        operation: &'static str,
        /// The driver's error.
        #[source]
        source: sqlx::Error,
    },
    /// The file is of another version.
    #[error("the vault's schema does not fit this version")]
    Schema(#[source] sqlx::migrate::MigrateError),
    /// Another process evaluates the same part of a cohort.
    #[error("another process works on this shard")]
    ShardTaken,
    /// What the ledger remembers of a release cannot be read.
    #[error("what the ledger remembers of a release is damaged")]
    LedgerDamaged,
    /// The journal's chain is broken: somebody changed what had been written.
    #[error("the journal is broken at entry {sequence}")]
    JournalBroken {
        /// First entry that does not hold.
        sequence: i64,
    },
}

impl VaultError {
    pub(crate) fn during(operation: &'static str) -> impl Fn(sqlx::Error) -> Self {
        move |source| Self::Database { operation, source }
    }
}

impl Problem for VaultError {
    fn code(&self) -> &'static str {
        match self {
            Self::Database { .. } => "VAULT_UNAVAILABLE",
            Self::Schema(_) => "VAULT_SCHEMA",
            Self::ShardTaken => "SHARD_RUNNING",
            Self::LedgerDamaged => "LEDGER_DAMAGED",
            Self::JournalBroken { .. } => "JOURNAL_BROKEN",
        }
    }

    fn remedy(&self) -> Option<String> {
        Some(
            match self {
                Self::Database { .. } => {
                    "free disk space and check that vault.db belongs to this user"
                }
                Self::Schema(_) => "start the version of fedval-agent that last wrote this vault",
                Self::ShardTaken => "wait for it, or give each process an index of its own",
                Self::LedgerDamaged | Self::JournalBroken { .. } => {
                    "nothing leaves this site until its vault is restored from a backup"
                }
            }
            .to_owned(),
        )
    }

    fn exit(&self) -> Exit {
        match self {
            Self::LedgerDamaged | Self::JournalBroken { .. } => Exit::AnswerIsNo,
            Self::ShardTaken => Exit::Usage,
            _ => Exit::Machine,
        }
    }
}
