//! Sensitive fields: sealed to the platform, opened with the merchant's key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use favor_core::{KeySet, SensitiveError};

use crate::platform::{
    PUBLIC_KEY_ID, Platform, SERIAL_2, certificate_1, certificate_2, certificate_set, public_key_set,
};
use crate::test_keys::{MERCHANT, on_every_backend};
use crate::world::start;

#[test]
fn a_field_is_sealed_with_the_preferred_key_and_names_it() {
    let certificates = certificate_set([certificate_1(-20, 20).as_str(), certificate_2(-10, 10).as_str()]);
    for (keys, platform, serial) in [
        (public_key_set(), Platform::by_public_key(), PUBLIC_KEY_ID),
        (certificates, Platform::by_certificate_2(), SERIAL_2),
    ] {
        let sealed = keys.seal("张三", start()).unwrap();
        assert_eq!(sealed.serial.as_str(), serial);
        assert_eq!(platform.key.open_field(&sealed.ciphertext).unwrap(), "张三");
    }
}

#[test]
fn an_empty_text_is_not_encrypted() {
    let sealed = public_key_set().seal("", start()).unwrap();
    assert_eq!((sealed.ciphertext.as_str(), sealed.serial.as_str()), ("", PUBLIC_KEY_ID));
    for (_, key) in on_every_backend(MERCHANT) {
        assert_eq!(key.open_field("").unwrap(), "");
    }
}

#[test]
fn what_cannot_be_sealed_is_named() {
    let expired = certificate_set([certificate_1(-20, -10).as_str()]);
    for keys in [KeySet::new(), expired] {
        let error = keys.seal("x", start()).unwrap_err();
        assert_eq!(error, SensitiveError::NoKey);
        assert_eq!(error.to_string(), "no platform key is held that is valid now");
    }
    let keys = public_key_set();
    assert!(keys.seal(&"x".repeat(214), start()).is_ok());
    let error = keys.seal(&"x".repeat(215), start()).unwrap_err();
    assert_eq!(error, SensitiveError::TooLong);
    assert_eq!(error.to_string(), "the text is too long to be sealed in one field");
}

#[test]
fn what_cannot_be_opened_is_named() {
    for (backend, key) in on_every_backend(MERCHANT) {
        let sealed_to_us = |text: &[u8]| STANDARD.encode(key.public_key().encrypt_oaep(text).unwrap());
        assert_eq!(key.open_field(&sealed_to_us(b"text")).unwrap(), "text");
        let foreign = public_key_set().seal("text", start()).unwrap().ciphertext;
        for (field, expected, words) in [
            ("%".to_owned(), SensitiveError::Base64, "the field is not Base64"),
            ("AAAA".to_owned(), SensitiveError::WrongKey, "the field was not sealed to this merchant's key"),
            (foreign, SensitiveError::WrongKey, "the field was not sealed to this merchant's key"),
            (sealed_to_us(&[0xff]), SensitiveError::NotText, "the opened field is not UTF-8 text"),
        ] {
            let error = key.open_field(&field).unwrap_err();
            assert_eq!(error, expected, "{backend:?}");
            assert_eq!(error.to_string(), words);
        }
    }
}
