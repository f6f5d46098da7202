//! Reading a whole request, for servers.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::notification::Notification;
use crate::receiver::Receiver;
use crate::rejection::Rejection;

/// The platform gives up after this, so that a slower body is not its.
const PATIENCE: Duration = Duration::from_secs(5);

impl Receiver {
    /// Reads a request's body, no further than the cap allows, and receives it.
    ///
    /// # Errors
    /// As [`receive`](Self::receive); also when it is not a POST, or its body does not arrive whole within 5 s.
    pub async fn receive_request<B>(&self, request: Request<B>) -> Result<Notification, Rejection>
    where
        B: Body,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let (headers, body) = self.read_request(request).await?;
        self.receive(&headers, &body).await
    }

    /// A request's headers and body, when it is a POST.
    pub(crate) async fn read_request<B>(&self, request: Request<B>) -> Result<(HeaderMap, Bytes), Rejection>
    where
        B: Body,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        let body = self.read_body(&head.method, body).await?;
        Ok((head.headers, body))
    }

    /// The body of a POST.
    pub(crate) async fn read_body<B>(&self, method: &Method, body: B) -> Result<Bytes, Rejection>
    where
        B: Body,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        if method != Method::POST {
            return Err(Rejection::Method);
        }
        self.within(PATIENCE, self.read(body)).await.unwrap_or(Err(Rejection::Incomplete))
    }

    async fn read<B>(&self, body: B) -> Result<Bytes, Rejection>
    where
        B: Body,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let limit = self.largest_body();
        let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        if announced > limit {
            return Err(Rejection::TooLarge { limit });
        }
        match Limited::new(body, limit).collect().await {
            Ok(body) => Ok(body.to_bytes()),
            Err(error) if is_too_large(&*error) => Err(Rejection::TooLarge { limit }),
            Err(_) => Err(Rejection::Incomplete),
        }
    }
}

/// Whether this limit, or one that a middleware set before, was passed.
fn is_too_large(error: &(dyn Error + 'static)) -> bool {
    error.is::<LengthLimitError>() || error.source().is_some_and(is_too_large)
}
