//! Verifying responses and notifications: what is refused, why, and in which order.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use favor_core::{KeySet, Serial, SignatureHeaders, VerifyError};
use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;

use crate::platform::{
    PUBLIC_KEY_ID, Platform, SERIAL_1, certificate, certificate_1, certificate_2, certificate_set,
    public_key, public_key_set,
};
use crate::test_keys::{
    PLATFORM_1, PUBLIC_KEY, PUBLIC_KEY_PUBLIC, on_every_backend, public_on_every_backend,
};
use crate::world::{START, start};

const BODY: &[u8] = br#"{"coupon_id":"9867041"}"#;
const FOUR: [&str; 4] = ["Wechatpay-Timestamp", "Wechatpay-Nonce", "Wechatpay-Signature", "Wechatpay-Serial"];
const TYPE: &str = "Wechatpay-Signature-Type";

fn good() -> HeaderMap {
    Platform::by_public_key().headers(START, BODY)
}

fn verify_with(
    headers: &HeaderMap,
    body: &[u8],
    keys: &KeySet,
    now: DateTime<Utc>,
) -> Result<(), VerifyError> {
    SignatureHeaders::read(headers)?.verify(body, keys, now)
}

fn verify(headers: &HeaderMap, body: &[u8]) -> Result<(), VerifyError> {
    verify_with(headers, body, &public_key_set(), start())
}

fn with(name: &'static str, value: &str) -> HeaderMap {
    let mut headers = good();
    headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    headers
}

fn signature() -> String {
    good()["wechatpay-signature"].to_str().unwrap().to_owned()
}

#[test]
fn a_good_response_is_verified_on_every_backend() {
    for (_, private) in on_every_backend(PUBLIC_KEY) {
        let platform = Platform { serial: PUBLIC_KEY_ID, key: private };
        for (backend, public) in public_on_every_backend(PUBLIC_KEY_PUBLIC) {
            let keys = KeySet::new().with_public_key(PUBLIC_KEY_ID, public).unwrap();
            for body in [BODY, b"", b"\n", "{\"stock_name\":\"满减\"}\n".as_bytes(), &[0xff, 0, 0x0d, 0x0a]]
            {
                let headers = platform.headers(START, body);
                assert_eq!(verify_with(&headers, body, &keys, start()), Ok(()), "{backend:?}");
                let tampered = [body, b" "].concat();
                let refused = verify_with(&headers, &tampered, &keys, start());
                assert_eq!(refused, Err(VerifyError::WrongSignature), "{backend:?}");
            }
        }
    }
}

#[test]
fn each_of_the_four_headers_must_be_there_once() {
    for name in FOUR {
        let mut missing = good();
        missing.remove(name);
        let error = verify(&missing, BODY).unwrap_err();
        assert_eq!(error, VerifyError::MissingHeader(name));
        assert_eq!(error.to_string(), format!("the header {name} is missing"));
        assert_eq!(verify(&with(name, ""), BODY), Err(VerifyError::MissingHeader(name)));

        let mut doubled = good();
        let value = doubled[name].clone();
        doubled.append(name, value);
        let error = verify(&doubled, BODY).unwrap_err();
        assert_eq!(error, VerifyError::RepeatedHeader(name), "even when both are the same");
        assert_eq!(error.to_string(), format!("the header {name} is there more than once"));

        let error = verify(&with(name, "券"), BODY).unwrap_err();
        assert_eq!(error, VerifyError::MalformedHeader(name));
        assert_eq!(error.to_string(), format!("the header {name} is malformed"));
    }
}

#[test]
fn the_timestamp_must_be_plain_digits() {
    for bad in [
        "+1750000000",
        "-1750000000",
        "1750000000.0",
        "0x684ee180",
        "1750000000 ",
        "1,750,000,000",
        "Sun, 15 Jun 2025 15:06:40 GMT",
        "99999999999999999999",
    ] {
        let error = verify(&with("Wechatpay-Timestamp", bad), BODY).unwrap_err();
        assert_eq!(error, VerifyError::MalformedHeader("Wechatpay-Timestamp"), "{bad}");
    }
}

#[test]
fn the_message_is_built_from_the_timestamp_as_received() {
    let text = format!("0{START}");
    let message = favor_core::sign::response_message(&text, "n", BODY);
    let mut headers = with("Wechatpay-Timestamp", &text);
    headers.insert("wechatpay-nonce", "n".parse().unwrap());
    let signature = Platform::by_public_key().key.sign(&message).unwrap();
    headers.insert("wechatpay-signature", STANDARD.encode(signature).parse().unwrap());
    assert_eq!(verify(&headers, BODY), Ok(()));
}

