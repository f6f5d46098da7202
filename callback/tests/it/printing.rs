//! What is printed holds no secret, no person and nothing sealed.

use std::fmt::Debug;

use favor_callback::{Receiver, Rejection};
use serde_json::{Value, json};

use crate::platform::USED;
use crate::world::{API_V3_KEY, chain, receive_signed, receiver, recipient, sealing, used};

const OPENID: &str = "oTea0000000000000000000000001";
/// A text that only notifications hold.
const MARK: &str = "body-marker-4711";

#[track_caller]
fn assert_clean(text: &str, also: &[&str]) {
    for secret in [API_V3_KEY, OPENID, MARK].into_iter().chain(also.iter().copied()) {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    let bytes = format!("{:?}", &API_V3_KEY.as_bytes()[..4]);
    assert!(!text.contains(bytes.trim_matches(['[', ']'])), "the key's bytes in {text}");
}

fn printed(value: &dyn Debug) -> String {
    format!("{value:?}\n{value:#?}")
}

#[tokio::test]
async fn receivers_and_notifications() {
    assert_clean(&printed(&receiver()), &[]);
    assert_clean(&printed(&recipient()), &[]);
    assert_clean(&printed(&Receiver::builder(recipient())), &[]);
    let mut text: Value = serde_json::from_str(USED).unwrap();
    text["openid"] = OPENID.into();
    text["a_field_of_the_future"] = json!({"name": MARK});
    for event_type in ["COUPON.USE", "COUPON.SEND", "LATER"] {
        let mut body: Value = serde_json::from_str(&sealing(event_type, &text.to_string())).unwrap();
        body["summary"] = MARK.into();
        let ciphertext = body["resource"]["ciphertext"].as_str().unwrap()[..40].to_owned();
        let notification = receive_signed(body.to_string()).await.unwrap();
        assert_clean(&printed(&notification), &[&ciphertext]);
        assert!(notification.raw().contains(OPENID), "raw is for the application");
        assert!(printed(&notification).contains("EV-2026080300000000001"));
    }
}

/// Every rejection of an authentic message, whose texts could be quoted.
#[tokio::test]
async fn rejections() {
    let mut texts = Vec::new();
    for field in ["coupon_id", "create_time", "status", "no_cash", "consume_information"] {
        for bad in [json!({MARK: OPENID}), json!([OPENID]), json!(OPENID)] {
            let mut text: Value = serde_json::from_str(USED).unwrap();
            text[field] = bad;
            texts.push(sealing("COUPON.USE", &text.to_string()));
        }
    }
    texts.push(sealing("COUPON.USE", &format!("{{\"{MARK}\":\"{OPENID}")));
    texts.push(format!("{{\"{MARK}\":\"{OPENID}\""));
    for (field, value) in [("id", json!([MARK])), ("summary", json!({MARK: 1})), ("create_time", json!(MARK))]
    {
        let mut body = used();
        body[field] = value;
        texts.push(body.to_string());
    }
    let mut wrong_nonce = used();
    wrong_nonce["resource"]["nonce"] = MARK.into();
    texts.push(wrong_nonce.to_string());
    let mut rejected = 0;
    for text in texts {
        // A status or an id may be any text, and is then no rejection.
        let Err(rejection) = receive_signed(&text).await else { continue };
        rejected += 1;
        assert!(matches!(rejection, Rejection::Malformed(_) | Rejection::Sealed(_)), "{rejection:?}");
        assert_clean(&printed(&rejection), &[]);
        assert_clean(&chain(&rejection), &[]);
        assert_clean(std::str::from_utf8(&rejection.reply().body()).unwrap(), &[]);
    }
    assert!(rejected > 15);
}

#[tokio::test]
async fn an_error_does_not_repeat_its_cause() {
    for body in ["{", &sealing("COUPON.USE", "{}"), &sealing("COUPON.USE", USED).replace("a1b2", "a1b")] {
        let rejection = receive_signed(body).await.unwrap_err();
        let cause = std::error::Error::source(&rejection).unwrap().to_string();
        assert!(!rejection.to_string().contains(&cause), "{rejection}");
    }
}
