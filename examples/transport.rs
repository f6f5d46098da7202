//! A transport of your own around the default one: here it counts bytes. Runs against an embedded mirror.

#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use favor::core::{HttpRequest, HttpResponse, HttpTransport, Transport, TransportError};
use favor::prelude::*;
use futures_util::future::BoxFuture;

#[derive(Debug)]
struct Counting {
    inner: HttpTransport,
    sent: Arc<AtomicUsize>,
}

impl Transport for Counting {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        // The request is signed: it may be looked at and passed on, but not changed.
        self.sent.fetch_add(request.body.len(), Ordering::Relaxed);
        self.inner.send(request)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mirror = favor_mirror::Mirror::builder().start().await?;
    let sent = Arc::new(AtomicUsize::new(0));
    let transport = Counting { inner: HttpTransport::new()?, sent: sent.clone() };
    let keys = PlatformKeys::download(ApiV3Key::new(&mirror.merchant().api_v3_key)?);
    let client = Client::builder(support::signer(&mirror)?, keys)
        .base_url(mirror.base_url())
        .transport(transport)
        .build()?;

    Stocks::new(&client).create(&support::stock_request(&client)?).await?;
    println!("{} bytes of bodies sent", sent.load(Ordering::Relaxed));
    mirror.shutdown().await;
    Ok(())
}

#[test]
fn runs() {
    main().unwrap();
}
