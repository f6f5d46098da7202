//! A server that keeps notifications in an inbox, and an application that handles each of them.

#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

mod notifier;

use std::sync::Arc;

use favor::callback::{Delivery, Dispatcher, Inbox as _, Intake, NotHandled, Payload, SqliteInbox};

/// The shop's own work. It may take its time: the platform was answered when the notification was stored.
async fn handle(delivery: Delivery) -> Result<(), NotHandled> {
    match &delivery.notification.payload {
        // Work done under this id can be told apart when the process dies before it is acknowledged.
        Payload::CouponUsed(coupon) => {
            println!("{}: coupon {} was used", delivery.notification.id, coupon.coupon_id)
        }
        _ => println!("{}: nothing to do", delivery.notification.id),
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let inbox = Arc::new(SqliteInbox::open(folder.path().join("notifications.sqlite")).await?);

    // The server answers after the commit.
    let intake = Intake::new(notifier::receiver()?, inbox.clone());
    let router = axum::Router::new().route_service("/wechatpay/coupons", intake);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(async move { axum::serve(listener, router).await });

    // The platform tells of one redemption twice.
    for _ in 0..2 {
        let (status, body) = notifier::notify(address).await?;
        println!("answered {status} {body}");
    }

    // In a shop this is `run`, beside the server, until the process is to stop.
    let done = Dispatcher::new(inbox.clone()).run_until_empty(handle).await?;
    println!("{done}; {} came again", inbox.counts().await?.duplicates);
    assert_eq!((done.handled, inbox.counts().await?.duplicates), (1, 1));
    server.abort();
    inbox.close().await;
    Ok(())
}

#[test]
fn runs() {
    main().unwrap();
}
