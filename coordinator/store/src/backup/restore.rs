//! Bringing a backup back into an empty coordinator.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use fedval_core::port::Snapshot;
use fedval_study::Sha256Digest;
use sha2::{Digest as _, Sha256};

use super::line::add_line;
use super::manifest::{Entry, Manifest, read_chunks};
use super::write::{copy, make_folder};
use super::{ARTIFACTS, BackupError, CHUNK_BYTES, CONFIG, Holdings, MANIFEST, ROWS};

/// A backup whose every file was found to be what was written.
#[derive(Debug)]
pub struct Backup {
    folder: PathBuf,
    manifest: Manifest,
    snapshot: Snapshot,
}

impl Backup {
    /// Opens a backup and checks every file of it.
    ///
    /// # Errors
    ///
    /// [`BackupError::Damaged`] names the first file that is missing or changed.
    pub fn open(folder: &Path) -> Result<Self, BackupError> {
        let damaged = |file: &str| BackupError::Damaged {
            folder: folder.to_path_buf(),
            file: file.to_owned(),
        };
        let manifest = Manifest::read(folder).ok_or_else(|| damaged(MANIFEST))?;
        for entry in &manifest.files {
            if !is_whole(folder, entry) {
                return Err(damaged(&entry.path));
            }
        }
        for needed in [ROWS, CONFIG] {
            if !manifest.files.iter().any(|entry| entry.path == needed) {
                return Err(damaged(needed));
            }
        }
        let snapshot = read_rows(&folder.join(ROWS)).ok_or_else(|| damaged(ROWS))?;
        Ok(Self { folder: folder.to_path_buf(), manifest, snapshot })
    }

    /// Makes the coordinator's folder, which must be absent or empty: what is opened in it comes
    /// after this.
    ///
    /// # Errors
    ///
    /// [`BackupError::NotEmpty`] where it holds something.
    pub fn make_home(home: &Path) -> Result<(), BackupError> {
        if fs::read_dir(home).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(BackupError::NotEmpty(home.display().to_string()));
        }
        make_folder(&home.join(ARTIFACTS))
    }

    /// Copies keys, and whatever else is not rows, models or the configuration, into the folder.
    ///
    /// # Errors
    ///
    /// See [`BackupError`].
    pub fn restore_files(&self, home: &Path) -> Result<(), BackupError> {
        for entry in self.manifest.files.iter().filter(|entry| !is_artifact(entry)) {
            if entry.path != ROWS && entry.path != CONFIG {
                copy(&self.folder, home, &entry.path)?;
            }
        }
        Ok(())
    }

    /// Fills a coordinator that has its files: artifacts, then all rows at once, and the
    /// configuration last, so that a folder with a configuration is whole.
    ///
    /// # Errors
    ///
    /// See [`BackupError`].
    pub async fn restore(&self, to: Holdings<'_>) -> Result<(), BackupError> {
        for entry in self.manifest.files.iter().filter(|entry| is_artifact(entry)) {
            self.restore_artifact(entry, to).await?;
        }
        if !to.store.snapshot_write(&self.snapshot).await? {
            return Err(BackupError::NotEmpty("the database".to_owned()));
        }
        copy(&self.folder, to.home, CONFIG)?;
        Ok(())
    }

    /// How many rows of each kind it holds that a person counts: sites, studies, results.
    #[must_use]
    pub fn counts(&self) -> [usize; 3] {
        [self.snapshot.sites.len(), self.snapshot.studies.len(), self.snapshot.results.len()]
    }

    async fn restore_artifact(&self, entry: &Entry, to: Holdings<'_>) -> Result<(), BackupError> {
        let file = self.folder.join(&entry.path);
        let mut upload = to.artifacts.artifact_begin().await?;
        let mut offset = 0;
        while offset < entry.bytes {
            let chunk = read_at(&file, offset)?;
            if chunk.is_empty() {
                break;
            }
            offset += chunk.len() as u64;
            upload.write(chunk).await?;
        }
        let stored = upload.finish().await?;
        if stored.digest == entry.sha256 {
            return Ok(());
        }
        Err(BackupError::Damaged { folder: self.folder.clone(), file: entry.path.clone() })
    }
}

fn is_artifact(entry: &Entry) -> bool {
    entry.path.strip_prefix(ARTIFACTS).is_some_and(|rest| rest.starts_with('/'))
}

/// One chunk of a file. The file is opened anew for each: what waits between two is the network.
fn read_at(path: &Path, offset: u64) -> Result<Vec<u8>, BackupError> {
    use std::os::unix::fs::FileExt as _;
    let failed = BackupError::disk("read", path);
    let file = fs::File::open(path).map_err(&failed)?;
    let mut chunk = vec![0; CHUNK_BYTES];
    let length = file.read_at(&mut chunk, offset).map_err(&failed)?;
    chunk.truncate(length);
    Ok(chunk)
}

fn is_whole(folder: &Path, entry: &Entry) -> bool {
    let mut hash = Sha256::new();
    let mut bytes = 0;
    let read = read_chunks(&folder.join(&entry.path), |chunk| {
        hash.update(chunk);
        bytes += chunk.len() as u64;
        Ok(())
    });
    let found = Sha256Digest::from_bytes(hash.finalize().into());
    read.is_ok() && (found, bytes) == (entry.sha256, entry.bytes)
}

fn read_rows(path: &Path) -> Option<Snapshot> {
    let mut snapshot = Snapshot::default();
    for line in BufReader::new(fs::File::open(path).ok()?).lines() {
        add_line(&mut snapshot, &line.ok()?)?;
    }
    Some(snapshot)
}
