//! The answer to a pushed message (spec §7.1).

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};

/// The answer to a pushed message. The platform waits 5 s for it and sends the message up to three times.
///
/// ```
/// use favor_card::event::Answer;
/// assert_eq!(Answer::success().body(), "success");
/// assert_eq!(Answer::try_later().status(), 503);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "the platform repeats what is not answered"]
pub struct Answer {
    status: StatusCode,
    body: Bytes,
    content_type: &'static str,
}

impl Answer {
    /// It is stored, or done.
    pub fn success() -> Self {
        Self::text("success")
    }

    /// It is good and could not be stored: 503, so that the platform sends it again.
    pub fn try_later() -> Self {
        Self::refused(StatusCode::SERVICE_UNAVAILABLE)
    }

    /// The text that the platform asked to have back when the address was set.
    pub fn echo(echostr: impl Into<Bytes>) -> Self {
        Self::text(echostr)
    }

    /// A message to the user in return, as XML: plain, or sealed by
    /// [`Receiver::seal`](crate::event::Receiver::seal).
    pub fn xml(xml: impl Into<Bytes>) -> Self {
        Self { content_type: "application/xml; charset=utf-8", ..Self::text(xml) }
    }

    fn text(body: impl Into<Bytes>) -> Self {
        Self { status: StatusCode::OK, body: body.into(), content_type: "text/plain; charset=utf-8" }
    }

    pub(crate) fn refused(status: StatusCode) -> Self {
        Self { status, ..Self::text(Bytes::new()) }
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The body.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The answer as a response, with whatever body a server wants.
    pub fn into_response<B: From<Bytes>>(self) -> Response<B> {
        let mut response = Response::new(B::from(self.body));
        *response.status_mut() = self.status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        response
    }
}
