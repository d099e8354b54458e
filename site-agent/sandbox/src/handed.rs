//! A file that the parent opened and handed in: what is too large to be sent through a pipe.

use std::io::{self, Read, stderr};

/// The file's bytes, from where the last read ended. Where none was handed in, there is nothing to read.
///
/// It stands in the place of standard error, to which nothing in a box is ever written: so no other
/// descriptor has to survive the start of a child.
#[derive(Debug, Clone, Copy)]
pub struct HandedFile;

impl Read for HandedFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::retry_on_intr(|| rustix::io::read(stderr(), &mut *buffer))?)
    }
}

impl HandedFile {
    /// The file's bytes from `offset` on, in bytes from its start, whatever was read before: as many as there are and
    /// `buffer` takes, and none at its end.
    ///
    /// # Errors
    ///
    /// Where nothing that has places was handed in, and what the kernel says of a disk that fails.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        Ok(rustix::io::retry_on_intr(|| rustix::io::pread(stderr(), &mut *buffer, offset))?)
    }
}
