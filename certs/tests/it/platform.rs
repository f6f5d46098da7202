//! A platform made by hand, for certificate lists that the mirror does not hand out.

use std::sync::{Arc, Mutex};

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use favor_core::sign::response_message;
use favor_core::{Certificate, Clock, ManualClock, PrivateKey};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::keys::certificate_of;

const NONCE: &str = "c5ac7061fccab6bf3e254dcf98995b8c";

/// A key the platform signs with, by the name of a serial.
#[derive(Clone)]
pub(crate) struct Signer {
    pub(crate) serial: &'static str,
    pem: &'static str,
}

/// Two whose certificates are listed, and one that nobody knows.
pub(crate) const OLD: Signer =
    Signer { serial: "0A01", pem: include_str!("../../../mirror/keys/platform-1.pem") };
pub(crate) const NEW: Signer =
    Signer { serial: "0B02", pem: include_str!("../../../mirror/keys/platform-2.pem") };
pub(crate) const STRANGER: Signer =
    Signer { serial: "0D04", pem: include_str!("../../../mirror/keys/platform-3.pem") };

impl Signer {
    /// Its certificate, valid between two days of [`crate::keys::day`].
    pub(crate) fn certificate(&self, from: i64, until: i64) -> Certificate {
        certificate_of(self.pem, self.serial, from, until)
    }

    /// The same key under another serial.
    pub(crate) fn called(&self, serial: &'static str) -> Self {
        Self { serial, ..*self }
    }
}

/// What the platform answers from now on.
#[derive(Clone)]
pub(crate) struct Answer {
    status: u16,
    body: String,
    signer: Option<Signer>,
    /// Seconds between the clock and the time that is signed.
    late: i64,
}

impl Answer {
    pub(crate) fn signed(signer: &Signer, body: impl Into<String>) -> Self {
        Self { status: 200, body: body.into(), signer: Some(signer.clone()), late: 0 }
    }

    pub(crate) fn unsigned(status: u16, body: impl Into<String>) -> Self {
        Self { status, body: body.into(), signer: None, late: 0 }
    }

    pub(crate) fn late(mut self, seconds: i64) -> Self {
        self.late = seconds;
        self
    }
}

/// One entry of a list, announced by a serial and sealed with a key.
pub(crate) fn entry(serial: &str, api_v3_key: &str, text: &str) -> Value {
    let nonce = "4f6b2c0a9d1e";
    let cipher = Aes256Gcm::new_from_slice(api_v3_key.as_bytes()).unwrap();
    let payload = Payload { msg: text.as_bytes(), aad: b"certificate" };
    let sealed = cipher.encrypt(&Nonce::try_from(nonce.as_bytes()).unwrap(), payload).unwrap();
    json!({
        "serial_no": serial,
        "effective_time": "2025-06-08T10:34:56+08:00",
        "expire_time": "2030-06-07T10:34:56+08:00",
        "encrypt_certificate": {
            "algorithm": "AEAD_AES_256_GCM",
            "nonce": nonce,
            "associated_data": "certificate",
            "ciphertext": STANDARD.encode(sealed),
        },
    })
}

pub(crate) fn list(entries: &[Value]) -> String {
    json!({"data": entries}).to_string()
}

/// The server; it ends with the test.
pub(crate) struct Platform {
    pub(crate) url: String,
    answer: Arc<Mutex<Answer>>,
    server: JoinHandle<()>,
}

impl Platform {
    /// Signs at the time of `clock`.
    pub(crate) async fn start(clock: Arc<ManualClock>, first: Answer) -> Self {
        let answer = Arc::new(Mutex::new(first));
        let app = axum::Router::new().route(
            "/v3/certificates",
            axum::routing::get({
                let answer = answer.clone();
                async move || {
                    let answer = answer.lock().unwrap().clone();
                    (StatusCode::from_u16(answer.status).unwrap(), headers(&answer, &*clock), answer.body)
                        .into_response()
                }
            }),
        );
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, answer, server }
    }

    pub(crate) fn answers(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn headers(answer: &Answer, clock: &dyn Clock) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let Some(signer) = &answer.signer else { return headers };
    let timestamp = (clock.now().timestamp() - answer.late).to_string();
    let key = PrivateKey::from_pem(signer.pem).unwrap();
    let signature = key.sign(&response_message(&timestamp, NONCE, answer.body.as_bytes())).unwrap();
    headers.insert("wechatpay-timestamp", timestamp.parse().unwrap());
    headers.insert("wechatpay-nonce", NONCE.parse().unwrap());
    headers.insert("wechatpay-signature", STANDARD.encode(signature).parse().unwrap());
    headers.insert("wechatpay-serial", signer.serial.parse().unwrap());
    headers
}
