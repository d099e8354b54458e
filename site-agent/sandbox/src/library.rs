//! A shared library that a child loads before it gives up its rights.
//!
//! Whoever could still write to the file could change what was compared with a digest after it was
//! compared, and even after it was mapped. So a box never loads a file: it loads a copy in memory that
//! nobody can change any more, and every box maps the same pages of it.

use std::fs::File;
use std::io::{self, Read, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

/// So much is copied at a time.
const PIECE_BYTES: u64 = 256 << 10;

/// The bytes of a shared library, which nobody can change any more, and what it is told by its environment.
#[derive(Debug, Clone)]
pub struct SealedLibrary {
    memory: Arc<OwnedFd>,
    environment: &'static [(&'static str, &'static str)],
}

impl SealedLibrary {
    /// Copies `from` to its end and seals the copy. `seen` is shown every piece that was copied, in order.
    ///
    /// # Errors
    ///
    /// The system's, and [`io::ErrorKind::FileTooLarge`] for more than `most_bytes`.
    pub fn copy_of(
        from: impl Read,
        most_bytes: u64,
        mut seen: impl FnMut(&[u8]),
    ) -> io::Result<Self> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let mut copy = File::from(memfd_create("library", flags)?);
        // One byte more than there may be shows that there are too many.
        let mut from = from.take(most_bytes.saturating_add(1));
        let (mut piece, mut copied) = (Vec::new(), 0);
        loop {
            piece.clear();
            let read = from.by_ref().take(PIECE_BYTES).read_to_end(&mut piece)?;
            if read == 0 {
                break;
            }
            copied += read as u64;
            if copied > most_bytes {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            copy.write_all(&piece)?;
            seen(&piece);
        }
        fcntl_add_seals(
            &copy,
            SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL,
        )?;
        Ok(Self { memory: Arc::new(copy.into()), environment: &[] })
    }

    /// Variables that a child with this library has beside the allocator's.
    #[must_use]
    pub fn with_environment(self, environment: &'static [(&'static str, &'static str)]) -> Self {
        Self { environment, ..self }
    }

    pub(crate) fn environment(&self) -> impl Iterator<Item = (&'static str, &'static str)> + use<> {
        self.environment.iter().copied()
    }

    /// A descriptor that a child inherits under the same number.
    pub(crate) fn inheritable(&self) -> io::Result<Inheritable> {
        Ok(Inheritable(rustix::io::dup(&*self.memory)?))
    }
}

/// Open until the child was started.
pub(crate) struct Inheritable(OwnedFd);

impl Inheritable {
    /// What the child opens: its own descriptor, through the kernel.
    pub(crate) fn path(&self) -> PathBuf {
        format!("/proc/self/fd/{}", self.0.as_raw_fd()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_whole_and_nobody_can_change_it() {
        let library: Vec<u8> = (0..=255).cycle().take(600_000).collect();
        let mut seen: Vec<u8> = Vec::new();
        let sealed = SealedLibrary::copy_of(&library[..], 600_000, |piece| seen.extend(piece));
        let sealed = sealed.unwrap();
        assert_eq!(seen, library);
        let path = sealed.inheritable().unwrap();
        assert_eq!(std::fs::read(path.path()).unwrap(), library);
        let written = rustix::io::pwrite(&*sealed.memory, b"x", 0);
        assert_eq!(written, Err(rustix::io::Errno::PERM));
        assert!(rustix::fs::ftruncate(&*sealed.memory, 10).is_err());
        // No writable mapping, no seal taken back, and no second writer by its name.
        assert!(fcntl_add_seals(&*sealed.memory, SealFlags::WRITE).is_err());
        let again = File::options().write(true).open(path.path());
        assert!(again.is_err() || again.unwrap().write_all(b"x").is_err());
        assert_eq!(std::fs::read(path.path()).unwrap(), library);
    }

    #[test]
    fn no_more_is_copied_than_is_allowed() {
        let copy = |most| SealedLibrary::copy_of(io::repeat(7).take(1000), most, |_| {});
        assert!(copy(1000).is_ok());
        assert_eq!(copy(999).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        let endless = SealedLibrary::copy_of(io::repeat(7), 1 << 20, |_| {});
        assert_eq!(endless.unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }
}
