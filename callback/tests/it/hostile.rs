//! Hostile requests, each with its answer. None reaches JSON before its signature holds: the bodies here are mostly
//! not even JSON, and are refused for their signature.

use std::time::Duration;

use favor_callback::{Malformation, Rejection};
use favor_core::{AeadError, Serial, VerifyError};
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use crate::platform::{Platform, USED, seal};
use crate::world::{
    API_V3_KEY, BY_CERTIFICATE_1, BY_PUBLIC_KEY, FORGER, SERIAL_1, START, answer, assert_signature, clock,
    receive_signed, receiver, recipient, sealing, signed, used,
};

const TIMESTAMP: &str = "Wechatpay-Timestamp";
const NONCE: &str = "Wechatpay-Nonce";
const SIGNATURE: &str = "Wechatpay-Signature";
const SERIAL: &str = "Wechatpay-Serial";
const TYPE: &str = "Wechatpay-Signature-Type";
const FOUR: [&str; 4] = [TIMESTAMP, NONCE, SIGNATURE, SERIAL];

/// What a good request is answered after `change` of its headers. The body is no JSON, so that looking at it too
/// early would show.
async fn with_headers(change: impl FnOnce(&mut HeaderMap)) -> (Rejection, (u16, String)) {
    let body = b"{{{ no JSON \xff";
    let mut headers = signed(body);
    change(&mut headers);
    let rejection = receiver().receive(&headers, body).await.unwrap_err();
    let answer = answer(&rejection);
    (rejection, answer)
}

#[track_caller]
fn assert_refused(
    (rejection, (status, message)): (Rejection, (u16, String)),
    error: &VerifyError,
    words: &str,
) {
    assert_signature(Err(rejection), error);
    assert_eq!((status, message.as_str()), (401, words));
}

#[tokio::test]
async fn headers_missing_or_empty() {
    for name in FOUR {
        let expected = VerifyError::MissingHeader(name);
        let words = "a signature header is missing";
        assert_refused(with_headers(|headers| drop(headers.remove(name))).await, &expected, words);
        let empty = with_headers(|headers| drop(headers.insert(name, HeaderValue::from_static("")))).await;
        assert_refused(empty, &expected, words);
    }
    let none = receiver().receive(&HeaderMap::new(), used().to_string().as_bytes()).await;
    assert_signature(none, &VerifyError::MissingHeader(TIMESTAMP));
}

#[tokio::test]
async fn headers_doubled() {
    for name in FOUR.into_iter().chain([TYPE]) {
        let doubled = with_headers(|headers| {
            let again = headers[name].clone();
            headers.append(name, again);
        });
        let words = "a signature header is there more than once";
        assert_refused(doubled.await, &VerifyError::RepeatedHeader(name), words);
    }
}

#[tokio::test]
async fn headers_huge_or_not_ascii() {
    let values = [vec![b'1'; 4097], vec![b'A'; 1 << 20], "号".into(), vec![0xff; 20], vec![0x80]];
    for name in FOUR.into_iter().chain([TYPE]) {
        for value in &values {
            let value = HeaderValue::from_bytes(value).unwrap();
            let refused = with_headers(|headers| drop(headers.insert(name, value))).await;
            let words = "a signature header is malformed";
            assert_refused(refused, &VerifyError::MalformedHeader(name), words);
        }
    }
}

#[tokio::test]
async fn timestamps_that_are_no_plain_number() {
    for text in
        ["-1750000000", "+1750000000", "1750000000.0", "1e9", "0x10", " ", "now", "99999999999999999999999"]
    {
        let refused = with_headers(|headers| drop(headers.insert(TIMESTAMP, text.parse().unwrap()))).await;
        let words = "a signature header is malformed";
        assert_refused(refused, &VerifyError::MalformedHeader(TIMESTAMP), words);
    }
}

/// Signed as they stand, so that only the window can refuse them.
#[tokio::test]
async fn old_and_future_timestamps() {
    let body = used().to_string();
    for (ahead, accepted) in [
        (-299, true),
        (299, true),
        (-300, false),
        (300, false),
        (-86_400, false),
        (86_400, false),
        (i64::MAX - START, false),
    ] {
        let headers = BY_PUBLIC_KEY.headers(START + ahead, body.as_bytes());
        let result = receiver().receive(&headers, body.as_bytes()).await;
        if accepted {
            result.unwrap();
            continue;
        }
        let rejection = result.unwrap_err();
        let words = "the timestamp is 300 s or more from the time here";
        assert_eq!(answer(&rejection), (401, words.into()));
        assert_signature(Err(rejection), &VerifyError::OutsideWindow { seconds_ahead: ahead });
    }
}

