//! Looking for patients where none may be.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::DemoError;
use crate::hospital::CANARY;

/// What was searched without a finding.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Searched {
    /// Number of files.
    pub files: usize,
    /// Their size together.
    pub bytes: usize,
}

/// Reads every file below `folders` and looks for the text that every patient's name holds.
///
/// # Errors
///
/// [`DemoError::Leak`] with the first file that holds it.
pub(crate) fn search_for_canaries(folders: &[&Path]) -> Result<Searched, DemoError> {
    let mut searched = Searched::default();
    let mut open: Vec<PathBuf> = folders.iter().map(|&folder| folder.to_owned()).collect();
    while let Some(path) = open.pop() {
        let io_error = |source| DemoError::Io { path: path.clone(), source };
        let kind = fs::symlink_metadata(&path).map_err(io_error)?.file_type();
        if kind.is_dir() {
            for entry in fs::read_dir(&path).map_err(io_error)? {
                open.push(entry.map_err(io_error)?.path());
            }
        } else if kind.is_file() {
            let bytes = fs::read(&path).map_err(io_error)?;
            if holds_canary(&bytes) {
                return Err(DemoError::Leak { path });
            }
            searched.files += 1;
            searched.bytes += bytes.len();
        }
    }
    Ok(searched)
}

/// Whatever the case of its letters: identifiers on the wire are lower case.
fn holds_canary(bytes: &[u8]) -> bool {
    let canary = CANARY.as_bytes();
    bytes.windows(canary.len()).any(|window| window.eq_ignore_ascii_case(canary))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canary_is_found_in_any_folder_and_case() {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir(place.path().join("inner")).unwrap();
        fs::write(place.path().join("inner/clean"), b"ZZCANAR").unwrap();
        let searched = search_for_canaries(&[place.path()]).unwrap();
        assert_eq!(searched, Searched { files: 1, bytes: 7 });
        let leak = place.path().join("inner/state.db");
        fs::write(&leak, b"\0\x01zzcanary-riverside-0001").unwrap();
        let error = search_for_canaries(&[place.path()]).unwrap_err();
        assert!(matches!(error, DemoError::Leak { path } if path == leak));
    }
}
