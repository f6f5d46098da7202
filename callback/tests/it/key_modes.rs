//! Certificates, the public key, and both while a merchant switches.

use favor_callback::{Receiver, Recipient};
use favor_core::{KeySet, Serial, VerifyError};

use crate::world::{
    API_V3_KEY, BY_CERTIFICATE_1, BY_CERTIFICATE_2, BY_PUBLIC_KEY, PUBLIC_KEY_ID, SERIAL_1, SERIAL_2, START,
    api_v3_key, assert_signature, certificate, certificate_1, certificate_2, clock, fixed, used,
    with_certificate, with_public_key,
};

fn receiver(keys: KeySet) -> Receiver {
    Receiver::builder(Recipient::new(api_v3_key(API_V3_KEY), fixed(keys))).clock(clock()).build()
}

/// Which of the three keys' signatures hold.
async fn accepted(keys: KeySet) -> Vec<String> {
    let receiver = receiver(keys);
    let body = used().to_string();
    let mut accepted = Vec::new();
    for platform in [&BY_PUBLIC_KEY, &BY_CERTIFICATE_1, &BY_CERTIFICATE_2] {
        match receiver.receive(&platform.headers(START, body.as_bytes()), body.as_bytes()).await {
            Ok(notification) => accepted.push(notification.signed_by.as_str().to_owned()),
            Err(rejection) => assert_eq!(rejection.reply().status(), 401),
        }
    }
    accepted
}

#[tokio::test]
async fn each_mode_takes_its_own_keys_and_no_other() {
    let certificates = with_certificate(with_certificate(KeySet::new(), &certificate_1()), &certificate_2());
    assert_eq!(accepted(certificates.clone()).await, [SERIAL_1, SERIAL_2]);
    assert_eq!(accepted(with_public_key(KeySet::new())).await, [PUBLIC_KEY_ID]);
    assert_eq!(accepted(with_public_key(certificates)).await, [PUBLIC_KEY_ID, SERIAL_1, SERIAL_2]);
    assert_eq!(accepted(KeySet::new()).await, [""; 0]);
}

#[tokio::test]
async fn a_serial_may_lack_its_leading_zero() {
    let receiver = receiver(with_certificate(KeySet::new(), &certificate_1()));
    let body = used().to_string();
    let mut headers = BY_CERTIFICATE_1.headers(START, body.as_bytes());
    headers.insert("wechatpay-serial", SERIAL_1[1..].to_lowercase().parse().unwrap());
    assert!(receiver.receive(&headers, body.as_bytes()).await.is_ok());
}

#[tokio::test]
async fn a_certificate_counts_only_while_it_is_valid() {
    const KEY: &str = include_str!("../../../core/tests/it/keys/platform-1.pem");
    let body = used().to_string();
    let headers = BY_CERTIFICATE_1.headers(START, body.as_bytes());
    for (from, until, expected) in [
        (-10, -1, VerifyError::ExpiredKey(Serial::new(SERIAL_1))),
        (1, 10, VerifyError::KeyNotYetValid(Serial::new(SERIAL_1))),
    ] {
        let receiver = receiver(with_certificate(KeySet::new(), &certificate(KEY, SERIAL_1, from, until)));
        assert_signature(receiver.receive(&headers, body.as_bytes()).await, &expected);
    }
}
