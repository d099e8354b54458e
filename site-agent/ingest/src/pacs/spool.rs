//! Where the files of a series lie between the PACS and the box: sealed, in a file without a name.
//!
//! A slice's place is known only when all were looked at, and a series is larger than what a lane may hold in
//! memory. The file has no name from the start, so that it is gone with this process however that ends; and what
//! the disk may keep of it is sealed under a key that is nowhere but in this process's memory (AES-256-GCM,
//! NIST SP 800-38D).

use std::fmt;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use fedval_ambient::{Entropy as _, OsEntropy};
use tokio::task::spawn_blocking;

use super::PacsError;

/// Bytes that stay free on the disk: the agent's own records go on where a series has no room.
const RESERVE_BYTES: u64 = 256 << 20;

/// Files of one series that came in any order, and are read in any other.
pub struct Spool {
    /// UID of the series.
    series: String,
    file: File,
    key: LessSafeKey,
    /// In the order of their names.
    kept: Vec<Kept>,
    /// That are taken up on the disk, and that stay free there.
    bytes: u64,
    reserve: u64,
}

/// One file.
struct Kept {
    name: String,
    /// Where it begins, and how long it is with its seal.
    start: u64,
    length: usize,
}

impl fmt::Debug for Spool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Spool(..)")
    }
}

impl Spool {
    /// An empty one for the series with this UID, below `folder`, with a key of its own. Where the disk is as good as
    /// full there is none, before anything is fetched.
    pub(super) async fn of_series(series: &str, folder: PathBuf) -> Result<Self, PacsError> {
        Self::leaving(RESERVE_BYTES, series, folder).await
    }

    async fn leaving(reserve: u64, series: &str, folder: PathBuf) -> Result<Self, PacsError> {
        let opened = aside(move || tempfile::tempfile_in(folder)).await;
        let file = opened.map_err(|_| PacsError::SeriesNotKept)?;
        let key = UnboundKey::new(&AES_256_GCM, &OsEntropy.bytes32());
        let key = LessSafeKey::new(key.map_err(|_| PacsError::SeriesNotKept)?);
        let (series, kept) = (series.to_owned(), Vec::new());
        let spool = Self { series, file, key, kept, bytes: 0, reserve };
        if spool.has_room(0) { Ok(spool) } else { Err(PacsError::SeriesNotKept) }
    }

    /// Whether so many bytes may be written.
    fn has_room(&self, bytes: usize) -> bool {
        let needed = self.reserve.saturating_add(bytes as u64);
        let disk = rustix::fs::fstatvfs(&self.file);
        disk.is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) >= needed)
    }

    /// The same with one more file, of which nothing is held in memory then. No two have the same name.
    pub(super) async fn with(mut self, name: &str, mut file: Vec<u8>) -> Result<Self, PacsError> {
        let name = name.to_owned();
        let kept = aside(move || {
            if !self.has_room(file.len()) {
                return None;
            }
            let (start, nonce) = (self.bytes, nonce(self.bytes));
            let sealed = self.key.seal_in_place_append_tag(nonce, Aad::empty(), &mut file);
            sealed.ok()?;
            self.file.write_all_at(&file, start).ok()?;
            let place = self.kept.partition_point(|other| other.name < name);
            self.kept.insert(place, Kept { name, start, length: file.len() });
            self.bytes += file.len() as u64;
            Some(self)
        });
        kept.await.ok_or(PacsError::SeriesNotKept)
    }

    /// Bytes of all files, with their seals.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// UID of the series that was asked for. What the files say of it themselves was not looked at.
    #[must_use]
    pub fn series(&self) -> &str {
        &self.series
    }

    /// How many files there are.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.kept.len()
    }

    /// The file at a place in the order of their names, from 0; waits for the disk.
    ///
    /// # Errors
    ///
    /// [`PacsError::SeriesNotKept`] if there is none, or not as it was put there.
    pub fn read(&self, place: usize) -> Result<Vec<u8>, PacsError> {
        self.opened(place).ok_or(PacsError::SeriesNotKept)
    }

    fn opened(&self, place: usize) -> Option<Vec<u8>> {
        let Kept { start, length, .. } = self.kept.get(place)?;
        let mut bytes = vec![0; *length];
        self.file.read_exact_at(&mut bytes, *start).ok()?;
        let opened = self.key.open_in_place(nonce(*start), Aad::empty(), &mut bytes).ok()?;
        let length = opened.len();
        bytes.truncate(length);
        Some(bytes)
    }
}

