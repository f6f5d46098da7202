//! A server for notifications, on axum.

#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

mod notifier;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{FromRef, State};
use axum::routing::post;
use favor::callback::{NotificationId, Payload, Receiver, Reply, Verified};

#[derive(Clone)]
struct App {
    receiver: Receiver,
    /// In a real shop a table with a unique key: this set forgets everything when the program ends.
    seen: Arc<Mutex<HashSet<NotificationId>>>,
}

impl FromRef<App> for Receiver {
    fn from_ref(app: &App) -> Self {
        app.receiver.clone()
    }
}

/// Only what was verified comes here.
async fn receive(State(app): State<App>, Verified(notification): Verified) -> Reply {
    let mut seen = app.seen.lock().unwrap_or_else(PoisonError::into_inner);
    if !seen.insert(notification.dedup_id().clone()) {
        return Reply::accepted();
    }
    match &notification.payload {
        Payload::CouponUsed(coupon) => println!("coupon {} was used", coupon.coupon_id),
        _ => println!("{}: {}", notification.event_type, notification.raw()),
    }
    Reply::accepted()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let app = App { receiver: notifier::receiver()?, seen: Arc::default() };
    let seen = app.seen.clone();
    let router = axum::Router::new().route("/wechatpay/coupons", post(receive)).with_state(app);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(async move { axum::serve(listener, router).await });

    for _ in 0..2 {
        let (status, body) = notifier::notify(address).await?;
        println!("answered {status} {body}");
        assert_eq!(status, 200);
    }
    assert_eq!(seen.lock().unwrap_or_else(PoisonError::into_inner).len(), 1, "the second one is a repeat");
    server.abort();
    Ok(())
}

#[test]
fn runs() {
    main().unwrap();
}
