//! The coordinator's durable state: SQL and object storage, and nowhere else.

mod artifacts;
mod sql;

pub use artifacts::{
    ArtifactsConfig, BucketAccess, BucketArtifacts, FolderArtifacts, OpenArtifactsError,
    artifacts_open,
};
/// The embedded store is opened by a path.
pub use sql::SqlStore as SqliteStore;
pub use sql::{OpenError, ServerUrl, SqlStore, StoreConfig, store_open};