/// Each place of a file is written once, a seal is longer than nothing, and no two spools share a key.
fn nonce(start: u64) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    let (number, _) = nonce.split_at_mut(size_of::<u64>());
    number.copy_from_slice(&start.to_le_bytes());
    Nonce::assume_unique_for_key(nonce)
}

/// Does what waits for a disk where that holds nobody up.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read as _;

    use super::*;

    #[tokio::test]
    async fn files_come_back_in_any_order_and_nothing_of_them_has_a_name_or_can_be_read() {
        let folder = tempfile::TempDir::new().unwrap();
        let files: Vec<Vec<u8>> =
            [0, 1, 5000].map(|length| b"ZZCANARY^PATIENT ".repeat(length)).to_vec();
        let mut spool = Spool::of_series("1.2", folder.path().to_owned()).await.unwrap();
        // The last comes first.
        for (place, file) in files.iter().enumerate().rev() {
            spool = spool.with(&format!("1.2.{place}"), file.clone()).await.unwrap();
        }
        assert_eq!((spool.series(), spool.count()), ("1.2", 3));
        for place in [2, 0, 1, 2] {
            assert_eq!(spool.read(place), Ok(files[place].clone()), "{place}");
        }
        assert_eq!(spool.read(3), Err(PacsError::SeriesNotKept));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "there is no name");
        let mut disk = Vec::new();
        (&spool.file).read_to_end(&mut disk).unwrap();
        assert_eq!(disk.len() as u64, spool.bytes());
        assert!(!disk.windows(6).any(|window| window == b"CANARY"));
    }

    #[tokio::test]
    async fn what_was_changed_on_the_disk_is_not_handed_out() {
        let mut spool = Spool::of_series("1.2", std::env::temp_dir()).await.unwrap();
        for name in ["one", "two"] {
            spool = spool.with(name, name.as_bytes().to_vec()).await.unwrap();
        }
        spool.file.write_all_at(b"!", 1).unwrap();
        assert_eq!(spool.read(0), Err(PacsError::SeriesNotKept));
        assert_eq!(spool.read(1), Ok(b"two".to_vec()));
    }

    #[tokio::test]
    async fn a_disk_is_not_filled_to_its_end() {
        let folder = std::env::temp_dir;
        let free = {
            let disk = rustix::fs::statvfs(folder().as_path()).unwrap();
            disk.f_bavail.saturating_mul(disk.f_frsize)
        };
        let full = Spool::leaving(u64::MAX, "1.2", folder()).await.err();
        assert_eq!(full, Some(PacsError::SeriesNotKept), "nothing is fetched for it");
        let spool = Spool::leaving(free / 2, "1.2", folder()).await.unwrap();
        let spool = spool.with("1", vec![1; 100]).await.unwrap();
        assert_eq!(spool.read(0), Ok(vec![1; 100]));
        let filling = Spool { reserve: u64::MAX - 10, ..spool };
        assert_eq!(filling.with("2", vec![1; 100]).await.err(), Some(PacsError::SeriesNotKept));
    }

    #[tokio::test]
    async fn a_folder_that_is_not_there_keeps_nothing() {
        let folder = tempfile::TempDir::new().unwrap().path().join("gone");
        let refused = Spool::of_series("1.2", folder).await.err();
        assert_eq!(refused, Some(PacsError::SeriesNotKept));
    }
}