#[test]
fn the_window_ends_at_300_seconds_either_way() {
    for seconds in [-299, -1, 0, 1, 299] {
        let now = start() - TimeDelta::seconds(seconds);
        assert_eq!(verify_with(&good(), BODY, &public_key_set(), now), Ok(()), "{seconds}");
    }
    for seconds in [-1_000_000, -301, -300, 300, 301, 1_000_000] {
        let now = start() - TimeDelta::seconds(seconds);
        let error = verify_with(&good(), BODY, &public_key_set(), now).unwrap_err();
        let expected = VerifyError::OutsideWindow { seconds_ahead: seconds };
        assert_eq!(error, expected);
        assert_eq!(
            error.to_string(),
            format!(
                "signed {seconds} s ahead of our clock, and the limit is 300 s either way; check the clock of this machine"
            )
        );
    }
    let far = with("Wechatpay-Timestamp", &i64::MAX.to_string());
    assert!(matches!(verify(&far, BODY), Err(VerifyError::OutsideWindow { .. })));
}

#[test]
fn what_is_tampered_with_does_not_verify() {
    let mut body = BODY.to_vec();
    body[5] ^= 1;
    assert_eq!(verify(&good(), &body), Err(VerifyError::WrongSignature));
    assert_eq!(verify(&good(), b""), Err(VerifyError::WrongSignature));
    let later = (START + 1).to_string();
    let nonce = "c5ac7061fccab6bf3e254dcf98995b8d";
    let of_another = Platform::by_certificate_1().headers(START, BODY);
    let another = of_another["wechatpay-signature"].to_str().unwrap();
    for (name, value) in [
        ("Wechatpay-Timestamp", later.as_str()),
        ("Wechatpay-Nonce", nonce),
        ("Wechatpay-Signature", another),
    ] {
        let error = verify(&with(name, value), BODY).unwrap_err();
        assert_eq!(error, VerifyError::WrongSignature, "{name}");
        assert_eq!(error.to_string(), "the signature does not hold");
    }
}

#[test]
fn a_signature_probe_fails_like_any_forgery_and_is_named() {
    let whole = signature();
    for probe in [
        "WECHATPAY/SIGNTEST/".to_owned(),
        format!("WECHATPAY/SIGNTEST/{whole}"),
        format!("WECHATPAY/SIGNTEST/{}", &whole[19..]),
        "WECHATPAY/SIGNTEST/%%%".to_owned(),
        "WECHATPAY/SIGNTEST/AAAA".to_owned(),
    ] {
        let error = verify(&with("Wechatpay-Signature", &probe), BODY).unwrap_err();
        assert_eq!(error, VerifyError::Probe, "{probe}");
        assert_eq!(error.to_string(), "the signature does not hold: it is a signature probe of the platform");
    }
}

#[test]
fn base64_is_read_strictly() {
    let whole = signature();
    assert!(whole.ends_with("=="), "a signature of 256 bytes");
    let unpadded = whole.trim_end_matches('=');
    // The last letter carries four bits that must be zero.
    let (rest, last) = unpadded.split_at(unpadded.len() - 1);
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let next = alphabet.find(last).unwrap() + 1;
    let trailing_bits = format!("{rest}{}==", &alphabet[next..=next]);
    for bad in [
        unpadded.to_owned(),
        format!("{unpadded}="),
        format!("{whole}="),
        trailing_bits,
        format!("{} {}", &whole[..8], &whole[8..]),
        format!(" {whole}"),
        format!("{whole} "),
        format!("{whole}\t"),
        format!("{whole}AAAA"),
        whole.replace(['+', '/'], "_"),
        "=".to_owned(),
        "A".to_owned(),
    ] {
        let refused = verify(&with("Wechatpay-Signature", &bad), BODY);
        assert_eq!(refused, Err(VerifyError::WrongSignature), "{bad}");
    }
}

#[test]
fn only_the_rsa_scheme_is_taken() {
    assert_eq!(verify(&with(TYPE, "WECHATPAY2-SHA256-RSA2048"), BODY), Ok(()));
    assert_eq!(verify(&with(TYPE, ""), BODY), Ok(()), "empty counts as missing");
    for other in ["WECHATPAY2-SM2-WITH-SM3", "wechatpay2-sha256-rsa2048", "none"] {
        let error = verify(&with(TYPE, other), BODY).unwrap_err();
        assert_eq!(error, VerifyError::SignatureType(other.to_owned()));
        assert_eq!(
            error.to_string(),
            format!("signed as {other:?}, and only WECHATPAY2-SHA256-RSA2048 is supported")
        );
    }
    let mut doubled = with(TYPE, "WECHATPAY2-SHA256-RSA2048");
    doubled.append(TYPE, "WECHATPAY2-SHA256-RSA2048".parse().unwrap());
    assert_eq!(verify(&doubled, BODY), Err(VerifyError::RepeatedHeader(TYPE)));
}

