//! A merchant with fixed keys, at a time that stands.

use std::sync::{Arc, LazyLock};

use chrono::{DateTime, Utc};
use favor_callback::{Notification, Receiver, Recipient, Rejection};
use favor_core::{ApiV3Key, Certificate, FixedKeys, KeySet, ManualClock, MerchantId, PublicKey};
use http::HeaderMap;
use tokio::runtime::{Builder, Runtime};

/// 2030-01-01T00:00:00Z.
pub const NOW: i64 = 1_893_456_000;
/// The merchant's APIv3 key.
pub const API_V3_KEY: &str = "0123456789abcdef0123456789ABCDEF";
pub(crate) const MERCHANT: &str = "1900000109";
pub(crate) const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_0119000001092026050100";

const PUBLIC_KEY: &str = include_str!("../../core/tests/it/keys/public-key-public.pem");
const CERTIFICATE: &str = include_str!("../keys/platform-certificate.pem");

static KEYS: LazyLock<KeySet> = LazyLock::new(|| {
    let public_key = PublicKey::from_pem(PUBLIC_KEY).expect("a test key");
    let certificate = Certificate::from_pem(CERTIFICATE).expect("a test certificate");
    let keys = KeySet::new().with_public_key(PUBLIC_KEY_ID, public_key).expect("an id");
    keys.with_certificate(certificate).expect("a certificate of its own")
});

static RECEIVER: LazyLock<Receiver> = LazyLock::new(|| {
    let key = ApiV3Key::new(API_V3_KEY).expect("32 characters");
    let recipient = Recipient::new(key, Arc::new(FixedKeys::new(KEYS.clone())));
    let recipient = recipient.merchant_id(MerchantId::new(MERCHANT).expect("digits"));
    Receiver::builder(recipient).clock(Arc::new(ManualClock::new(now()))).build()
});

thread_local! {
    static RUNTIME: Runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
}

/// The time of everything here.
pub fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(NOW, 0).expect("a time")
}

/// The platform's keys: a public key and a certificate.
pub fn keys() -> &'static KeySet {
    &KEYS
}

/// The whole incoming path, and what is done with its result.
pub fn receive(headers: &HeaderMap, body: &[u8]) -> Result<Notification, Rejection> {
    let result = RUNTIME.with(|runtime| runtime.block_on(RECEIVER.receive(headers, body)));
    match &result {
        Ok(notification) => {
            let _ = (format!("{notification:?}"), notification.dedup_id(), notification.dedup_use());
        }
        Err(rejection) => {
            let _ = format!("{rejection} {rejection:?}");
            check_answer(rejection);
        }
    }
    result
}

/// A refusal is a 4xx or 5xx, in words that the platform takes (spec §6.4), and not the sender's.
fn check_answer(rejection: &Rejection) {
    let reply = rejection.reply();
    assert!(!reply.is_accepted() && reply.status().as_u16() >= 400, "{rejection:?} is answered as good");
    let body: serde_json::Value = serde_json::from_slice(&reply.body()).expect("JSON");
    assert_eq!(body["code"], "FAIL");
    let message = body["message"].as_str().expect("a text");
    assert!(message.chars().count() <= 64 && message.is_ascii(), "{message:?}");
}
