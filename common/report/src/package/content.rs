//! The files of a package, wherever their bytes lie: in memory, in a folder, or in an archive.
//!
//! What lies on a disk is read when it is asked for and not kept: a package of a thousand sites is larger than
//! what is known of it at any one time. How much is read of a file is bounded by what a package can have there.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use fedval_study::Sha256Digest;

use super::archive::{ArchiveError, Member, members};
use super::layout;

/// So much is read at once where a file is only walked through.
const PIECE: usize = 1 << 16;

/// Bytes of a small package.
const SMALL: u64 = 16 << 20;

/// The files of a package by path.
#[derive(Debug, Default)]
pub struct Files<'f> {
    contents: BTreeMap<String, Content<'f>>,
}

/// Where a file's bytes lie.
#[derive(Debug)]
enum Content<'f> {
    Held(Cow<'f, [u8]>),
    Whole { path: PathBuf, length: u64 },
    Stretch(Stretch),
}

/// A stretch of a file that is open.
#[derive(Debug, Clone)]
pub(crate) struct Stretch {
    file: Arc<Mutex<File>>,
    start: u64,
    length: u64,
}

/// The bytes of one file, to be read from any place.
#[derive(Debug)]
pub(crate) enum Bytes<'f> {
    Held(&'f [u8]),
    Stored(Stretch),
}

impl Files<'static> {
    /// The files of an archive that may come from anybody.
    ///
    /// # Errors
    ///
    /// [`ArchiveError`] if it is no archive, or holds what no package does: compressed, encrypted, overlapping or
    /// repeated members, folders, or too many.
    pub fn of_archive(file: File) -> Result<Self, ArchiveError> {
        let length = file.metadata()?.len();
        let whole = Stretch { file: Arc::new(Mutex::new(file)), start: 0, length };
        let found = members(&Bytes::Stored(whole.clone()))?;
        let content = |Member { name, start, length, .. }| {
            (name, Content::Stretch(Stretch { start, length, ..whole.clone() }))
        };
        Ok(Self { contents: found.into_iter().map(content).collect() })
    }

    /// Adds a file of a folder.
    pub fn add_file(&mut self, name: String, path: PathBuf, length: u64) {
        self.contents.insert(name, Content::Whole { path, length });
    }
}

impl<'f> From<&'f BTreeMap<String, Vec<u8>>> for Files<'f> {
    fn from(files: &'f BTreeMap<String, Vec<u8>>) -> Self {
        files.iter().map(|(path, bytes)| (path.clone(), Cow::Borrowed(bytes.as_slice()))).collect()
    }
}

impl<'f> FromIterator<(String, Cow<'f, [u8]>)> for Files<'f> {
    fn from_iter<I: IntoIterator<Item = (String, Cow<'f, [u8]>)>>(files: I) -> Self {
        let held = files.into_iter().map(|(path, bytes)| (path, Content::Held(bytes)));
        Self { contents: held.collect() }
    }
}

