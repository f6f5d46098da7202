//! Connections that end by plan: at once, at the next request, or never.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// How a connection ends without an answer. As an extension of a response: this response must never reach the
/// client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// It is closed.
    Cut,
    /// It is reset.
    Reset,
    /// It stays open, and nothing comes.
    Hang,
}

/// Extension of a response that goes out whole and is the last one of its connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Last(pub(crate) End);

/// What has been decided about a connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fate {
    /// Set once an answer was the last one: what the next request meets.
    next: Arc<OnceLock<End>>,
    /// Set once the socket has to be reset.
    reset: Arc<OnceLock<()>>,
}

impl Fate {
    /// What a request meets instead of an answer.
    pub(crate) fn of_next_request(&self) -> Option<End> {
        self.next.get().copied()
    }

    pub(crate) fn decide(&self, Last(end): Last) {
        self.next.get_or_init(|| end);
    }

    pub(crate) fn reset(&self) {
        self.reset.get_or_init(|| ());
    }

    fn is_reset(&self) -> bool {
        self.reset.get().is_some()
    }
}

/// A socket that closes with a reset when its fate says so.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: TcpStream,
    fate: Fate,
}

impl Socket {
    pub(crate) fn new(stream: TcpStream, fate: Fate) -> Self {
        Self { stream, fate }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.fate.is_reset() {
            // Closing then sends RST and drops what was not yet sent.
            self.stream.set_zero_linger().ok();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.fate.is_reset() {
            // A FIN now would let the client see an orderly end.
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
