//! The network of a worker: real sockets, with points to be killed at, and somebody in between who forges answers.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use favor::core::{HttpRequest, HttpResponse, HttpTransport, ResponseBody, Transport, TransportError};
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::point::{Point, Points};

/// Coupons of forged answers, by request number.
pub type Believed = Arc<Mutex<HashMap<String, String>>>;

#[derive(Debug)]
pub struct Network {
    inner: HttpTransport,
    points: Arc<Points>,
    /// Each such send is answered by a forger, and does not arrive; 0 is none.
    forged_each: u64,
    sends: AtomicU64,
    /// Where the coupons of all answers go, verified or not: for the sabotage that believes them.
    believed: Option<Believed>,
}

impl Network {
    pub fn new() -> Self {
        Self {
            inner: HttpTransport::new().unwrap(),
            points: Arc::default(),
            forged_each: 0,
            sends: AtomicU64::new(0),
            believed: None,
        }
    }

    pub fn points(self, points: Arc<Points>) -> Self {
        Self { points, ..self }
    }

    pub fn forged_each(self, forged_each: u64) -> Self {
        Self { forged_each, ..self }
    }

    pub fn believed(self, believed: Option<Believed>) -> Self {
        Self { believed, ..self }
    }

    async fn carry(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        if request.method != http::Method::POST || !request.path_and_query.ends_with("/coupons") {
            return self.inner.send(request).await;
        }
        let number = self.sends.fetch_add(1, Ordering::Relaxed) + 1;
        let body = request.body.clone();
        let response = if self.forged_each > 0 && number.is_multiple_of(self.forged_each) {
            forged(number)
        } else {
            let response = self.points.pass_while(Point::WhileSending, self.inner.send(request)).await?;
            self.points.pass(Point::BeforeAnswer);
            response
        };
        match &self.believed {
            Some(believed) => keep(believed, &body, response).await,
            None => Ok(response),
        }
    }
}

impl Transport for Network {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        Box::pin(self.carry(request))
    }
}

/// A coupon that does not exist, half the time with a signature that is none.
fn forged(number: u64) -> HttpResponse {
    let mut headers = HeaderMap::new();
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if number.is_multiple_of(2) {
        for (name, value) in [
            ("wechatpay-nonce", "forged"),
            ("wechatpay-timestamp", "1795000000"),
            ("wechatpay-signature", "Zm9yZ2Vk"),
            ("wechatpay-serial", "5157F09EFDC096DE15EBE81A47057A72"),
        ] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
    }
    let body = format!(r#"{{"coupon_id":"99{number:010}"}}"#);
    HttpResponse::new(StatusCode::OK, headers, ResponseBody::from(Bytes::from(body)))
}

/// Notes the coupon of an answer beside its request number.
async fn keep(
    believed: &Believed,
    request: &[u8],
    response: HttpResponse,
) -> Result<HttpResponse, TransportError> {
    let HttpResponse { status, headers, body, .. } = response;
    let body = body.collect(1 << 20).await?;
    let field = |json: &[u8], name: &str| {
        let json: serde_json::Value = serde_json::from_slice(json).ok()?;
        Some(json.get(name)?.as_str()?.to_owned())
    };
    if status == StatusCode::OK
        && let Some(number) = field(request, "out_request_no")
        && let Some(coupon) = field(&body, "coupon_id")
    {
        believed.lock().unwrap().insert(number, coupon);
    }
    Ok(HttpResponse::new(status, headers, ResponseBody::from(body)))
}
