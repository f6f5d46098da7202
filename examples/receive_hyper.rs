//! A server for notifications, on hyper alone.

#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

mod notifier;

use std::convert::Infallible;

use bytes::Bytes;
use favor::callback::{Payload, Receiver, Reply};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

async fn answer(receiver: Receiver, request: Request<Incoming>) -> Reply {
    let notification = match receiver.receive_request(request).await {
        Ok(notification) => notification,
        Err(rejection) => {
            println!("refused: {rejection}");
            return rejection.reply();
        }
    };
    // Store it here, under its two keys; when that fails, answer `Reply::try_later()`.
    match &notification.payload {
        Payload::CouponUsed(coupon) => println!("coupon {} was used", coupon.coupon_id),
        _ => println!("{}: {}", notification.event_type, notification.raw()),
    }
    Reply::accepted()
}

async fn serve(listener: TcpListener, receiver: Receiver) -> std::io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let receiver = receiver.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let receiver = receiver.clone();
                async move {
                    let response: Response<Full<Bytes>> = answer(receiver, request).await.into_response();
                    Ok::<_, Infallible>(response)
                }
            });
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new());
            if let Err(error) = http.serve_connection(TokioIo::new(stream), service).await {
                println!("a connection ended: {error}");
            }
        });
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(serve(listener, notifier::receiver()?));
    let (status, body) = notifier::notify(address).await?;
    println!("answered {status} {body}");
    assert_eq!(status, 200);
    server.abort();
    Ok(())
}

#[test]
fn runs() {
    main().unwrap();
}
