//! Reads the body of a request, with a limit to its size and to its patience.

use std::time::Duration;

use axum::body::{Body, Bytes};
use bytes::BytesMut;
use http::{HeaderMap, header};
use http_body::Body as _;
use tokio::time::timeout;

use crate::rules::Rule;
use crate::rules::edge::{BODY_BROKEN, TOO_LARGE, TOO_SLOW};

/// Larger than any body an endpoint takes.
const LARGEST_BODY: usize = 4 * 1024 * 1024;
/// Of a body that is too large this much is read and thrown away, so that the client gets to see the answer: most
/// clients read none before they have sent everything.
const LARGEST_DISCARDED: usize = 64 * 1024 * 1024;

/// The whole body, or the rule that it breaks.
pub(crate) async fn read(
    headers: &HeaderMap,
    body: Body,
    patience: Duration,
) -> Result<Bytes, &'static Rule> {
    let announced = body.size_hint().lower();
    let too_large = announced > u64::try_from(LARGEST_BODY).unwrap_or(u64::MAX);
    if too_large && headers.contains_key(header::EXPECT) {
        // The client waits for a word before it sends anything.
        return Err(&TOO_LARGE);
    }
    match timeout(patience, collect(body, too_large)).await {
        Ok(collected) => collected,
        Err(_) => Err(&TOO_SLOW),
    }
}

async fn collect(mut body: Body, mut too_large: bool) -> Result<Bytes, &'static Rule> {
    let mut content = BytesMut::new();
    let mut length = 0;
    while let Some(frame) = next_frame(&mut body).await {
        let Ok(data) = frame.map_err(|_| &BODY_BROKEN)?.into_data() else {
            // Trailers mean nothing here.
            continue;
        };
        length += data.len();
        if too_large || length > LARGEST_BODY {
            too_large = true;
            content = BytesMut::new();
            if length > LARGEST_DISCARDED {
                break;
            }
        } else {
            content.extend_from_slice(&data);
        }
    }
    if too_large { Err(&TOO_LARGE) } else { Ok(content.freeze()) }
}

async fn next_frame(body: &mut Body) -> Option<Result<http_body::Frame<Bytes>, axum::Error>> {
    std::future::poll_fn(|context| std::pin::Pin::new(&mut *body).poll_frame(context)).await
}
