//! The tower service and its layer.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;
use tower_layer::Layer;
use tower_service::Service;

use crate::intake::Intake;
use crate::notification::Notification;
use crate::receiver::Receiver;
use crate::rejection::log;
use crate::reply::Reply;

type BoxError = Box<dyn Error + Send + Sync>;

impl Receiver {
    /// A tower service that hands each verified notification to `handler`, accepts it when that succeeds, and
    /// asks for a repeat when that fails.
    ///
    /// The handler should store the notification and no more: the platform waits 5 s, and a server may drop the
    /// handler half way when the platform hangs up.
    ///
    /// ```
    /// # fn service(receiver: favor_callback::Receiver) -> impl Sized {
    /// receiver.service(async |notification| {
    ///     println!("{}", notification.id);
    ///     Ok::<(), std::io::Error>(())
    /// })
    /// # }
    /// ```
    pub fn service<F, Fut, E>(&self, handler: F) -> NotificationService<Handler<F>>
    where
        F: Fn(Notification) -> Fut,
        Fut: Future<Output = Result<(), E>>,
    {
        NotificationService { receiver: self.clone(), inner: Handler(handler) }
    }
}

/// Puts verification in front of a service of notifications. See also [`Receiver::service`].
#[derive(Clone, Debug)]
pub struct ReceiverLayer {
    receiver: Receiver,
}

impl ReceiverLayer {
    /// Verifies with `receiver`.
    pub fn new(receiver: Receiver) -> Self {
        Self { receiver }
    }
}

impl<S> Layer<S> for ReceiverLayer {
    type Service = NotificationService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        NotificationService { receiver: self.receiver.clone(), inner }
    }
}

/// A service of requests in front of one of notifications. It always answers: accepted after the inner service
/// succeeded, 503 after it failed, else what the [`Rejection`](crate::Rejection) says; 405 for anything but POST.
#[derive(Clone, Debug)]
pub struct NotificationService<S> {
    receiver: Receiver,
    inner: S,
}

impl<S, B> Service<Request<B>> for NotificationService<S>
where
    S: Service<Notification, Response = ()> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    /// Always: whether the inner service is ready matters only once a notification is verified.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let Self { receiver, inner } = self.clone();
        Box::pin(async move {
            let reply = match receiver.receive_request(request).await {
                Ok(notification) => hand_over(inner, notification).await,
                Err(rejection) => {
                    log(&rejection);
                    rejection.reply()
                }
            };
            Ok(reply.into_response())
        })
    }
}

async fn hand_over<S>(mut inner: S, notification: Notification) -> Reply
where
    S: Service<Notification, Response = ()>,
    S::Error: Into<BoxError>,
{
    let id = notification.id.clone();
    let handled = async {
        poll_fn(|context| inner.poll_ready(context)).await.map_err(Into::into)?;
        inner.call(notification).await.map_err(Into::into)
    };
    let handled: Result<(), BoxError> = handled.await;
    match handled {
        Ok(()) => Reply::accepted(),
        Err(error) => {
            tracing::error!(%id, error, "a notification could not be handled and will come again");
            Reply::try_later()
        }
    }
}

/// A function as a service of notifications.
#[derive(Clone)]
pub struct Handler<F>(F);

impl<F, Fut, E> Service<Notification> for Handler<F>
where
    F: Fn(Notification) -> Fut,
    Fut: Future<Output = Result<(), E>>,
{
    type Response = ();
    type Error = E;
    type Future = Fut;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), E>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, notification: Notification) -> Fut {
        (self.0)(notification)
    }
}

impl<F> fmt::Debug for Handler<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handler(..)")
    }
}

/// Always answers: accepted after the notification is stored, 503 when it cannot be, else what the
/// [`Rejection`](crate::Rejection) says; 405 for anything but POST.
impl<B> Service<Request<B>> for Intake
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let intake = self.clone();
        // Only what is needed goes into the future: large ones are slow to make.
        let (head, body) = request.into_parts();
        let (method, headers) = (head.method, head.headers);
        Box::pin(async move { Ok(intake.take_body(&method, &headers, body).await.into_response()) })
    }
}
