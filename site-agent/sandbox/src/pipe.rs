//! The child's two pipes, as it and its parent use them.

use std::io::{self, IoSlice, Write};
use std::os::fd::AsFd;

use rustix::pipe::fcntl_setpipe_size;

/// Bytes that a pipe holds: as much as the kernel grants everybody.
///
/// A radiograph as numbers has a quarter of a million: in a pipe of the usual 64 KiB, writer and
/// reader would wake each other for every piece.
const PIPE_BYTES: usize = 1 << 20;

/// Lets `pipe` hold more, where the kernel agrees; a user with many pipes gets no more.
pub(crate) fn widen(pipe: impl AsFd) {
    let _ = fcntl_setpipe_size(pipe, PIPE_BYTES);
}

/// Standard output without the line buffer of [`std::io::Stdout`], which would cut a frame of
/// numbers wherever one looks like the end of a line.
#[derive(Debug)]
pub(crate) struct Replies;

impl Write for Replies {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        Ok(rustix::io::retry_on_intr(|| rustix::io::writev(io::stdout(), slices))?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
