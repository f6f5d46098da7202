//! The tower service: as a route of axum, and called directly.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use favor_callback::{Notification, Receiver, ReceiverLayer};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full};
use tower::{Layer, Service, ServiceExt};

use crate::world::{clock, receiver, recipient, signed, used};

fn request<B>(body: B) -> http::Request<B> {
    let mut request = http::Request::post("/coupons").body(body).unwrap();
    *request.headers_mut() = signed(used().to_string().as_bytes());
    request
}

fn good() -> http::Request<Full<Bytes>> {
    request(Full::from(used().to_string()))
}

/// Status and body of what the service answers.
async fn answer<S, B>(service: S, request: http::Request<B>) -> (u16, String)
where
    S: Service<http::Request<B>, Response = http::Response<Full<Bytes>>, Error = Infallible>,
{
    // A limit for the test itself: some of the bodies here never end.
    let response =
        tokio::time::timeout(Duration::from_secs(60), service.oneshot(request)).await.unwrap().unwrap();
    let status = response.status().as_u16();
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.headers().contains_key("allow"), status == 405);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn the_handlers_result_decides() {
    let seen = Arc::new(AtomicUsize::new(0));
    let counting = seen.clone();
    let service = receiver().service(move |notification: Notification| {
        assert_eq!(notification.id.as_str(), "EV-2026080300000000001");
        let times = counting.fetch_add(1, Ordering::SeqCst);
        async move { if times == 0 { Err(std::io::Error::other("the disk is full")) } else { Ok(()) } }
    });
    let failed = answer(service.clone(), good()).await;
    let words = "the notification could not be stored, send it again";
    assert_eq!(failed, (503, format!(r#"{{"code":"FAIL","message":"{words}"}}"#)));
    assert_eq!(answer(service.clone(), good()).await, (200, r#"{"code":"SUCCESS"}"#.into()));
    let forged = request(Full::<Bytes>::from(used().to_string() + " "));
    assert_eq!(answer(service.clone(), forged).await.0, 401);
    let mut get = good();
    *get.method_mut() = http::Method::GET;
    assert_eq!(answer(service, get).await.0, 405);
    assert_eq!(seen.load(Ordering::SeqCst), 2);
}

/// An inner service that counts how often it was asked whether it is ready.
#[derive(Clone)]
struct Inner(Arc<Mutex<Vec<&'static str>>>, bool);

impl Service<Notification> for Inner {
    type Response = ();
    type Error = &'static str;
    type Future = std::future::Ready<Result<(), &'static str>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        self.0.lock().unwrap().push("ready");
        Poll::Ready(if self.1 { Ok(()) } else { Err("closed") })
    }

    fn call(&mut self, _: Notification) -> Self::Future {
        self.0.lock().unwrap().push("call");
        std::future::ready(Ok(()))
    }
}

#[tokio::test]
async fn a_layer_in_front_of_any_service() {
    let seen = Arc::<Mutex<Vec<&str>>>::default();
    let service = ReceiverLayer::new(receiver()).layer(Inner(seen.clone(), true));
    assert_eq!(answer(service, good()).await.0, 200);
    assert_eq!(*seen.lock().unwrap(), ["ready", "call"]);
    let closed = ReceiverLayer::new(receiver()).layer(Inner(seen.clone(), false));
    assert_eq!(answer(closed, good()).await.0, 503);
    assert_eq!(*seen.lock().unwrap(), ["ready", "call", "ready"]);
}

/// A body of some good pieces and then, perhaps, an end that never comes or an error.
struct Pieces {
    left: usize,
    then: Then,
    announced: u64,
}

#[derive(Clone, Copy)]
enum Then {
    Hang,
    Break,
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        if self.left > 0 {
            self.left -= 1;
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b' '; 1000])))));
        }
        match self.then {
            Then::Hang => Poll::Pending,
            Then::Break => Poll::Ready(Some(Err(std::io::Error::other("cut")))),
        }
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = SizeHint::new();
        hint.set_lower(self.announced);
        hint
    }
}

async fn never_called(_: Notification) -> Result<(), Infallible> {
    panic!("nothing was verified")
}

#[tokio::test]
async fn bodies_that_break_hang_or_grow() {
    let clock = clock();
    let receiver = Receiver::builder(recipient()).clock(clock.clone()).largest_body(2000).build();
    let service = receiver.service(never_called);
    let send = |left, then, announced| answer(service.clone(), request(Pieces { left, then, announced }));
    assert_eq!(send(1, Then::Break, 0).await.0, 400);
    assert_eq!(send(3, Then::Hang, 0).await.0, 413);
    assert_eq!(send(0, Then::Hang, 2001).await.0, 413, "it is not waited for");
    assert_eq!(send(0, Then::Hang, u64::MAX).await.0, 413);
    let slow = tokio::spawn(send(1, Then::Hang, 0));
    clock.wait_for_sleepers(1).await;
    clock.advance(Duration::from_secs(5));
    let (status, body) = slow.await.unwrap();
    assert_eq!((status, body.contains("did not arrive whole")), (400, true));
}
