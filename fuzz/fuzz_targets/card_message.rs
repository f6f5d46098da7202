//! What anybody sends to the address of an Official Account, with a signature that holds: in plain it does not cover the
//! body.

#![no_main]

use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use favor_card::event::{EncodingAesKey, Message, Receiver, Rejection, Token};
use favor_card::{AppId, sign_values};
use favor_core::ManualClock;
use libfuzzer_sys::fuzz_target;

const TOKEN: &str = "merchantToken01";
const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
const APP_ID: &str = "wx1234567890abcdef";
const NOW: &str = "1700000000";
const GOOD: &str = include_str!("../seeds/card_message/claimed");

static PLAIN: LazyLock<Receiver> = LazyLock::new(|| {
    let clock = ManualClock::new(chrono::DateTime::from_timestamp(1_700_000_000, 0).expect("a time"));
    let token = Token::new(TOKEN).expect("a token");
    Receiver::new(token, AppId::new(APP_ID).expect("an appid")).clock(Arc::new(clock))
});
static SEALED: LazyLock<Receiver> = LazyLock::new(|| PLAIN.clone().key(key()));

fn key() -> EncodingAesKey {
    EncodingAesKey::new(KEY).expect("a key")
}

fn plain(body: &[u8]) -> Result<Message, Rejection> {
    let signature = sign_values(&[TOKEN, NOW, "1"]);
    PLAIN.read(&format!("signature={signature}&timestamp={NOW}&nonce=1"), body)
}

fn sealed(encrypted: &str) -> Result<Message, Rejection> {
    let signature = sign_values(&[TOKEN, NOW, "1", encrypted]);
    let query = format!("timestamp={NOW}&nonce=1&encrypt_type=aes&msg_signature={signature}");
    SEALED.read(&query, format!("<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>").as_bytes())
}

fuzz_target!(
    init: {
        assert_eq!(plain(GOOD.as_bytes()).expect("a good one is taken").name, "user_get_card");
    },
    |body: &[u8]| {
        let read = plain(body);
        let _ = format!("{read:?}");
        if let Ok(text) = std::str::from_utf8(body) {
            let opened = sealed(&key().seal([7; 16], text, APP_ID).expect("a short text is sealed"));
            match (read, opened) {
                (Ok(read), Ok(opened)) => {
                    assert_eq!((read.key(), &read.event), (opened.key(), &opened.event));
                    assert!(opened.is_encrypted() && !read.is_encrypted());
                }
                (Err(_), Err(rejection)) => assert_ne!(rejection.answer().status(), 200),
                (read, opened) => panic!("only one was taken: {read:?} {opened:?}"),
            }
            let _ = format!("{:?}", sealed(text));
        } else {
            assert!(read.is_err(), "messages are UTF-8");
        }
        // Bytes that open must be what sealing them gives, but for the random bytes and the padding.
        if let Ok((xml, app_id)) = key().open(&STANDARD.encode(body)) {
            let again = key().seal([0; 16], &xml, &app_id).expect("it was sealed");
            assert_eq!(key().open(&again).expect("what is sealed opens"), (xml, app_id));
        }
    }
);
