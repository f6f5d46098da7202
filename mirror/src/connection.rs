//! Below HTTP: bodies sent in pieces, and connections that end before, or in the middle of, a response.

use std::fmt;
use std::io::Read;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame};
use tokio::sync::mpsc;

/// The error that makes the HTTP layer drop the connection.
#[derive(Debug)]
pub(crate) struct ConnectionCut;

impl fmt::Display for ConnectionCut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a planned fault ended the connection")
    }
}

impl std::error::Error for ConnectionCut {}

/// A body that is read from somewhere while it is sent.
#[derive(Debug)]
pub(crate) struct StreamedBody {
    chunks: mpsc::Receiver<Result<Bytes, ConnectionCut>>,
    /// The connection ends after the last chunk, or here already.
    cut: Option<ConnectionCut>,
    flushed: bool,
}

/// How a body is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Pace {
    /// The connection ends after this many bytes.
    pub(crate) cut_after: Option<u64>,
    /// Bytes a second; `None` is as fast as it goes.
    pub(crate) bytes_per_second: Option<u64>,
}

const CHUNK: u64 = 64 * 1024;
/// A slow body is sent in this many pieces a second.
const PIECES: u64 = 10;

impl StreamedBody {
    pub(crate) fn of(source: impl Read + Send + 'static, pace: Pace) -> Self {
        let (sender, chunks) = mpsc::channel(2);
        tokio::task::spawn_blocking(move || send(source, pace, &sender));
        Self { chunks, cut: None, flushed: false }
    }
}

/// Reads until the source, or what is wanted of it, ends; or until nobody listens any more.
fn send(source: impl Read, pace: Pace, chunks: &mpsc::Sender<Result<Bytes, ConnectionCut>>) {
    let mut source = source.take(pace.cut_after.unwrap_or(u64::MAX));
    let size = pace.bytes_per_second.map_or(CHUNK, |rate| (rate / PIECES).clamp(1, CHUNK));
    let pause =
        pace.bytes_per_second.map(|rate| Duration::from_millis(size.saturating_mul(1_000) / rate.max(1)));
    let mut buffer = vec![0; usize::try_from(size).unwrap_or(1)];
    loop {
        match source.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => {
                if chunks.blocking_send(Ok(Bytes::copy_from_slice(&buffer[..read]))).is_err() {
                    return;
                }
            }
            Err(error) => {
                tracing::error!(%error, "a file could not be read to its end");
                chunks.blocking_send(Err(ConnectionCut)).ok();
                return;
            }
        }
        if let Some(pause) = pause {
            std::thread::sleep(pause);
        }
    }
    if pace.cut_after.is_some() {
        chunks.blocking_send(Err(ConnectionCut)).ok();
    }
}

impl Body for StreamedBody {
    type Data = Bytes;
    type Error = ConnectionCut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ConnectionCut>>> {
        if self.cut.is_none() {
            match ready!(self.chunks.poll_recv(context)) {
                Some(Ok(chunk)) => return Poll::Ready(Some(Ok(Frame::data(chunk)))),
                Some(Err(cut)) => self.cut = Some(cut),
                None => return Poll::Ready(None),
            }
        }
        if !self.flushed {
            // One turn for the HTTP layer to put the rest on the wire before it hears of the error.
            self.flushed = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(ConnectionCut)))
    }
}
