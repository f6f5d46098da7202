//! Faults below HTTP: connections that end before, or in the middle of, a response.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame};

/// Marks a response that must never reach the client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cut;

/// The error that makes the HTTP layer drop the connection.
#[derive(Debug)]
pub(crate) struct ConnectionCut;

impl fmt::Display for ConnectionCut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a planned fault ended the connection")
    }
}

impl std::error::Error for ConnectionCut {}

/// The first half of a body, then the end of the connection.
#[derive(Debug)]
pub(crate) struct HalfBody {
    half: Option<Bytes>,
    flushed: bool,
}

impl HalfBody {
    pub(crate) fn of(body: &Bytes) -> Self {
        Self { half: Some(body.slice(..body.len() / 2)), flushed: false }
    }
}

impl Body for HalfBody {
    type Data = Bytes;
    type Error = ConnectionCut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ConnectionCut>>> {
        if let Some(half) = self.half.take() {
            return Poll::Ready(Some(Ok(Frame::data(half))));
        }
        if !self.flushed {
            // One turn for the HTTP layer to put the half on the wire before it hears of the error.
            self.flushed = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(ConnectionCut)))
    }
}
