//! A stream that remembers how the other side began, because a web page is best known by its bytes.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Enough to know a web page by.
const REMEMBERED: usize = 64;

/// The first bytes that were read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Opening(Arc<Mutex<Vec<u8>>>);

impl Opening {
    /// Whether they are those of a web page or of an answer in HTTP/1.
    pub(crate) fn is_a_page(&self) -> bool {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = bytes.trim_ascii_start();
        text.starts_with(b"HTTP/") || text.starts_with(b"<")
    }

    /// Remembers; whether that was enough.
    fn take(&self, bytes: &[u8]) -> bool {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = REMEMBERED.saturating_sub(kept.len());
        kept.extend(bytes.iter().take(missing));
        kept.len() >= REMEMBERED
    }
}

/// The stream.
#[derive(Debug)]
pub(crate) struct FirstBytes<S> {
    inner: S,
    opening: Opening,
    is_over: bool,
}

impl<S> FirstBytes<S> {
    pub(crate) fn of(inner: S) -> (Self, Opening) {
        let opening = Opening::default();
        (Self { inner, opening: opening.clone(), is_over: false }, opening)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for FirstBytes<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let polled = Pin::new(&mut this.inner).poll_read(cx, buf);
        if !this.is_over {
            this.is_over = this.opening.take(&buf.filled()[before..]);
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for FirstBytes<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}
