//! Groups `sign`, `verify` and `aead`: the library beside the libraries it stands on, by CPU time of the thread.

#[path = "support/answers.rs"]
mod answers;
#[path = "support/call.rs"]
mod call;
#[path = "support/coupons.rs"]
mod coupons;
#[path = "support/keys.rs"]
mod keys;
#[path = "support/raw.rs"]
mod raw;
#[path = "support/thread_time.rs"]
mod thread_time;

use std::hint::black_box;

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use criterion::{Criterion, criterion_group, criterion_main};
use favor_core::{
    ApiV3Key, Backend, Clock as _, KeySet, PrivateKey, PublicKey, Sealed, SignatureHeaders, SystemClock,
};
use http::{HeaderMap, HeaderValue};
use rand_core_06::OsRng;
use rsa::pkcs1v15::{Signature, SigningKey, VerifyingKey};
use rsa::pkcs8::{DecodePrivateKey as _, DecodePublicKey as _};
use rsa::signature::{RandomizedSigner as _, SignatureEncoding as _, Verifier as _};
use rsa::{RsaPrivateKey, RsaPublicKey};
use sha2::Sha256;

use crate::answers::{Answer, Platform};
use crate::coupons::Campaign;
use crate::keys::{MERCHANT, PLATFORM_ID, PLATFORM_PUBLIC, der};
use crate::thread_time::ThreadTime;

const API_V3_KEY: &str = "0123456789abcdef0123456789ABCDEF";
const NONCE: &str = "fdasflkja484";
const CERTIFICATE: &str = include_str!("../core/tests/it/keys/merchant-certificate.pem");

fn sign(criterion: &mut Criterion<ThreadTime>) {
    let (openid, request) = Campaign::new().send(1);
    let message = call::call(&openid, &request).message(&call::stamp());
    let mut group = criterion.benchmark_group("sign");
    for backend in Backend::ALL {
        let key = PrivateKey::from_pem_with(MERCHANT, *backend).expect("a test key");
        group.bench_function(format!("favor {backend:?}"), |bencher| {
            bencher.iter(|| key.sign(black_box(&message)));
        });
    }
    let key = raw::Signing::new(MERCHANT);
    group.bench_function("raw aws-lc-rs", |bencher| {
        bencher.iter(|| key.sign(black_box(&message)));
    });
    let key = RsaPrivateKey::from_pkcs8_der(&der(MERCHANT)).expect("a test key");
    let key = SigningKey::<Sha256>::new(key);
    group.bench_function("raw rsa, blinded", |bencher| {
        bencher.iter(|| key.sign_with_rng(&mut OsRng, black_box(&message)).to_bytes());
    });
    group.finish();
}

fn verify(criterion: &mut Criterion<ThreadTime>) {
    let answer = Platform::new().answer(1);
    let (headers, body) = (headers(&answer), answer.body.as_bytes());
    let now = SystemClock::new().now();
    let mut group = criterion.benchmark_group("verify");
    for backend in Backend::ALL {
        let key = PublicKey::from_pem_with(PLATFORM_PUBLIC, *backend).expect("a test key");
        let keys = KeySet::new().with_public_key(PLATFORM_ID, key).expect("a public key id");
        let check = || SignatureHeaders::read(black_box(&headers))?.verify(black_box(body), &keys, now);
        assert_eq!(check(), Ok(()));
        group.bench_function(format!("favor {backend:?}"), |bencher| bencher.iter(check));
    }
    let message = answer.message();
    let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der(PLATFORM_PUBLIC)).expect("a test key");
    group.bench_function("raw aws-lc-rs", |bencher| {
        bencher.iter(|| key.verify_sig(black_box(message.as_bytes()), &answer.signature));
    });
    let key = RsaPublicKey::from_public_key_der(&der(PLATFORM_PUBLIC)).expect("a test key");
    let key = VerifyingKey::<Sha256>::new(key);
    let signature = Signature::try_from(answer.signature.as_slice()).expect("256 bytes");
    group.bench_function("raw rsa", |bencher| {
        bencher.iter(|| key.verify(black_box(message.as_bytes()), &signature));
    });
    group.finish();
}

fn headers(answer: &Answer) -> HeaderMap {
    let signature = STANDARD.encode(answer.signature);
    let mut headers = HeaderMap::new();
    for (name, text) in [
        ("content-type", "application/json; charset=utf-8"),
        ("request-id", "08E4FCF4C50610AA0518C1EDDD1320B6A50428D2D202-268435462"),
        ("wechatpay-nonce", &answer.nonce),
        ("wechatpay-signature", &signature),
        ("wechatpay-timestamp", &answer.timestamp),
        ("wechatpay-serial", PLATFORM_ID),
        ("wechatpay-signature-type", "WECHATPAY2-SHA256-RSA2048"),
    ] {
        headers.insert(name, HeaderValue::from_str(text).expect("visible ASCII"));
    }
    headers
}

fn aead(criterion: &mut Criterion<ThreadTime>) {
    let notification = notification();
    let mut group = criterion.benchmark_group("aead");
    for (name, text, associated) in
        [("certificate", CERTIFICATE, "certificate"), ("notification", &notification, "coupon")]
    {
        let raw = Aes256Gcm::new_from_slice(API_V3_KEY.as_bytes()).expect("32 bytes");
        let nonce = Nonce::try_from(NONCE.as_bytes()).expect("12 bytes");
        let payload = |msg| Payload { msg, aad: associated.as_bytes() };
        let ciphertext = raw.encrypt(&nonce, payload(text.as_bytes())).expect("a short text");
        let sealed = Sealed::new(STANDARD.encode(&ciphertext), NONCE, Some(associated.to_owned()));
        let key = ApiV3Key::new(API_V3_KEY).expect("32 characters");
        assert_eq!(key.open(&sealed).as_deref(), Ok(text.as_bytes()));
        group.bench_function(format!("favor, {name}"), |bencher| {
            bencher.iter(|| key.open(black_box(&sealed)));
        });
        group.bench_function(format!("raw aes-gcm, {name}"), |bencher| {
            bencher.iter(|| raw.decrypt(&nonce, payload(black_box(&ciphertext))));
        });
    }
    group.finish();
}

/// What a notification of a used coupon holds: 700 bytes of JSON.
fn notification() -> String {
    let coupon = r#"{"stock_creator_mchid":"1900000109","stock_id":"15300001","coupon_id":"98674556","status":"USED","create_time":"2026-05-20T13:14:00+08:00","coupon_type":"NORMAL","consume_information":{"consume_time":"2026-05-20T15:20:00+08:00","consume_mchid":"1900000109","transaction_id":"4200000000202605201234567890"},"description":""}"#;
    let padding = "x".repeat(700 - coupon.len());
    coupon.replace(r#""description":"""#, &format!(r#""description":"{padding}""#))
}

criterion_group! {
    name = crypto;
    config = Criterion::default().with_measurement(ThreadTime);
    targets = sign, verify, aead
}
criterion_main!(crypto);
