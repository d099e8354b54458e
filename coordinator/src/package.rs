//! A package on its way to people: its files shared by all who read them, the archive put together as it goes.

use std::collections::BTreeMap;

use axum::body::Bytes;
use fedval_report::{ARCHIVE, Archive, Package, Piece};

/// The files of a package.
#[derive(Debug)]
pub(crate) struct Shared {
    files: BTreeMap<String, Bytes>,
    archive: Archive,
}

impl From<Package> for Shared {
    fn from(package: Package) -> Self {
        let (files, archive) = package.into_parts();
        let files = files.into_iter().map(|(path, bytes)| (path, Bytes::from(bytes)));
        Self { files: files.collect(), archive }
    }
}

impl Shared {
    /// Where there is a file, the archive last.
    pub(crate) fn paths(&self) -> Vec<String> {
        self.files.keys().cloned().chain([ARCHIVE.to_owned()]).collect()
    }

    /// The file at `path`, in pieces that follow each other; none where there is no such file.
    pub(crate) fn pieces(&self, path: &str) -> Vec<Bytes> {
        if path == ARCHIVE {
            return self.archive.pieces().map(|piece| self.bytes(piece)).collect();
        }
        self.files.get(path).cloned().into_iter().collect()
    }

    fn bytes(&self, piece: Piece<'_>) -> Bytes {
        match piece {
            Piece::Bytes(bytes) => Bytes::copy_from_slice(bytes),
            Piece::File(path) => self.files.get(path).cloned().unwrap_or_default(),
        }
    }
}
