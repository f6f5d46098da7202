// The platform's side of a notification, by other libraries than the receiver's: `rsa` signs, aws-lc seals.
// Included by the README's example too, hence no inner documentation.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use rand_core_06::OsRng;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::{Pkcs1v15Sign, RsaPrivateKey};
use sha2::{Digest as _, Sha256};

/// A key that the platform signs with, and what names it.
#[derive(Clone)]
pub(crate) struct Platform {
    key: RsaPrivateKey,
    serial: String,
}

impl Platform {
    pub(crate) fn new(pem: &str, serial: &str) -> Self {
        let der = pem::parse(pem).expect("a test key is PEM").into_contents();
        Self { key: RsaPrivateKey::from_pkcs8_der(&der).expect("a test key"), serial: serial.to_owned() }
    }

    /// The signature headers of `body`, signed at `seconds`.
    pub(crate) fn headers(&self, seconds: i64, body: &[u8]) -> HeaderMap {
        const NONCE: &str = "5K8264ILTKCH16CQ2502SI8ZNMTM67VS";
        let mut message = format!("{seconds}\n{NONCE}\n").into_bytes();
        message.extend_from_slice(body);
        message.push(b'\n');
        let digest = Sha256::digest(&message);
        let signature = self.key.sign_with_rng(&mut OsRng, Pkcs1v15Sign::new::<Sha256>(), &digest);
        let fields = [
            ("wechatpay-timestamp", seconds.to_string()),
            ("wechatpay-nonce", NONCE.to_owned()),
            ("wechatpay-signature", STANDARD.encode(signature.expect("a key of 2048 bits signs"))),
            ("wechatpay-serial", self.serial.clone()),
            ("wechatpay-signature-type", "WECHATPAY2-SHA256-RSA2048".to_owned()),
            ("content-type", "application/json".to_owned()),
            ("request-id", "08F78BB0AF0610D302189EE5BA4F20EDBC2A-0".to_owned()),
        ];
        fields
            .into_iter()
            .map(|(name, text)| (name.parse().expect("a name"), text.parse().expect("a text")))
            .collect()
    }
}

/// The Base64 of `text` sealed with AEAD_AES_256_GCM.
pub(crate) fn seal(api_v3_key: &str, nonce: &str, associated_data: &str, text: &[u8]) -> String {
    let key = UnboundKey::new(&AES_256_GCM, api_v3_key.as_bytes()).expect("32 bytes");
    let nonce = Nonce::try_assume_unique_for_key(nonce.as_bytes()).expect("12 bytes");
    let mut sealed = text.to_vec();
    LessSafeKey::new(key)
        .seal_in_place_append_tag(nonce, Aad::from(associated_data.as_bytes()), &mut sealed)
        .expect("a short text");
    STANDARD.encode(sealed)
}

/// The body of a notification that seals `text`.
pub(crate) fn body(api_v3_key: &str, event_type: &str, text: &str) -> String {
    let ciphertext = seal(api_v3_key, "a1b2c3d4e5f6", "coupon", text.as_bytes());
    serde_json::json!({
        "id": "EV-2026080300000000001",
        "create_time": "2026-08-03T12:30:01+08:00",
        "event_type": event_type,
        "resource_type": "encrypt-resource",
        "summary": "用券成功",
        "resource": {
            "original_type": "coupon",
            "algorithm": "AEAD_AES_256_GCM",
            "ciphertext": ciphertext,
            "nonce": "a1b2c3d4e5f6",
            "associated_data": "coupon",
        },
    })
    .to_string()
}

/// The plaintext of a redemption.
pub(crate) const USED: &str = r#"{"stock_creator_mchid":"1900000109","stock_id":"15300001","coupon_id":"18180000000001",
"coupon_name":"Tea 5 off 30","status":"USED","description":"","create_time":"2026-08-02T09:00:00+08:00",
"coupon_type":"NORMAL","no_cash":true,"available_begin_time":"2026-08-01T00:00:00+08:00",
"available_end_time":"2026-08-31T23:59:59+08:00","singleitem":false,
"normal_coupon_information":{"coupon_amount":500,"transaction_minimum":3000},
"consume_information":{"consume_time":"2026-08-03T12:30:00+08:00","consume_mchid":"1900000109",
"transaction_id":"4200000000202608030000000001"}}"#;
