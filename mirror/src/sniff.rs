//! Looking at the first byte of a stream: TLS and HTTP share the mirror's one port.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};

/// A TLS record of type "handshake" begins with this.
const TLS_HANDSHAKE: u8 = 0x16;

/// A stream whose first byte is known. Reading begins with that byte.
#[derive(Debug)]
pub(crate) struct Sniffed<S> {
    first: u8,
    is_read: bool,
    inner: S,
}

impl<S: AsyncRead + Unpin> Sniffed<S> {
    /// Waits for the first byte.
    pub(crate) async fn of(mut inner: S) -> io::Result<Self> {
        let first = inner.read_u8().await?;
        Ok(Self { first, is_read: false, inner })
    }

    pub(crate) fn begins_tls(&self) -> bool {
        self.first == TLS_HANDSHAKE
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Sniffed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_read || buffer.remaining() == 0 {
            return Pin::new(&mut self.inner).poll_read(context, buffer);
        }
        buffer.put_slice(&[self.first]);
        self.is_read = true;
        if buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        // The rest is mostly there too.
        match Pin::new(&mut self.inner).poll_read(context, buffer) {
            Poll::Pending => Poll::Ready(Ok(())),
            ready => ready,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Sniffed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt as _;

    #[tokio::test]
    async fn nothing_is_lost_or_doubled() {
        let (mut far, near) = tokio::io::duplex(64);
        far.write_all(b"\x16\x03hello").await.unwrap();
        let mut sniffed = Sniffed::of(near).await.unwrap();
        assert!(sniffed.begins_tls());
        let mut first = [0];
        sniffed.read_exact(&mut first).await.unwrap();
        far.write_all(b" there").await.unwrap();
        drop(far);
        let mut rest = Vec::new();
        sniffed.read_to_end(&mut rest).await.unwrap();
        assert_eq!((first[0], rest.as_slice()), (0x16, b"\x03hello there".as_slice()));
    }

    #[tokio::test]
    async fn an_empty_stream_is_an_error() {
        let (far, near) = tokio::io::duplex(64);
        drop(far);
        assert_eq!(Sniffed::of(near).await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
