//! Frames on a pipe: eight bytes of length, little-endian, then that many bytes.

use std::io::{self, IoSlice, Read, Write};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// A reply that the parent could take.
#[derive(Debug)]
pub(crate) enum Received {
    /// Its bytes.
    Frame(Vec<u8>),
    /// It announces more bytes than the limit; nothing was allocated for it.
    TooLong,
}

/// Sends `parts` as one frame, without copying them together.
///
/// The length goes out with the first bytes: alone it would wake the reader for nothing.
pub(crate) async fn send(pipe: &mut (impl AsyncWrite + Unpin), parts: &[&[u8]]) -> io::Result<()> {
    let length = length_of(parts);
    let mut slices = slices(&length, parts);
    let mut unsent = &mut slices[..];
    while !unsent.is_empty() {
        let sent = pipe.write_vectored(unsent).await?;
        unsent = advance(unsent, sent)?;
    }
    pipe.flush().await
}

/// Reads a reply. The child is not trusted: its announced length is held against `limit` first.
pub(crate) async fn receive(
    pipe: &mut (impl AsyncRead + Unpin),
    limit: u64,
) -> io::Result<Received> {
    let length = pipe.read_u64_le().await?;
    let Some(size) = usize::try_from(length).ok().filter(|_| length <= limit) else {
        return Ok(Received::TooLong);
    };
    let mut frame = Vec::with_capacity(size);
    if pipe.take(length).read_to_end(&mut frame).await? < size {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Received::Frame(frame))
}

/// Reads a request in the child into `frame`; `None` once the parent has closed the pipe.
///
/// The parent is trusted, and the child's memory limit is in force: the announced length is
/// believed.
pub(crate) fn next_request(pipe: &mut impl Read, frame: &mut Vec<u8>) -> Option<()> {
    let mut length = [0; 8];
    pipe.read_exact(&mut length).ok()?;
    frame.resize(usize::try_from(u64::from_le_bytes(length)).ok()?, 0);
    pipe.read_exact(frame).ok()
}

/// Sends the parts of a reply from the child as one frame.
pub(crate) fn answer(pipe: &mut impl Write, parts: &[&[u8]]) -> io::Result<()> {
    let length = length_of(parts);
    let mut slices = slices(&length, parts);
    let mut unsent = &mut slices[..];
    while !unsent.is_empty() {
        let sent = pipe.write_vectored(unsent)?;
        unsent = advance(unsent, sent)?;
    }
    Ok(())
}

fn length_of(parts: &[&[u8]]) -> [u8; 8] {
    parts.iter().map(|part| part.len() as u64).sum::<u64>().to_le_bytes()
}

fn slices<'b>(length: &'b [u8], parts: &[&'b [u8]]) -> Vec<IoSlice<'b>> {
    std::iter::once(length).chain(parts.iter().copied()).map(IoSlice::new).collect()
}

/// What of `unsent` is not on its way yet.
fn advance<'f, 'b>(
    mut unsent: &'f mut [IoSlice<'b>],
    sent: usize,
) -> io::Result<&'f mut [IoSlice<'b>]> {
    if sent == 0 {
        return Err(io::ErrorKind::WriteZero.into());
    }
    IoSlice::advance_slices(&mut unsent, sent);
    Ok(unsent)
}
