//! Backups: everything a coordinator holds, as plain files that need no database to be read.
//!
//! ```text
//! store.jsonl        one row a line
//! artifacts/DIGEST   models
//! pki/…, fedval.toml as they lie in the coordinator's folder
//! manifest.json      SHA-256 and size of each of these; written last
//! ```

mod error;
mod line;
mod manifest;
mod restore;
mod write;

use std::path::Path;

use fedval_core::{Artifacts, Store};

pub use error::BackupError;
pub use restore::Backup;
pub use write::backup_write;

/// The rows.
const ROWS: &str = "store.jsonl";
/// The folder of artifacts.
const ARTIFACTS: &str = "artifacts";
/// The list of files, and the sign that a backup is whole.
const MANIFEST: &str = "manifest.json";
/// The configuration: restored last, the sign that a coordinator's folder is whole.
const CONFIG: &str = "fedval.toml";
/// How much of a file or an artifact is in memory at a time.
const CHUNK_BYTES: usize = 1 << 20;

/// A coordinator to copy, or to fill.
#[derive(Debug, Clone, Copy)]
pub struct Holdings<'a> {
    /// Its folder.
    pub home: &'a Path,
    /// Its rows.
    pub store: &'a dyn Store,
    /// Its artifacts.
    pub artifacts: &'a dyn Artifacts,
}