impl Files<'_> {
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.contents.keys().map(String::as_str)
    }

    /// Whether all of it is so little that nobody minds reading it.
    pub(crate) fn is_small(&self) -> bool {
        self.contents.values().map(Content::length).fold(0, u64::saturating_add) <= SMALL
    }

    /// How many bytes lie at `path`; none where it is missing.
    pub(crate) fn length(&self, path: &str) -> u64 {
        self.contents.get(path).map_or(0, Content::length)
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        self.contents.contains_key(path)
    }

    /// The bytes at `path`, not yet read; or the reason why there are none.
    pub(crate) fn open(&self, path: &str) -> Result<Bytes<'_>, String> {
        match self.contents.get(path) {
            None => Err("is missing".to_owned()),
            Some(Content::Held(bytes)) => Ok(Bytes::Held(bytes)),
            Some(Content::Stretch(stretch)) => Ok(Bytes::Stored(stretch.clone())),
            Some(Content::Whole { path, length }) => {
                let file = File::open(path).map_err(unreadable)?;
                let file = Arc::new(Mutex::new(file));
                Ok(Bytes::Stored(Stretch { file, start: 0, length: *length }))
            }
        }
    }

    /// The bytes at `path`, unless they are more than any package has there.
    ///
    /// # Errors
    ///
    /// What is wrong with them, in words that follow the path.
    pub fn read(&self, path: &str) -> Result<Cow<'_, [u8]>, String> {
        let bytes = self.open(path)?;
        if bytes.length() > layout::largest(path) {
            return Err(format!("is larger than any: {} bytes", bytes.length()));
        }
        match bytes {
            Bytes::Held(bytes) => Ok(Cow::Borrowed(bytes)),
            stored @ Bytes::Stored(_) => Ok(Cow::Owned(stored.all()?)),
        }
    }

    /// SHA-256 of the bytes at `path`.
    pub(crate) fn digest(&self, path: &str) -> Result<Sha256Digest, String> {
        match self.open(path)? {
            Bytes::Held(bytes) => Ok(Sha256Digest::of(bytes)),
            stored @ Bytes::Stored(_) => {
                let mut digest = fedval_study::digest::Digesting::default();
                stored.pieces(0, stored.length(), |piece| digest.add(piece))?;
                Ok(digest.done())
            }
        }
    }
}

impl Content<'_> {
    fn length(&self) -> u64 {
        match self {
            Self::Held(bytes) => u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            Self::Whole { length, .. } | Self::Stretch(Stretch { length, .. }) => *length,
        }
    }
}

fn unreadable(error: impl std::fmt::Display) -> String {
    format!("cannot be read: {error}")
}

impl Bytes<'_> {
    pub(crate) fn length(&self) -> u64 {
        match self {
            Self::Held(bytes) => u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            Self::Stored(stretch) => stretch.length,
        }
    }

    /// Fills `piece` from a place on.
    pub(crate) fn fill(&self, from: u64, piece: &mut [u8]) -> io::Result<()> {
        match self {
            Self::Held(bytes) => {
                let start = usize::try_from(from).unwrap_or(usize::MAX);
                let rest = bytes.get(start..).and_then(|rest| rest.get(..piece.len()));
                piece.copy_from_slice(rest.ok_or(io::ErrorKind::UnexpectedEof)?);
                Ok(())
            }
            Self::Stored(stretch) => {
                let mut file = stretch.file.lock().unwrap_or_else(PoisonError::into_inner);
                file.seek(SeekFrom::Start(stretch.start.saturating_add(from)))?;
                file.read_exact(piece)
            }
        }
    }

    /// All of them.
    pub(crate) fn all(&self) -> Result<Vec<u8>, String> {
        let length = usize::try_from(self.length()).map_err(unreadable)?;
        let mut bytes = vec![0; length];
        self.fill(0, &mut bytes).map_err(unreadable)?;
        Ok(bytes)
    }

    /// Walks through so many of them, piece by piece.
    fn pieces(&self, from: u64, length: u64, mut each: impl FnMut(&[u8])) -> Result<(), String> {
        let mut piece = vec![0; PIECE];
        let mut done = 0;
        while done < length {
            let next = usize::try_from(length - done).map_or(PIECE, |rest| rest.min(PIECE));
            self.fill(from + done, &mut piece[..next]).map_err(unreadable)?;
            each(&piece[..next]);
            done += next as u64;
        }
        Ok(())
    }

    /// Whether a stretch of these bytes is the whole of those.
    pub(crate) fn holds_at(&self, start: u64, those: &Bytes<'_>) -> Result<bool, String> {
        let (mut mine, mut is_same, mut at) = (vec![0; PIECE], true, start);
        let mut failed = Ok(());
        those.pieces(0, those.length(), |theirs| {
            let own = &mut mine[..theirs.len()];
            if is_same && failed.is_ok() {
                failed = self.fill(at, own).map_err(unreadable);
                is_same = own == theirs;
            }
            at += theirs.len() as u64;
        })?;
        failed.map(|()| is_same)
    }
}
