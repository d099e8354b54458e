//! The list of a backup's files, and files that are hashed while they are written or read.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Component, Path};

use fedval_study::Sha256Digest;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{BackupError, CHUNK_BYTES, MANIFEST};

/// The format's number: another one is another release's.
const VERSION: u32 = 1;

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    /// Below the backup's folder.
    pub(super) path: String,
    pub(super) sha256: Sha256Digest,
    pub(super) bytes: u64,
}

/// Every file of a backup but this one.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    version: u32,
    pub(super) files: Vec<Entry>,
}

impl Manifest {
    pub(super) fn new(files: Vec<Entry>) -> Self {
        Self { version: VERSION, files }
    }

    /// Reads the list; `None` where it is none of this version, or names a file elsewhere.
    pub(super) fn read(folder: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(folder.join(MANIFEST)).ok()?;
        let manifest: Self = serde_json::from_str(&text).ok()?;
        let is_below = |path: &str| {
            !path.is_empty()
                && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
        };
        let all_below = manifest.files.iter().all(|entry| is_below(&entry.path));
        (manifest.version == VERSION && all_below).then_some(manifest)
    }
}

/// A new file that its owner alone may read, hashed on its way to the disk.
pub(super) struct HashedFile<'a> {
    folder: &'a Path,
    path: String,
    file: File,
    hash: Sha256,
    bytes: u64,
}

impl<'a> HashedFile<'a> {
    /// Makes the file, which must not be there.
    pub(super) fn create(folder: &'a Path, path: &str) -> Result<Self, BackupError> {
        let target = folder.join(path);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&target)
            .map_err(BackupError::disk("create", &target))?;
        Ok(Self { folder, path: path.to_owned(), file, hash: Sha256::new(), bytes: 0 })
    }

    pub(super) fn write(&mut self, chunk: &[u8]) -> Result<(), BackupError> {
        self.hash.update(chunk);
        self.bytes += chunk.len() as u64;
        let target = self.folder.join(&self.path);
        self.file.write_all(chunk).map_err(BackupError::disk("write", &target))
    }

    /// Flushes the file to the disk.
    pub(super) fn finish(self) -> Result<Entry, BackupError> {
        let target = self.folder.join(&self.path);
        self.file.sync_all().map_err(BackupError::disk("write", &target))?;
        let sha256 = Sha256Digest::from_bytes(self.hash.finalize().into());
        Ok(Entry { path: self.path, sha256, bytes: self.bytes })
    }
}

/// Hands a file on in chunks.
pub(super) fn read_chunks(
    path: &Path,
    mut take: impl FnMut(&[u8]) -> Result<(), BackupError>,
) -> Result<(), BackupError> {
    let mut file = File::open(path).map_err(BackupError::disk("read", path))?;
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        match file.read(&mut chunk).map_err(BackupError::disk("read", path))? {
            0 => return Ok(()),
            length => take(&chunk[..length])?,
        }
    }
}
