//! A file that is being fetched: what is there of it, hashed as it comes.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use fedval_study::Sha256Digest;
use sha2::{Digest as _, Sha256};
use tonic::codegen::Bytes;

use crate::EgressError;

/// What has arrived is hashed and written in pieces of this size: a turn to the threads that may wait
/// for a disk costs more than a message.
const PIECE_BYTES: usize = 1 << 20;

/// Where what has arrived of `file` lies until it is whole.
#[must_use]
pub fn part_of(file: &Path) -> PathBuf {
    file.with_extension("part")
}

/// A half-fetched file. What arrived and was not written when it is dropped is fetched again.
#[derive(Debug)]
pub(crate) struct PartFile {
    path: PathBuf,
    /// `None` only while a piece of it is being written.
    written: Option<Written>,
    waiting: Vec<Bytes>,
    waiting_bytes: usize,
    bytes: u64,
}

/// What is on the disk.
#[derive(Debug)]
struct Written {
    file: File,
    hash: Sha256,
}

impl PartFile {
    /// Opens what an earlier attempt left, or an empty file.
    pub(crate) async fn open(path: &Path) -> Result<Self, EgressError> {
        let part = path.to_path_buf();
        let (written, bytes) = blocking(move || resume(&part)).await?;
        let path = path.to_path_buf();
        Ok(Self { path, written: Some(written), waiting: Vec::new(), waiting_bytes: 0, bytes })
    }

    /// How much of the file has arrived.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes the next bytes.
    pub(crate) async fn append(&mut self, data: Bytes) -> Result<(), EgressError> {
        self.bytes += data.len() as u64;
        self.waiting_bytes += data.len();
        self.waiting.push(data);
        if self.waiting_bytes < PIECE_BYTES { Ok(()) } else { self.write().await }
    }

    /// Writes what has arrived.
    pub(crate) async fn write(&mut self) -> Result<(), EgressError> {
        let pieces = std::mem::take(&mut self.waiting);
        self.waiting_bytes = 0;
        let Some(mut written) = self.written.take() else { return Err(lost()) };
        let written = blocking(move || {
            for piece in pieces {
                written.hash.update(&piece);
                written.file.write_all(&piece)?;
            }
            Ok(written)
        });
        self.written = Some(written.await?);
        Ok(())
    }

    /// Gives the file its name, if it is whole and its digest holds. One that is short goes on later;
    /// a wrong one begins anew.
    pub(crate) fn keep_as(
        mut self,
        file: &Path,
        digest: &Sha256Digest,
        bytes: u64,
    ) -> Result<(), EgressError> {
        let hash = self.written.take().ok_or_else(lost)?.hash;
        let found = Sha256Digest::from_bytes(hash.finalize().into());
        if self.bytes == bytes && found == *digest {
            return fs::rename(&self.path, file).map_err(EgressError::Disk);
        }
        if self.bytes >= bytes {
            fs::remove_file(&self.path).map_err(EgressError::Disk)?;
        }
        Err(EgressError::DigestMismatch)
    }
}

fn resume(path: &Path) -> io::Result<(Written, u64)> {
    let mut file = File::options().create(true).read(true).append(true).open(path)?;
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    let mut buffer = vec![0; PIECE_BYTES.min(usize::try_from(file.metadata()?.len()).unwrap_or(0))];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((Written { file, hash }, bytes));
        }
        hash.update(&buffer[..read]);
        bytes += read as u64;
    }
}

/// A piece was being written when somebody gave up: the file on the disk knows how far it is.
fn lost() -> EgressError {
    EgressError::Disk(io::ErrorKind::Interrupted.into())
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, EgressError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(io::ErrorKind::Interrupted.into())).map_err(EgressError::Disk)
}
