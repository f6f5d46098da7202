//! The seam to the network: plain requests out, plain responses in.

use std::fmt;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use futures_util::stream::{BoxStream, StreamExt};
use http::{HeaderMap, StatusCode};

/// Carries one request to the platform and brings its response. Wrap one to watch or change the traffic.
///
/// A transport follows no redirect and repeats nothing: both would break the signature or the count of attempts.
pub trait Transport: fmt::Debug + Send + Sync {
    /// Carries `request`. The path and query of its URL are signed, so they must arrive byte for byte.
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>>;
}

/// A signed request. Debug shows neither URL nor headers nor body.
#[non_exhaustive]
pub struct HttpRequest {
    /// `GET`, `POST` or `PATCH`.
    pub method: http::Method,
    /// Scheme, host and port, without a slash at the end: `https://api.mch.weixin.qq.com`.
    pub base_url: String,
    /// Path and query, already encoded, as signed.
    pub path_and_query: String,
    /// All headers, the signature among them.
    pub headers: HeaderMap,
    /// The body; empty for GET.
    pub body: Bytes,
    /// How long this attempt may take as a whole, the response's body included.
    pub timeout: Duration,
}

impl HttpRequest {
    /// A request without headers and body, for whoever speaks another protocol over the same transport.
    pub fn new(method: http::Method, base_url: impl Into<String>, path_and_query: impl Into<String>) -> Self {
        Self {
            method,
            base_url: base_url.into(),
            path_and_query: path_and_query.into(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            timeout: Duration::from_secs(10),
        }
    }
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("base_url", &self.base_url)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// A response whose body may still be on its way.
#[derive(Debug)]
#[non_exhaustive]
pub struct HttpResponse {
    /// The status.
    pub status: StatusCode,
    /// All headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: ResponseBody,
}

impl HttpResponse {
    /// A response from its parts.
    pub fn new(status: StatusCode, headers: HeaderMap, body: ResponseBody) -> Self {
        Self { status, headers, body }
    }
}

/// The bytes of a response's body, as they come.
pub struct ResponseBody(BoxStream<'static, Result<Bytes, TransportError>>);

impl ResponseBody {
    /// A body from a stream of chunks.
    pub fn from_stream(
        chunks: impl futures_util::Stream<Item = Result<Bytes, TransportError>> + Send + 'static,
    ) -> Self {
        Self(chunks.boxed())
    }

    /// The next chunk, or none at the end.
    ///
    /// # Errors
    /// [`TransportError`] when the connection breaks before the end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, TransportError> {
        self.0.next().await.transpose()
    }

    /// The whole body, of at most `limit` bytes.
    ///
    /// # Errors
    /// [`TransportError`] when the connection breaks, or [`TransportFailure::TooLarge`] beyond the limit.
    pub async fn collect(mut self, limit: usize) -> Result<Bytes, TransportError> {
        let Some(first) = self.chunk().await? else {
            return Ok(Bytes::new());
        };
        check_size(first.len(), limit)?;
        let Some(second) = self.chunk().await? else {
            return Ok(first);
        };
        let mut all = BytesMut::from(first);
        let mut next = Some(second);
        while let Some(chunk) = next {
            check_size(all.len() + chunk.len(), limit)?;
            all.extend_from_slice(&chunk);
            next = self.chunk().await?;
        }
        Ok(all.freeze())
    }
}

fn check_size(size: usize, limit: usize) -> Result<(), TransportError> {
    if size <= limit { Ok(()) } else { Err(TransportError::new(TransportFailure::TooLarge)) }
}

impl From<Bytes> for ResponseBody {
    fn from(body: Bytes) -> Self {
        Self::from_stream(futures_util::stream::iter((!body.is_empty()).then_some(Ok(body))))
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResponseBody(..)")
    }
}

/// In what way an attempt failed on the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportFailure {
    /// The request could not even be put on the way; nothing was sent.
    Unsendable,
    /// No connection was made; nothing was sent.
    Connect,
    /// The time ran out. The request may have arrived.
    Timeout,
    /// The connection broke. The request may have arrived.
    Interrupted,
    /// The response is larger than allowed. The request has arrived.
    TooLarge,
}

impl TransportFailure {
    /// Whether the request surely did not arrive. Choose such a kind only when there is no doubt.
    pub fn surely_not_sent(self) -> bool {
        matches!(self, Self::Unsendable | Self::Connect)
    }
}

/// A failure on the network.
#[derive(Debug)]
pub struct TransportError {
    failure: TransportFailure,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl TransportError {
    /// A failure of this kind.
    pub fn new(failure: TransportFailure) -> Self {
        Self { failure, source: None }
    }

    /// Adds the cause. It must not print the URL, which can hold an openid.
    pub fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    pub(crate) fn into_cause(self) -> Option<Box<dyn std::error::Error + Send + Sync>> {
        self.source
    }

    /// The kind of failure.
    pub fn failure(&self) -> TransportFailure {
        self.failure
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.failure {
            TransportFailure::Unsendable => "the request cannot be sent",
            TransportFailure::Connect => "no connection could be made",
            TransportFailure::Timeout => "no complete answer came in time",
            TransportFailure::Interrupted => "the connection broke before the answer was complete",
            TransportFailure::TooLarge => "the answer is larger than allowed",
        })
    }
}

impl std::error::Error for TransportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
