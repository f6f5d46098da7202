//! Connections that end by plan: at once, at the next request, or never.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll, Waker};

use axum::response::Response;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::connection::ConnectionCut;
use crate::lock;

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
pub(crate) struct Fate(Arc<Decided>);

#[derive(Debug, Default)]
struct Decided {
    /// Set once an answer was the last one: what the next request meets.
    next: OnceLock<End>,
    /// Set once the connection is at its end.
    ended: OnceLock<End>,
    /// Who waits for the client's next bytes.
    reader: Mutex<Option<Waker>>,
}

impl Fate {
    /// Answers a request, or ends the connection: because the answer before was the last one, or because this
    /// answer must not arrive. What hangs is given up by the client, or when the mirror stops.
    pub(crate) async fn meet(
        &self,
        mut stop: watch::Receiver<bool>,
        answer: impl Future<Output = Response>,
    ) -> Result<Response, ConnectionCut> {
        let end = match self.0.next.get() {
            Some(end) => *end,
            None => {
                let response = answer.await;
                if let Some(Last(end)) = response.extensions().get() {
                    self.0.next.get_or_init(|| *end);
                }
                match response.extensions().get::<End>() {
                    Some(end) => *end,
                    None => return Ok(response),
                }
            }
        };
        if end == End::Hang {
            stop.wait_for(|stop| *stop).await.ok();
        }
        self.0.ended.get_or_init(|| end);
        // HTTP/2 would only end the stream. It ends the connection once there is nothing more to read.
        if let Some(reader) = lock::mutex(&self.0.reader).take() {
            reader.wake();
        }
        Err(ConnectionCut)
    }

    fn ended(&self) -> Option<End> {
        self.0.ended.get().copied()
    }

    fn wake_when_ended(&self, waker: &Waker) {
        let mut reader = lock::mutex(&self.0.reader);
        if !reader.as_ref().is_some_and(|reader| reader.will_wake(waker)) {
            *reader = Some(waker.clone());
        }
    }
}

/// A socket that comes to its end when its fate says so, with a reset if need be.
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
        if self.fate.ended() == Some(End::Reset) {
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
        self.fate.wake_when_ended(context.waker());
        if self.fate.ended().is_some() {
            return Poll::Ready(Ok(()));
        }
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
        if self.fate.ended() == Some(End::Reset) {
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
