//! Connections that end by plan: at once, at the next request, or never.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use axum::response::Response;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::connection::ConnectionCut;

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
    /// Answers a request, or ends the connection: because the answer before was the last one, or because this
    /// answer must not arrive. What hangs is given up by the client, or when the mirror stops.
    pub(crate) async fn meet(
        &self,
        mut stop: watch::Receiver<bool>,
        answer: impl Future<Output = Response>,
    ) -> Result<Response, ConnectionCut> {
        let end = match self.next.get() {
            Some(end) => *end,
            None => {
                let response = answer.await;
                if let Some(Last(end)) = response.extensions().get() {
                    self.next.get_or_init(|| *end);
                }
                match response.extensions().get::<End>() {
                    Some(end) => *end,
                    None => return Ok(response),
                }
            }
        };
        match end {
            End::Cut => {}
            End::Reset => *self.reset.get_or_init(|| ()),
            End::Hang => {
                stop.wait_for(|stop| *stop).await.ok();
            }
        }
        Err(ConnectionCut)
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
