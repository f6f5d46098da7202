//! The platform's side: answers signed as production signs them, and sealed certificate lists.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use favor_core::sign::response_message;
use favor_core::{Certificate, KeySet, PrivateKey, PublicKey};
use http::HeaderMap;
use serde_json::{Value, json};

use crate::test_keys::{
    NewCertificate, PLATFORM_1, PLATFORM_2, PLATFORM_KEY_1, PLATFORM_KEY_2, PUBLIC_KEY_KEY, PUBLIC_KEY_PUBLIC,
};
use crate::world::START;

pub(crate) const API_V3_KEY: &str = "0123456789abcdef0123456789ABCDEF";
pub(crate) const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_0119000001092026050100";
pub(crate) const SERIAL_1: &str = "0C4A5F7700000000000000000000000000000A01";
pub(crate) const SERIAL_2: &str = "6B1D3C5E00000000000000000000000000000B02";
pub(crate) const NONCE: &str = "c5ac7061fccab6bf3e254dcf98995b8c";
pub(crate) const DAY: i64 = 24 * 3600;

/// One key the platform signs with.
#[derive(Clone)]
pub(crate) struct Platform {
    pub(crate) serial: &'static str,
    pub(crate) key: PrivateKey,
}

impl Platform {
    /// Signs by the WeChat Pay public key.
    pub(crate) fn by_public_key() -> Self {
        Self { serial: PUBLIC_KEY_ID, key: PUBLIC_KEY_KEY.clone() }
    }

    /// Signs by the first platform certificate.
    pub(crate) fn by_certificate_1() -> Self {
        Self { serial: SERIAL_1, key: PLATFORM_KEY_1.clone() }
    }

    /// Signs by the second platform certificate.
    pub(crate) fn by_certificate_2() -> Self {
        Self { serial: SERIAL_2, key: PLATFORM_KEY_2.clone() }
    }

    /// The signature headers of `body`, signed at `seconds`.
    pub(crate) fn headers(&self, seconds: i64, body: &[u8]) -> HeaderMap {
        let timestamp = seconds.to_string();
        let signature = self.key.sign(&response_message(&timestamp, NONCE, body)).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("wechatpay-timestamp", timestamp.parse().unwrap());
        headers.insert("wechatpay-nonce", NONCE.parse().unwrap());
        headers.insert("wechatpay-signature", STANDARD.encode(signature).parse().unwrap());
        headers.insert("wechatpay-serial", self.serial.parse().unwrap());
        headers
    }
}

/// The public key as merchants get it.
pub(crate) fn public_key() -> PublicKey {
    PublicKey::from_pem(PUBLIC_KEY_PUBLIC).unwrap()
}

/// Public-key mode: the public key alone.
pub(crate) fn public_key_set() -> KeySet {
    KeySet::new().with_public_key(PUBLIC_KEY_ID, public_key()).unwrap()
}

/// Certificate mode: the given certificates.
pub(crate) fn certificate_set<'a>(pems: impl IntoIterator<Item = &'a str>) -> KeySet {
    pems.into_iter()
        .fold(KeySet::new(), |keys, pem| keys.with_certificate(Certificate::from_pem(pem).unwrap()).unwrap())
}

/// The first platform certificate, valid from `from` to `until`, in days from the start of the test.
pub(crate) fn certificate_1(from: i64, until: i64) -> String {
    certificate(PLATFORM_1, SERIAL_1, from, until)
}

/// The second platform certificate, likewise.
pub(crate) fn certificate_2(from: i64, until: i64) -> String {
    certificate(PLATFORM_2, SERIAL_2, from, until)
}

pub(crate) fn certificate(key: &str, serial: &str, from: i64, until: i64) -> String {
    NewCertificate {
        key,
        serial,
        name: "Tenpay.com sign",
        from: START + from * DAY,
        until: START + until * DAY,
    }
    .pem()
}

/// The body of `GET /v3/certificates` for certificates given with the serial they are announced by.
pub(crate) fn certificate_list<'a>(certificates: impl IntoIterator<Item = (&'a str, &'a str)>) -> Bytes {
    let entries = certificates.into_iter().map(|(serial, pem)| {
        json!({
            "serial_no": serial,
            "effective_time": "2025-06-08T10:34:56+08:00",
            "expire_time": "2030-06-07T10:34:56+08:00",
            "encrypt_certificate": seal(API_V3_KEY, pem.as_bytes()),
        })
    });
    json!({"data": entries.collect::<Vec<_>>()}).to_string().into()
}

/// A text sealed with AEAD_AES_256_GCM.
pub(crate) fn seal(key: &str, text: &[u8]) -> Value {
    let nonce = "4f6b2c0a9d1e";
    let cipher = Aes256Gcm::new_from_slice(key.as_bytes()).unwrap();
    let payload = Payload { msg: text, aad: b"certificate" };
    let sealed = cipher.encrypt(&Nonce::try_from(nonce.as_bytes()).unwrap(), payload).unwrap();
    json!({
        "algorithm": "AEAD_AES_256_GCM",
        "nonce": nonce,
        "associated_data": "certificate",
        "ciphertext": STANDARD.encode(sealed),
    })
}