#[tokio::test]
async fn a_replay_after_the_window_is_refused() {
    let clock = clock();
    let receiver = favor_callback::Receiver::builder(recipient()).clock(clock.clone()).build();
    let body = used().to_string();
    let headers = signed(body.as_bytes());
    receiver.receive(&headers, body.as_bytes()).await.unwrap();
    receiver.receive(&headers, body.as_bytes()).await.expect("stateless: within the window it comes twice");
    clock.advance(Duration::from_secs(300));
    let late = receiver.receive(&headers, body.as_bytes()).await;
    assert_signature(late, &VerifyError::OutsideWindow { seconds_ahead: -300 });
}

#[tokio::test]
async fn another_signature_type() {
    for text in ["WECHATPAY2-SM2-WITH-SM3", "wechatpay2-sha256-rsa2048", "none"] {
        let refused = with_headers(|headers| drop(headers.insert(TYPE, text.parse().unwrap()))).await;
        let words = "the signature type is not supported";
        assert_refused(refused, &VerifyError::SignatureType(text.into()), words);
    }
    let body = used().to_string();
    let mut headers = signed(body.as_bytes());
    headers.remove(TYPE);
    assert!(receiver().receive(&headers, body.as_bytes()).await.is_ok(), "missing means RSA");
}

#[tokio::test]
async fn signatures_that_are_none() {
    for text in ["%%%", "AAAA", "=", "QUJD=", &"A".repeat(344), &"A".repeat(4096)] {
        let refused = with_headers(|headers| drop(headers.insert(SIGNATURE, text.parse().unwrap()))).await;
        assert_refused(refused, &VerifyError::WrongSignature, "the signature does not hold");
    }
    let (body, forged) =
        (used().to_string(), |platform: &Platform, body: &[u8]| platform.headers(START, body));
    let other_key = receiver().receive(&forged(&FORGER, body.as_bytes()), body.as_bytes()).await;
    assert_signature(other_key, &VerifyError::WrongSignature);
    let other_body = receiver().receive(&forged(&BY_PUBLIC_KEY, b"{}"), body.as_bytes()).await;
    assert_signature(other_body, &VerifyError::WrongSignature);
    let changed_nonce = with_headers(|headers| drop(headers.insert(NONCE, "x".parse().unwrap()))).await;
    assert_refused(changed_nonce, &VerifyError::WrongSignature, "the signature does not hold");
}

#[tokio::test]
async fn an_unknown_key() {
    for serial in [SERIAL_1, "0", "../../etc/passwd", "PUB_KEY_ID_", &"F".repeat(4096)] {
        let refused = with_headers(|headers| drop(headers.insert(SERIAL, serial.parse().unwrap()))).await;
        let words = "the key that signed is not known here";
        assert_refused(refused, &VerifyError::UnknownKey(Serial::new(serial)), words);
    }
    let body = used().to_string();
    let unknown =
        receiver().receive(&BY_CERTIFICATE_1.headers(START, body.as_bytes()), body.as_bytes()).await;
    assert_signature(unknown, &VerifyError::UnknownKey(Serial::new(SERIAL_1)));
}

#[tokio::test]
async fn probes_are_recognised_and_refused() {
    let body = used().to_string();
    let good = signed(body.as_bytes());
    let signature = good[SIGNATURE].to_str().unwrap();
    let probes = [
        "WECHATPAY/SIGNTEST/".to_owned(),
        format!("WECHATPAY/SIGNTEST/{}", &signature[19..]),
        format!("WECHATPAY/SIGNTEST/{signature}"),
        "WECHATPAY/SIGNTEST/not base64 !".to_owned(),
    ];
    for probe in probes {
        let mut headers = good.clone();
        headers.insert(SIGNATURE, probe.parse().unwrap());
        let rejection = receiver().receive(&headers, body.as_bytes()).await.unwrap_err();
        assert!(rejection.is_probe(), "{rejection:?}");
        assert_eq!(answer(&rejection), (401, "the signature does not hold".into()));
    }
    assert!(receiver().receive(&good, body.as_bytes()).await.is_ok(), "the true one follows");
    let forged = with_headers(|headers| drop(headers.insert(SIGNATURE, "AAAA".parse().unwrap()))).await;
    assert!(!forged.0.is_probe());
}

#[tokio::test]
async fn a_body_changed_by_one_byte_anywhere() {
    let body = used().to_string().into_bytes();
    let headers = signed(&body);
    let receiver = receiver();
    for at in 0..body.len() {
        for change in [1, 0x80] {
            let mut changed = body.clone();
            changed[at] ^= change;
            let rejection = receiver.receive(&headers, &changed).await.unwrap_err();
            assert_eq!(rejection.reply().status(), 401);
            assert_signature(Err(rejection), &VerifyError::WrongSignature);
        }
    }
    for changed in [&body[1..], &body[..body.len() - 1], &[&body[..], b"\n"].concat(), b""] {
        assert_signature(receiver.receive(&headers, changed).await, &VerifyError::WrongSignature);
    }
}