#[test]
fn the_key_is_chosen_by_the_serial_and_must_be_valid_now() {
    let signed = Platform::by_certificate_1().headers(START, BODY);
    let verify = |keys: &KeySet| verify_with(&signed, BODY, keys, start());
    assert_eq!(verify(&certificate_set([certificate_1(-1, 1).as_str()])), Ok(()));
    let serial = Serial::new(SERIAL_1);
    let cases = [
        (certificate_1(-20, -1), VerifyError::ExpiredKey(serial.clone()), "which has expired"),
        (certificate_1(1, 20), VerifyError::KeyNotYetValid(serial.clone()), "which is not valid yet"),
    ];
    for (pem, expected, words) in cases {
        let error = verify(&certificate_set([pem.as_str()])).unwrap_err();
        assert_eq!(error.to_string(), format!("signed with the certificate {SERIAL_1}, {words}"));
        assert_eq!(error, expected);
    }
    for keys in [certificate_set([certificate_2(-1, 1).as_str()]), public_key_set(), KeySet::new()] {
        let error = verify(&keys).unwrap_err();
        assert_eq!(error, VerifyError::UnknownKey(serial.clone()));
        assert_eq!(
            error.to_string(),
            format!("signed with the key {SERIAL_1}, which is not among the platform keys held")
        );
    }
}

#[test]
fn the_serial_of_another_held_key_does_not_help() {
    let mut headers = Platform::by_certificate_1().headers(START, BODY);
    let keys = certificate_set([certificate_1(-1, 1).as_str(), certificate_2(-1, 1).as_str()]);
    headers.insert("wechatpay-serial", Platform::by_certificate_2().serial.parse().unwrap());
    let refused = verify_with(&headers, BODY, &keys, start());
    assert_eq!(refused, Err(VerifyError::WrongSignature));
}

#[test]
fn leading_zeros_of_the_serial_do_not_matter() {
    let keys = certificate_set([certificate(PLATFORM_1, "0C4A5F77", -1, 1).as_str()]);
    for serial in ["0C4A5F77", "C4A5F77", "0c4a5f77", "c4a5f77", "00C4A5F77"] {
        let mut headers = Platform::by_certificate_1().headers(START, BODY);
        headers.insert("wechatpay-serial", serial.parse().unwrap());
        assert_eq!(verify_with(&headers, BODY, &keys, start()), Ok(()), "{serial}");
    }
}

/// Each fault is worse than all before it: with all of them, the last is the one reported.
#[test]
fn the_steps_are_taken_in_the_order_of_the_specification() {
    let mut headers = good();
    let now = start();
    let keys = KeySet::new().with_public_key("PUB_KEY_ID_02", public_key()).unwrap();
    let refusal =
        |headers: &HeaderMap, keys: &KeySet, now| verify_with(headers, b"tampered", keys, now).unwrap_err();

    assert_eq!(refusal(&headers, &public_key_set(), now), VerifyError::WrongSignature);
    headers.insert("wechatpay-signature", "%".parse().unwrap());
    assert_eq!(refusal(&headers, &public_key_set(), now), VerifyError::WrongSignature);
    let unknown = VerifyError::UnknownKey(Serial::new(PUBLIC_KEY_ID));
    assert_eq!(refusal(&headers, &keys, now), unknown, "the key before the signature");
    let late = now + TimeDelta::seconds(300);
    assert_eq!(
        refusal(&headers, &keys, late),
        VerifyError::OutsideWindow { seconds_ahead: -300 },
        "the window before the key"
    );
    headers.remove("wechatpay-serial");
    assert_eq!(
        refusal(&headers, &keys, late),
        VerifyError::MissingHeader("Wechatpay-Serial"),
        "all headers before the window"
    );
}

#[test]
fn signature_headers_are_noticed_even_when_they_are_incomplete() {
    assert!(!SignatureHeaders::any(&HeaderMap::new()));
    assert!(!SignatureHeaders::any(&HeaderMap::from_iter([(
        "request-id".parse().unwrap(),
        HeaderValue::from_static("1"),
    )])));
    for name in FOUR {
        let mut one = HeaderMap::new();
        one.insert(name, HeaderValue::from_bytes("券".as_bytes()).unwrap());
        assert!(SignatureHeaders::any(&one), "{name}");
    }
}

proptest! {
    #[test]
    fn hostile_headers_never_panic_and_never_verify(
        values in prop::collection::vec(prop::collection::vec(0x20..=0xffu8, 0..40), 5),
        body: Vec<u8>,
    ) {
        let mut headers = HeaderMap::new();
        for (name, value) in FOUR.into_iter().chain([TYPE]).zip(&values) {
            if let Ok(value) = HeaderValue::from_bytes(value) {
                headers.insert(name, value);
            }
        }
        prop_assert!(verify(&headers, &body).is_err());
    }

    #[test]
    fn a_changed_signature_never_verifies(at in 0..344usize, letter in "[A-Za-z0-9+/=]") {
        let mut text = signature();
        prop_assume!(text[at..=at] != letter);
        text.replace_range(at..=at, &letter);
        prop_assert_eq!(verify(&with("Wechatpay-Signature", &text), BODY), Err(VerifyError::WrongSignature));
    }
}
