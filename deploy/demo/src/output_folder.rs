//! The folder that holds everything a run makes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::DemoError;

/// Marks a folder as one that the demo made, and may therefore remove.
const MARKER: &str = ".made-by-fedval-demo";

/// The folder of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputFolder {
    path: PathBuf,
}

impl OutputFolder {
    /// Makes the folder anew; that of an earlier run is removed first.
    ///
    /// # Errors
    ///
    /// [`DemoError::NotOurs`] for a folder with content that no earlier run made.
    pub fn create(path: &Path) -> Result<Self, DemoError> {
        let io_error = |source| DemoError::Io { path: path.to_owned(), source };
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(io_error(error)),
            Ok(found) if !found.is_dir() => {
                return Err(DemoError::NotOurs { path: path.to_owned() });
            }
            Ok(_) => {
                let is_empty = fs::read_dir(path).map_err(io_error)?.next().is_none();
                if !is_empty && !path.join(MARKER).is_file() {
                    return Err(DemoError::NotOurs { path: path.to_owned() });
                }
                fs::remove_dir_all(path).map_err(io_error)?;
            }
        }
        fs::create_dir_all(path).map_err(io_error)?;
        fs::write(path.join(MARKER), "Removed and made again by every run.\n").map_err(io_error)?;
        Ok(Self { path: path.to_owned() })
    }

    /// A path below the folder.
    #[must_use]
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Makes a folder below the folder.
    ///
    /// # Errors
    ///
    /// [`DemoError::Io`].
    pub fn folder(&self, name: &str) -> Result<PathBuf, DemoError> {
        let path = self.join(name);
        fs::create_dir_all(&path).map_err(|source| DemoError::Io { path: path.clone(), source })?;
        Ok(path)
    }

    /// Writes a file below the folder.
    ///
    /// # Errors
    ///
    /// [`DemoError::Io`].
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, DemoError> {
        let path = self.join(name);
        fs::write(&path, bytes).map_err(|source| DemoError::Io { path: path.clone(), source })?;
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_an_earlier_run_is_made_anew() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("demo");
        let folder = OutputFolder::create(&path).unwrap();
        folder.write("old", b"1").unwrap();
        let folder = OutputFolder::create(&path).unwrap();
        assert!(!folder.join("old").exists());
    }

    #[test]
    fn a_folder_of_somebody_else_is_left_alone() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("thesis");
        fs::write(&file, "years of work").unwrap();
        let refused = OutputFolder::create(place.path());
        assert!(matches!(refused, Err(DemoError::NotOurs { .. })));
        assert!(matches!(OutputFolder::create(&file), Err(DemoError::NotOurs { .. })));
        assert!(file.exists());
    }
}
