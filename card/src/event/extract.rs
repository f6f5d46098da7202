//! The axum extractors.

use std::time::Duration;

use axum_core::extract::{FromRef, FromRequest, FromRequestParts, Request};
use axum_core::response::{IntoResponse, Response};
use http::Method;
use http::request::Parts;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use super::answer::Answer;
use super::receiver::{Received, Receiver};
use super::rejection::Rejection;

/// The platform gives up after this, so that a slower body is not its.
const PATIENCE: Duration = Duration::from_secs(5);

/// Extracts the message that a POST carries, with a [`Receiver`] from the state. What does not hold, and what came
/// before, is answered at once and never reaches the handler.
///
/// ```
/// use favor_card::event::{Answer, Pushed, Receiver, UrlCheck};
///
/// async fn receive(Pushed(received): Pushed) -> Answer {
///     // Store it here, then:
///     println!("{}", received.name);
///     received.done()
/// }
///
/// async fn check(UrlCheck(answer): UrlCheck) -> Answer {
///     answer
/// }
/// # fn router(receiver: Receiver) -> axum::Router {
/// axum::Router::new().route("/wechat", axum::routing::get(check).post(receive)).with_state(receiver)
/// # }
/// ```
#[derive(Debug)]
pub struct Pushed(pub Received);

impl<S> FromRequest<S> for Pushed
where
    Receiver: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Rejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, Rejection> {
        let receiver = Receiver::from_ref(state);
        let (head, body) = request.into_parts();
        if head.method != Method::POST {
            return Err(Rejection::Method);
        }
        let limit = receiver.limit();
        let body = match tokio::time::timeout(PATIENCE, Limited::new(body, limit).collect()).await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(Rejection::TooLarge { limit }),
            Ok(Err(_)) | Err(_) => return Err(Rejection::Interrupted),
        };
        let received = receiver.receive(head.uri.query().unwrap_or_default(), &body);
        received
            .map(Self)
            .inspect_err(|rejection| tracing::info!(%rejection, "a pushed message is not taken"))
    }
}

/// Extracts the answer to the GET by which the platform checks a new address.
#[derive(Debug)]
pub struct UrlCheck(pub Answer);

impl<S> FromRequestParts<S> for UrlCheck
where
    Receiver: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        Receiver::from_ref(state).verify_url(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        Answer::into_response(self)
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        self.answer().into_response()
    }
}
