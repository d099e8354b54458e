//! The coordinator's durable state: SQL and object storage, and nowhere else.

mod artifacts;
mod sql;

pub use artifacts::FolderArtifacts;
/// The embedded store is opened by a path.
pub use sql::SqlStore as SqliteStore;
pub use sql::{OpenError, SqlStore};
