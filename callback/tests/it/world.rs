//! Keys, a clock that stands, and receivers.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use favor_callback::{Notification, Receiver, Recipient, Rejection};
use favor_core::{
    ApiV3Key, Certificate, FixedKeys, KeySet, KeyStore, ManualClock, MerchantId, PublicKey, VerifyError,
};
use http::HeaderMap;
use rcgen::{CertificateParams, DnType, KeyPair, SerialNumber};
use serde_json::Value;

use crate::platform::{self, Platform, USED};

/// When every test begins: 2025-06-15T15:06:40Z.
pub(crate) const START: i64 = 1_750_000_000;
pub(crate) const MERCHANT: &str = "1900000109";
pub(crate) const API_V3_KEY: &str = "0123456789abcdef0123456789ABCDEF";
pub(crate) const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_0119000001092026050100";
pub(crate) const SERIAL_1: &str = "0C4A5F7700000000000000000000000000000A01";
pub(crate) const SERIAL_2: &str = "6B1D3C5E00000000000000000000000000000B02";

const PLATFORM_1: &str = include_str!("../../../core/tests/it/keys/platform-1.pem");
const PLATFORM_2: &str = include_str!("../../../core/tests/it/keys/platform-2.pem");
const PUBLIC_KEY: &str = include_str!("../../../core/tests/it/keys/public-key.pem");
const PUBLIC_KEY_PUBLIC: &str = include_str!("../../../core/tests/it/keys/public-key-public.pem");
const OTHER: &str = include_str!("../../../core/tests/it/keys/other.pem");

pub(crate) static BY_PUBLIC_KEY: LazyLock<Platform> =
    LazyLock::new(|| Platform::new(PUBLIC_KEY, PUBLIC_KEY_ID));
pub(crate) static BY_CERTIFICATE_1: LazyLock<Platform> =
    LazyLock::new(|| Platform::new(PLATFORM_1, SERIAL_1));
pub(crate) static BY_CERTIFICATE_2: LazyLock<Platform> =
    LazyLock::new(|| Platform::new(PLATFORM_2, SERIAL_2));
/// Somebody else, who names the platform's public key.
pub(crate) static FORGER: LazyLock<Platform> = LazyLock::new(|| Platform::new(OTHER, PUBLIC_KEY_ID));

pub(crate) fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(START, 0).unwrap()
}

pub(crate) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(start()))
}

pub(crate) fn api_v3_key(text: &str) -> ApiV3Key {
    ApiV3Key::new(text).unwrap()
}

pub(crate) fn merchant_id(text: &str) -> MerchantId {
    MerchantId::new(text).unwrap()
}

pub(crate) fn with_public_key(keys: KeySet) -> KeySet {
    keys.with_public_key(PUBLIC_KEY_ID, PublicKey::from_pem(PUBLIC_KEY_PUBLIC).unwrap()).unwrap()
}

/// The PEM of a platform certificate, valid from `from` to `until`, in days from the start of the test.
pub(crate) fn certificate(key: &str, serial: &str, from: i64, until: i64) -> String {
    let moment = |days: i64| {
        rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs((START + days * 86_400).unsigned_abs())
    };
    let bytes: Vec<u8> =
        (0..serial.len()).step_by(2).map(|at| u8::from_str_radix(&serial[at..at + 2], 16).unwrap()).collect();
    let mut params = CertificateParams::default();
    params.serial_number = Some(SerialNumber::from_slice(&bytes));
    params.not_before = moment(from);
    params.not_after = moment(until);
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Tenpay.com sign");
    params.self_signed(&KeyPair::from_pem(key).unwrap()).unwrap().pem()
}

pub(crate) fn certificate_1() -> String {
    certificate(PLATFORM_1, SERIAL_1, -10, 1000)
}

pub(crate) fn certificate_2() -> String {
    certificate(PLATFORM_2, SERIAL_2, -10, 1000)
}

pub(crate) fn with_certificate(keys: KeySet, pem: &str) -> KeySet {
    keys.with_certificate(Certificate::from_pem(pem).unwrap()).unwrap()
}

pub(crate) fn fixed(keys: KeySet) -> Arc<dyn KeyStore> {
    Arc::new(FixedKeys::new(keys))
}

/// A merchant with the public key alone.
pub(crate) fn recipient() -> Recipient {
    Recipient::new(api_v3_key(API_V3_KEY), fixed(with_public_key(KeySet::new())))
        .merchant_id(merchant_id(MERCHANT))
}

pub(crate) fn receiver() -> Receiver {
    Receiver::builder(recipient()).clock(clock()).build()
}

/// A good notification of a redemption.
pub(crate) fn used() -> Value {
    serde_json::from_str(&platform::body(API_V3_KEY, "COUPON.USE", USED)).unwrap()
}

/// A notification that seals `text`.
pub(crate) fn sealing(event_type: &str, text: &str) -> String {
    platform::body(API_V3_KEY, event_type, text)
}

/// Signed by the public key, now.
pub(crate) fn signed(body: &[u8]) -> HeaderMap {
    BY_PUBLIC_KEY.headers(START, body)
}

/// What becomes of a body that is signed as it stands.
pub(crate) async fn receive_signed(body: impl AsRef<[u8]>) -> Result<Notification, Rejection> {
    receiver().receive(&signed(body.as_ref()), body.as_ref()).await
}

/// Status and words of the answer.
pub(crate) fn answer(rejection: &Rejection) -> (u16, String) {
    let reply = rejection.reply();
    let body: Value = serde_json::from_slice(&reply.body()).unwrap();
    (reply.status().as_u16(), body["message"].as_str().unwrap().to_owned())
}

#[track_caller]
pub(crate) fn assert_signature(result: Result<Notification, Rejection>, expected: &VerifyError) {
    match result {
        Err(Rejection::Signature(error)) => assert_eq!(error, *expected),
        other => panic!("not refused for {expected}: {other:?}"),
    }
}

/// An error with its causes, as a report shows it.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(" < ")
}