#[tokio::test]
async fn too_large_is_said_before_anything_is_looked_at() {
    let (limit, body) = (3 << 19, used().to_string());
    let padded = |length: usize| {
        let mut padded = body.clone().into_bytes();
        padded.resize(length, b' ');
        padded
    };
    let largest = padded(limit);
    assert!(receiver().receive(&signed(&largest), &largest).await.is_ok(), "1.5 MiB is taken");
    let larger = padded(limit + 1);
    for headers in [signed(&larger), HeaderMap::new()] {
        let rejection = receiver().receive(&headers, &larger).await.unwrap_err();
        assert_eq!(answer(&rejection), (413, "the body is too large".into()));
    }
    let small = favor_callback::Receiver::builder(recipient()).clock(clock()).largest_body(10).build();
    let rejection = small.receive(&signed(body.as_bytes()), body.as_bytes()).await.unwrap_err();
    assert!(matches!(rejection, Rejection::TooLarge { limit: 10 }), "{rejection:?}");
}

/// What a signed body is refused with, that is malformed at `field`.
async fn malformed(body: impl AsRef<[u8]>) -> Malformation {
    let rejection = receive_signed(body).await.unwrap_err();
    assert_eq!(answer(&rejection), (400, "the notification is malformed".into()));
    match rejection {
        Rejection::Malformed(malformation) => malformation,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn bodies_that_are_no_json() {
    let good = used().to_string();
    let mut latin = good.clone().into_bytes();
    latin.splice(10..10, [0xe9, 0xff]);
    for body in [
        &b""[..],
        b" ",
        b"null",
        b"[]",
        b"1",
        b"\"text\"",
        b"{}",
        b"{",
        b"\xef\xbb\xbf{}",
        b"\x00",
        b"\xff\xfe{\x00}\x00",
        &latin,
        format!("{good}{good}").as_bytes(),
        format!("{good}x").as_bytes(),
        &good.as_bytes()[..good.len() - 1],
        b"<xml></xml>",
        b"id=1&event_type=COUPON.USE",
    ] {
        malformed(body).await;
    }
}

#[tokio::test]
async fn depth_bombs() {
    let good = used().to_string();
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let bomb = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        malformed(&bomb).await;
        malformed(open.repeat(100_000)).await;
        // Where a value is expected, and in a field that nobody reads.
        let typed = good.replacen("\"EV-2026080300000000001\"", &bomb, 1);
        assert_eq!(malformed(&typed).await.field(), Some("id"));
        let unread = good.replacen('{', &format!("{{\"x\":{bomb},"), 1);
        assert!(receive_signed(&unread).await.is_ok(), "skipped without recursion");
        let inner = sealing("COUPON.USE", &USED.replacen("\"15300001\"", &bomb, 1));
        assert_eq!(malformed(&inner).await.field(), Some("stock_id"));
        let unknown = sealing("LATER", &bomb);
        assert_eq!(receive_signed(&unknown).await.unwrap().raw(), bomb);
    }
}

#[tokio::test]
async fn repeated_json_keys() {
    let good = used().to_string();
    let second = |key: &str| good.replacen('{', &format!("{{\"{key}\":\"COUPON.SEND\","), 1);
    for key in ["id", "event_type", "create_time", "resource"] {
        malformed(second(key)).await;
    }
    malformed(good.replacen("\"nonce\"", "\"nonce\":\"zzzzzzzzzzzz\",\"nonce\"", 1)).await;
    let twice = USED.replacen('{', "{\"coupon_id\":\"1\",", 1);
    assert_eq!(malformed(sealing("COUPON.USE", &twice)).await.field(), None);
    let alias = USED.replacen('{', "{\"state\":\"USED\",", 1);
    malformed(sealing("COUPON.USE", &alias)).await;
}

/// The answer to a signed notification after `change`.
async fn changed(change: impl FnOnce(&mut Value)) -> Rejection {
    let mut body = used();
    change(&mut body);
    receive_signed(body.to_string()).await.unwrap_err()
}

#[tokio::test]
async fn other_algorithms_and_types() {
    for (pointer, value) in [
        ("/resource_type", "plain-resource"),
        ("/resource/algorithm", "AEAD_SM4_GCM"),
        ("/resource/algorithm", "aead_aes_256_gcm"),
        ("/resource/algorithm", ""),
        ("/resource/algorithm", "none"),
        ("/resource/original_type", "transaction"),
        ("/resource/original_type", "COUPON"),
    ] {
        let rejection = changed(|body| *body.pointer_mut(pointer).unwrap() = value.into()).await;
        let Rejection::Unsupported { field, found } = &rejection else { panic!("{pointer}: {rejection:?}") };
        assert_eq!((field.replace('.', "/"), found.as_str()), (pointer[1..].to_owned(), value));
        assert_eq!(answer(&rejection), (400, "the notification is of an unsupported kind".into()));
    }
}

#[track_caller]
fn assert_sealed(rejection: &Rejection, expected: &AeadError) {
    let Rejection::Sealed(error) = rejection else { panic!("{rejection:?}") };
    assert_eq!(error, expected);
    let status = if *expected == AeadError::Tag { 500 } else { 400 };
    assert_eq!(rejection.reply().status(), status);
}

#[tokio::test]
async fn nonces_of_the_wrong_length() {
    for nonce in ["", "a1b2c3d4e5f", "a1b2c3d4e5f67", "号号号号", "号号号号号号号号号号号号"]
    {
        let rejection = changed(|body| body["resource"]["nonce"] = nonce.into()).await;
        if nonce.len() == 12 {
            assert_sealed(&rejection, &AeadError::Tag);
        } else {
            assert_sealed(&rejection, &AeadError::Nonce(nonce.len()));
        }
    }
}

#[tokio::test]
async fn wrong_associated_data_nonce_or_key() {
    let key = "another-another-another-another!";
    let other = [
        ("associated_data", json!("coupo")),
        ("associated_data", json!("")),
        ("associated_data", Value::Null),
        ("associated_data", json!("x".repeat(100_000))),
        ("nonce", json!("a1b2c3d4e5f7")),
        ("ciphertext", json!(seal(key, "a1b2c3d4e5f6", "coupon", USED.as_bytes()))),
    ];
    for (field, value) in other {
        let rejection = changed(|body| body["resource"][field] = value).await;
        assert_sealed(&rejection, &AeadError::Tag);
        assert_eq!(answer(&rejection).1, "the resource cannot be opened with the key held here");
    }
}

#[tokio::test]
async fn a_ciphertext_truncated_at_each_byte() {
    let whole = seal(API_V3_KEY, "a1b2c3d4e5f6", "coupon", USED.as_bytes());
    let receiver = receiver();
    for length in 0..whole.len() {
        let mut body = used();
        body["resource"]["ciphertext"] = whole[..length].into();
        let body = body.to_string();
        let rejection = receiver.receive(&signed(body.as_bytes()), body.as_bytes()).await.unwrap_err();
        let expected = if length % 4 == 0 { AeadError::Tag } else { AeadError::Base64 };
        assert_sealed(&rejection, &expected);
    }
}

#[tokio::test]
async fn ciphertexts_that_are_none() {
    let whole = seal(API_V3_KEY, "a1b2c3d4e5f6", "coupon", USED.as_bytes());
    for text in
        [format!("{whole}\n"), format!(" {whole}"), whole.replace('+', "-").replace('/', "_"), "号".into()]
    {
        let rejection = changed(|body| body["resource"]["ciphertext"] = text.into()).await;
        assert_sealed(&rejection, &AeadError::Base64);
    }
    for value in [json!(1), json!([1, 2]), json!({}), json!(null), json!(true)] {
        let rejection = changed(|body| body["resource"]["ciphertext"] = value).await;
        assert!(matches!(rejection, Rejection::Malformed(_)), "{rejection:?}");
    }
}

#[tokio::test]
async fn sealed_texts_that_are_no_coupon() {
    for text in ["", " ", "null", "[]", "{}", "1", "{", "{}{}", &format!("{USED},"), "\u{feff}{}"] {
        malformed(sealing("COUPON.USE", text)).await;
    }
    let ciphertext = seal(API_V3_KEY, "a1b2c3d4e5f6", "coupon", b"{\"a\":\"\xff\"}");
    for event_type in ["COUPON.USE", "LATER"] {
        let rejection = changed(|body| {
            body["event_type"] = event_type.into();
            body["resource"]["ciphertext"] = ciphertext.clone().into();
        });
        assert_eq!(answer(&rejection.await).0, 400);
    }
    malformed(sealing("LATER", "not JSON")).await;
}

#[tokio::test]
async fn ids_and_times_that_are_none() {
    for (field, value) in [
        ("id", json!("")),
        ("id", json!([])),
        ("create_time", json!("")),
        ("create_time", json!("yesterday")),
        ("create_time", json!("2026-02-30T00:00:00+08:00")),
        ("create_time", json!("20260230000000")),
        ("create_time", json!("2026-08-03T12:30:01")),
        ("event_type", json!(1)),
        ("summary", json!({})),
    ] {
        let mut body = used();
        body[field] = value.clone();
        assert_eq!(malformed(body.to_string()).await.field(), Some(field), "{value}");
    }
}
