//! The axum extractor.

use axum_core::extract::{FromRef, FromRequest, Request};
use axum_core::response::{IntoResponse, Response};

use crate::notification::Notification;
use crate::receiver::Receiver;
use crate::rejection::{Rejection, log};
use crate::reply::Reply;

/// Extracts the notification that a request carries, with a [`Receiver`] from the state. What does not verify is
/// answered at once and never reaches the handler.
///
/// ```
/// use favor_callback::{Receiver, Reply, Verified};
///
/// async fn receive(Verified(notification): Verified) -> Reply {
///     // Store it here, then:
///     println!("{}", notification.id);
///     Reply::accepted()
/// }
/// # fn router(receiver: Receiver) -> axum::Router {
/// axum::Router::new().route("/wechatpay/coupons", axum::routing::post(receive)).with_state(receiver)
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Verified(pub Notification);

impl<S> FromRequest<S> for Verified
where
    Receiver: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Rejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, Rejection> {
        Receiver::from_ref(state).receive_request(request).await.map(Self).inspect_err(log)
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        Reply::into_response(self)
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        self.reply().into_response()
    }
}
