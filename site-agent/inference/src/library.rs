//! ONNX Runtime's library as this site's steward pinned it.

use std::fs::File;
use std::path::Path;

use fedval_ambient::{Exit, Problem};
use fedval_sandbox::SealedLibrary;
use fedval_study::digest::{Digesting, Sha256Digest};

use crate::engine::QUIET;

/// Builds for a processor have some forty megabytes.
const MOST_BYTES: u64 = 1 << 30;

/// The library's bytes, which are the pinned ones and stay what they are: boxes load this copy, whatever
/// becomes of the file.
#[derive(Debug, Clone)]
pub struct RuntimeLibrary {
    sealed: SealedLibrary,
    digest: Sha256Digest,
}

/// Why the library cannot be used. Its path is the steward's own and is not repeated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LibraryError {
    /// The file cannot be read, or copied into memory.
    #[error("the library of the inference engine cannot be read")]
    NotRead {
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// The file is not the one that the configuration pins.
    #[error("the library of the inference engine is not the one that agent.toml pins")]
    Mismatch,
}

impl Problem for LibraryError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotRead { .. } => "ENGINE_LIBRARY_NOT_READ",
            Self::Mismatch => "ENGINE_LIBRARY_MISMATCH",
        }
    }

    fn remedy(&self) -> Option<String> {
        let text = match self {
            Self::NotRead { .. } => {
                "check `library` in [inference] of agent.toml: this user must be able to read that \
                 file; then run `fedval-agent check`"
            }
            Self::Mismatch => {
                "run `sha256sum` on the file that `library` names: if it is the release that was \
                 approved here, write its digest as `library_sha256`; otherwise install that release"
            }
        };
        Some(text.to_owned())
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

impl RuntimeLibrary {
    /// Copies the file `library` and compares the copy.
    ///
    /// # Errors
    ///
    /// See [`LibraryError`].
    pub fn open(library: &Path, pinned: &Sha256Digest) -> Result<Self, LibraryError> {
        let not_read = |source| LibraryError::NotRead { source };
        let file = File::open(library).map_err(not_read)?;
        let mut digest = Digesting::default();
        let sealed = SealedLibrary::copy_of(file, MOST_BYTES, |piece| digest.add(piece));
        let sealed = sealed.map_err(not_read)?;
        let digest = digest.done();
        if digest == *pinned {
            Ok(Self { sealed: sealed.with_environment(QUIET), digest })
        } else {
            Err(LibraryError::Mismatch)
        }
    }

    pub(crate) const fn sealed(&self) -> &SealedLibrary {
        &self.sealed
    }

    pub(crate) const fn digest(&self) -> &Sha256Digest {
        &self.digest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_is_taken_only_as_it_was_pinned() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("libonnxruntime.so");
        let code = |pinned: &[u8]| {
            RuntimeLibrary::open(&file, &Sha256Digest::of(pinned)).map(drop).map_err(|e| e.code())
        };
        assert_eq!(code(b"a library"), Err("ENGINE_LIBRARY_NOT_READ"));
        std::fs::write(&file, b"a library").unwrap();
        assert_eq!(code(b"a library"), Ok(()));
        assert_eq!(code(b"another"), Err("ENGINE_LIBRARY_MISMATCH"));
        // A folder opens, and cannot be read.
        let folder = RuntimeLibrary::open(folder.path(), &Sha256Digest::of(b"")).unwrap_err();
        assert_eq!(folder.code(), "ENGINE_LIBRARY_NOT_READ");
        for error in [folder, LibraryError::Mismatch] {
            assert!(!format!("{error} {:?}", error.remedy()).contains("libonnxruntime"));
        }
    }
}
