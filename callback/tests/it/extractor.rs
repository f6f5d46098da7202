//! The axum extractor, over real sockets.

use std::sync::{Arc, Mutex};

use axum::extract::FromRef;
use axum::routing::any;
use favor_callback::{Receiver, Reply, Verified};

use crate::platform::USED;
use crate::wire::{Request, Server};
use crate::world::{recipient, sealing, signed, used};

/// A state of an application, of which the receiver is a part.
#[derive(Clone)]
struct App {
    receiver: Receiver,
    seen: Arc<Mutex<Vec<String>>>,
}

impl FromRef<App> for Receiver {
    fn from_ref(app: &App) -> Self {
        app.receiver.clone()
    }
}

async fn receive(
    axum::extract::State(app): axum::extract::State<App>,
    Verified(notification): Verified,
) -> Reply {
    if notification.event_type.as_str() == "LATER" {
        return Reply::try_later();
    }
    app.seen.lock().unwrap().push(notification.id.to_string());
    Reply::accepted()
}

async fn serve(largest_body: usize) -> (Server, Arc<Mutex<Vec<String>>>) {
    let seen = Arc::<Mutex<Vec<String>>>::default();
    let receiver =
        Receiver::builder(recipient()).clock(crate::world::clock()).largest_body(largest_body).build();
    let app = App { receiver, seen: seen.clone() };
    (Server::start(axum::Router::new().route("/coupons", any(receive)).with_state(app)).await, seen)
}

#[tokio::test]
async fn verified_notifications_reach_the_handler_and_others_are_answered() {
    let (server, seen) = serve(3 << 19).await;
    let body = used().to_string();
    let good = Request::post(&body, signed(body.as_bytes()));
    assert_eq!(server.send(&good).await, (200, r#"{"code":"SUCCESS"}"#.into()));
    assert_eq!(*seen.lock().unwrap(), ["EV-2026080300000000001"]);

    let fail = |message: &str| format!(r#"{{"code":"FAIL","message":"{message}"}}"#);
    let forged = Request { body: body.replace("用券", "用卷").into(), ..good.clone() };
    assert_eq!(server.send(&forged).await, (401, fail("the signature does not hold")));
    let unsigned = Request { headers: http::HeaderMap::new(), ..good.clone() };
    assert_eq!(server.send(&unsigned).await, (401, fail("a signature header is missing")));
    let later = sealing("LATER", USED);
    let later = Request::post(&later, signed(later.as_bytes()));
    assert_eq!(server.send(&later).await, (503, fail("the notification could not be stored, send it again")));
    for method in ["GET", "PUT", "DELETE", "OPTIONS"] {
        let other = Request { method, ..good.clone() };
        assert_eq!(server.send(&other).await, (405, fail("notifications come by POST only")), "{method}");
    }
    assert_eq!(seen.lock().unwrap().len(), 1);
}

/// Beyond axum's own 2 MB too, with a length announced and without.
#[tokio::test]
async fn the_cap_is_the_receivers() {
    let (server, seen) = serve(4 << 20).await;
    let mut body = used().to_string();
    body.push_str(&" ".repeat(3 << 20));
    let large = Request::post(&body, signed(body.as_bytes()));
    assert_eq!(server.send(&large).await.0, 200);
    assert_eq!(server.send(&Request { chunked: true, ..large }).await.0, 200);
    assert_eq!(seen.lock().unwrap().len(), 2);

    let (server, seen) = serve(1000).await;
    let body = used().to_string();
    assert!(body.len() > 1000);
    let small = Request::post(&body, signed(body.as_bytes()));
    assert_eq!(server.send(&small).await.0, 413);
    assert_eq!(server.send(&Request { chunked: true, ..small }).await.0, 413);
    assert!(seen.lock().unwrap().is_empty());
}
