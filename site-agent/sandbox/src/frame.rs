//! Frames on a pipe: eight bytes of length, little-endian, then that many bytes.

use std::io::{self, Read, Write};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// A reply that the parent could take.
#[derive(Debug)]
pub(crate) enum Reply {
    /// Its bytes.
    Frame(Vec<u8>),
    /// It announces more bytes than the limit; nothing was allocated for it.
    TooLong,
}

pub(crate) async fn send(pipe: &mut (impl AsyncWrite + Unpin), frame: &[u8]) -> io::Result<()> {
    pipe.write_all(&(frame.len() as u64).to_le_bytes()).await?;
    pipe.write_all(frame).await?;
    pipe.flush().await
}

/// Reads a reply. The child is not trusted: its announced length is held against `limit` first.
pub(crate) async fn receive(pipe: &mut (impl AsyncRead + Unpin), limit: u64) -> io::Result<Reply> {
    let length = pipe.read_u64_le().await?;
    let Some(size) = usize::try_from(length).ok().filter(|_| length <= limit) else {
        return Ok(Reply::TooLong);
    };
    let mut frame = vec![0; size];
    pipe.read_exact(&mut frame).await?;
    Ok(Reply::Frame(frame))
}

/// Reads a request in the child; `None` once the parent has closed the pipe.
///
/// The parent is trusted, and the child's memory limit is in force: the announced length is
/// believed.
pub(crate) fn next_request(pipe: &mut impl Read) -> Option<Vec<u8>> {
    let mut length = [0; 8];
    pipe.read_exact(&mut length).ok()?;
    let mut frame = vec![0; usize::try_from(u64::from_le_bytes(length)).ok()?];
    pipe.read_exact(&mut frame).ok()?;
    Some(frame)
}

/// Sends a reply from the child.
pub(crate) fn answer(pipe: &mut impl Write, frame: &[u8]) -> io::Result<()> {
    pipe.write_all(&(frame.len() as u64).to_le_bytes())?;
    pipe.write_all(frame)?;
    pipe.flush()
}
