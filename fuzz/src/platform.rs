//! The platform's side: it signs and seals.

use std::sync::LazyLock;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use favor_core::PrivateKey;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::world::{API_V3_KEY, NOW, PUBLIC_KEY_ID};

const NONCE: &str = "5K8264ILTKCH16CQ2502SI8ZNMTM67VS";
const SEAL_NONCE: &str = "a1b2c3d4e5f6";
const ASSOCIATED_DATA: &str = "coupon";

static KEY: LazyLock<PrivateKey> = LazyLock::new(|| {
    PrivateKey::from_pem(include_str!("../../core/tests/it/keys/public-key.pem")).expect("a test key")
});

static SEALING_KEY: LazyLock<LessSafeKey> = LazyLock::new(|| {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, API_V3_KEY.as_bytes()).expect("32 bytes"))
});

/// The plaintext of a redemption, with all that can be in one.
pub const USED: &str = r#"{"stock_creator_mchid":"1900000109","stock_id":"15300001","coupon_id":"18180000000001","singleitem_discount_off":{"single_price_max":500},"discount_to":{"cut_to_price":100,"max_price":900},"coupon_name":"Tea 5 off 30","status":"USED","description":"one\ntwo","create_time":"2029-12-31T09:00:00+08:00","coupon_type":"NORMAL","no_cash":true,"available_begin_time":"2029-12-01T00:00:00+08:00","available_end_time":"2030-01-31T23:59:59+08:00","singleitem":false,"normal_coupon_information":{"coupon_amount":500,"transaction_minimum":3000},"consume_information":{"consume_time":"2030-01-01T07:59:00+08:00","consume_mchid":"1900000109","transaction_id":"4200000000203001010000000001","consume_amount":1,"goods_detail":[{"goods_id":"tea","quantity":1,"price":3000,"discount_amount":500}]},"business_type":"MULTIUSE"}"#;

/// The headers of a body that the platform sends now.
pub fn headers(body: &[u8]) -> HeaderMap {
    let message = [format!("{NOW}\n{NONCE}\n").as_bytes(), body, b"\n"].concat();
    let signature = KEY.sign(&message).expect("a key of 2048 bits signs");
    let fields = [
        ("wechatpay-timestamp", NOW.to_string()),
        ("wechatpay-nonce", NONCE.to_owned()),
        ("wechatpay-signature", STANDARD.encode(signature)),
        ("wechatpay-serial", PUBLIC_KEY_ID.to_owned()),
        ("wechatpay-signature-type", "WECHATPAY2-SHA256-RSA2048".to_owned()),
    ];
    let value = |text: String| HeaderValue::try_from(text).expect("visible characters");
    fields.into_iter().map(|(name, text)| (HeaderName::from_static(name), value(text))).collect()
}

/// The Base64 of `text` sealed for the merchant. `None` unless the nonce has 12 bytes.
pub fn seal(nonce: &str, associated_data: &str, text: &[u8]) -> Option<String> {
    let nonce = Nonce::try_assume_unique_for_key(nonce.as_bytes()).ok()?;
    let mut sealed = text.to_vec();
    let aad = Aad::from(associated_data.as_bytes());
    SEALING_KEY.seal_in_place_append_tag(nonce, aad, &mut sealed).expect("a text far below the limit");
    Some(STANDARD.encode(sealed))
}

/// The outer JSON around `text`, which is sealed in it.
pub fn envelope(event_type: &str, text: &[u8]) -> serde_json::Value {
    let ciphertext = seal(SEAL_NONCE, ASSOCIATED_DATA, text).expect("12 bytes");
    serde_json::json!({
        "id": "EV-2030010100000000001",
        "create_time": "2030-01-01T07:59:01+08:00",
        "event_type": event_type,
        "resource_type": "encrypt-resource",
        "summary": "用券成功",
        "resource": {
            "original_type": "coupon",
            "algorithm": "AEAD_AES_256_GCM",
            "ciphertext": ciphertext,
            "nonce": SEAL_NONCE,
            "associated_data": ASSOCIATED_DATA,
        },
    })
}

/// The bytes of [`envelope`].
pub fn body(event_type: &str, text: &[u8]) -> Vec<u8> {
    envelope(event_type, text).to_string().into_bytes()
}
