//! The coordinator's durable state: SQL and object storage, and nowhere else.

mod artifacts;
mod sqlite;

pub use artifacts::FolderArtifacts;
pub use sqlite::{OpenError, SqliteStore};
