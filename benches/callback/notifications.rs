//! What is received: redemptions of different coupons, signed by a public key at the time where the clock stands.

#[path = "../../callback/tests/support/platform.rs"]
mod platform;

use std::error::Error;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use favor::callback::{Receiver, Recipient};
use favor::core::{ApiV3Key, Clock, FixedKeys, KeySet, PublicKey};
use http::HeaderMap;

pub(crate) const API_V3_KEY: &str = "0123456789abcdef0123456789ABCDEF";
pub(crate) const PUBLIC_KEY: &str = include_str!("../../core/tests/it/keys/public-key-public.pem");
const PRIVATE_KEY: &str = include_str!("../../core/tests/it/keys/public-key.pem");
const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_0119000001092026050100";
const NOW: i64 = 1_785_731_401;

pub(crate) struct Request {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) coupon_id: String,
}

/// So many different ones.
pub(crate) fn make(count: usize) -> Vec<Request> {
    let platform = platform::Platform::new(PRIVATE_KEY, PUBLIC_KEY_ID);
    let one = |number| {
        let coupon_id = format!("1818{number:010}");
        let text = platform::USED.replacen("18180000000001", &coupon_id, 1);
        let body = platform::body(API_V3_KEY, "COUPON.USE", &text);
        let body = body.replacen("EV-2026080300000000001", &format!("EV-2026{number:015}"), 1).into_bytes();
        Request { headers: platform.headers(NOW, &body), body, coupon_id }
    };
    (0..count).map(one).collect()
}

/// When they were signed.
pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(NOW, 0).unwrap_or_default()
}

/// A receiver for them, on the default backend.
pub(crate) fn receiver(clock: Arc<dyn Clock>) -> Result<Receiver, Box<dyn Error>> {
    let keys = KeySet::new().with_public_key(PUBLIC_KEY_ID, PublicKey::from_pem(PUBLIC_KEY)?)?;
    let merchant = Recipient::new(ApiV3Key::new(API_V3_KEY)?, Arc::new(FixedKeys::new(keys)))
        .merchant_id("1900000109".parse()?);
    Ok(Receiver::builder(merchant).clock(clock).build())
}
