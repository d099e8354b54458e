//! What one process of several found, on its way to the vault.
//!
//! A database that processes on several machines write at once is none. So each process of an evaluation that is split has a
//! file of its own in the site's folder, one line a case, which grows at its end alone; the agent brings what stands there into
//! the vault.

use std::fs::{self, File, TryLockError};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use fedval_disclosure::SiteLocal;
use sqlx::Error;

use crate::{Checkpoint, VaultError};

/// Longest line that is read: far more than a case takes.
const MOST_BYTES: u64 = 1 << 20;

/// Cases that are read at once.
const PIECE_CASES: usize = 1_000;

/// The cases of one process.
#[derive(Debug)]
pub struct ShardFile {
    path: PathBuf,
    /// Locked for as long as it is open.
    file: File,
}

impl ShardFile {
    /// Opens the file, or makes it, readable by its owner alone. What was cut off in the middle of a line is taken away.
    ///
    /// # Errors
    ///
    /// [`VaultError::ShardTaken`] if another process has it open, and [`VaultError`] if the disk fails.
    pub fn open(path: &Path) -> Result<Self, VaultError> {
        let during = failed("shard_open");
        let mut options = fs::OpenOptions::new();
        let file = options.read(true).append(true).create(true).mode(0o600).open(path);
        let file = file.map_err(&during)?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => VaultError::ShardTaken,
            TryLockError::Error(error) => during(error),
        })?;
        let whole = whole_lines(&file).map_err(&during)?;
        file.set_len(whole).map_err(&during)?;
        Ok(Self { path: path.to_path_buf(), file })
    }

    /// Writes cases by their place in the manifest, and waits for the disk.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the disk fails: the last of them may be missing then.
    pub fn append<'c>(
        &self,
        cases: impl IntoIterator<Item = (usize, &'c SiteLocal<Checkpoint>)>,
    ) -> Result<(), VaultError> {
        let mut lines = Vec::new();
        for (place, checkpoint) in cases {
            serde_json::to_writer(&mut lines, &(place, checkpoint.open_on_site()))
                .map_err(|error| failed("shard_append")(error.into()))?;
            lines.push(b'\n');
        }
        let written = (&self.file).write_all(&lines).and_then(|()| self.file.sync_data());
        written.map_err(failed("shard_append"))
    }

    /// Says that no case is left.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the disk fails.
    pub fn complete(&self) -> Result<(), VaultError> {
        let mut options = fs::OpenOptions::new();
        let marker = options.write(true).create(true).mode(0o600).open(marker(&self.path));
        marker.and_then(|marker| marker.sync_all()).map_err(failed("shard_complete"))
    }

    /// What stands in the file.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if it cannot be opened.
    pub fn read(&self) -> Result<ShardCases, VaultError> {
        ShardCases::open(&self.path)
    }
}

/// The cases in a file, piece by piece.
#[derive(Debug)]
pub struct ShardCases(BufReader<File>);

impl ShardCases {
    /// Opens a file that its process may still be writing.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if it cannot be opened.
    pub fn open(path: &Path) -> Result<Self, VaultError> {
        File::open(path).map(BufReader::new).map(Self).map_err(failed("shard_read"))
    }

    /// Whether its process said that no case is left.
    #[must_use]
    pub fn is_complete(path: &Path) -> bool {
        marker(path).exists()
    }

    /// Some more cases by their place in the manifest, later words on one behind earlier ones; none at the end. A line that
    /// cannot be read is left out, and its case evaluated again.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the disk fails.
    pub fn next_piece(&mut self) -> Result<Vec<(usize, SiteLocal<Checkpoint>)>, VaultError> {
        let (mut cases, mut line) = (Vec::new(), Vec::new());
        while cases.len() < PIECE_CASES {
            line.clear();
            let read = (&mut self.0).take(MOST_BYTES).read_until(b'\n', &mut line);
            if read.map_err(failed("shard_read"))? == 0 {
                break;
            }
            if let Ok((place, checkpoint)) = serde_json::from_slice(&line) {
                cases.push((place, SiteLocal::new(checkpoint)));
            }
        }
        Ok(cases)
    }
}

/// Bytes of the file up to the end of its last whole line.
fn whole_lines(file: &File) -> io::Result<u64> {
    let (mut whole, mut read) = (0, 0);
    let mut lines = BufReader::new(file);
    loop {
        let bytes = lines.fill_buf()?;
        if bytes.is_empty() {
            return Ok(whole);
        }
        let count = bytes.len();
        if let Some(last) = bytes.iter().rposition(|byte| *byte == b'\n') {
            whole = read + last as u64 + 1;
        }
        read += count as u64;
        lines.consume(count);
    }
}

fn marker(path: &Path) -> PathBuf {
    path.with_extension("complete")
}

fn failed(operation: &'static str) -> impl Fn(io::Error) -> VaultError {
    let tag = VaultError::during(operation);
    move |error| tag(Error::Io(error))
}
