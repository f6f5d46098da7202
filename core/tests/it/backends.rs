//! The RSA backends against each other. With one backend in the build they are compared with themselves.

use std::sync::LazyLock;

use favor_core::{Backend, PrivateKey, PublicKey};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::test_keys::{MERCHANT, OTHER, file, on_every_backend};

static KEYS: LazyLock<Vec<(Backend, PrivateKey)>> = LazyLock::new(|| on_every_backend(MERCHANT));
static OTHERS: LazyLock<Vec<(Backend, PrivateKey)>> = LazyLock::new(|| on_every_backend(OTHER));

/// Every pair of a private key's backend and a public key's.
fn pairs() -> impl Iterator<Item = (&'static PrivateKey, &'static PublicKey)> {
    KEYS.iter().flat_map(|(_, private)| KEYS.iter().map(move |(_, public)| (private, public.public_key())))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn all_backends_give_the_same_signature_and_verify_each_others(message: Vec<u8>) {
        let signatures: Vec<_> = KEYS.iter().map(|(_, key)| key.sign(&message).unwrap()).collect();
        prop_assert!(signatures.iter().all(|signature| *signature == signatures[0]));
        for (private, public) in pairs() {
            prop_assert!(public.verify(&message, &private.sign(&message).unwrap()).is_ok());
        }
    }

    #[test]
    fn all_backends_refuse_a_flipped_bit(message in prop::collection::vec(any::<u8>(), 1..200), at: Index, bit in 0..8u8, in_message: bool) {
        let (mut message, mut signature) = (message.clone(), KEYS[0].1.sign(&message).unwrap());
        let damaged = if in_message { &mut message } else { &mut signature };
        let at = at.index(damaged.len());
        damaged[at] ^= 1 << bit;
        for (backend, key) in KEYS.iter() {
            prop_assert!(key.public_key().verify(&message, &signature).is_err(), "{:?}", backend);
        }
    }

    #[test]
    fn all_backends_refuse_a_signature_of_any_other_length(message: Vec<u8>, length in 0..600usize) {
        let mut signature = KEYS[0].1.sign(&message).unwrap();
        prop_assume!(length != signature.len());
        signature.resize(length, 0);
        for (backend, key) in KEYS.iter() {
            prop_assert!(key.public_key().verify(&message, &signature).is_err(), "{:?}", backend);
        }
    }

    #[test]
    fn what_one_backend_seals_every_backend_opens(text in prop::collection::vec(any::<u8>(), 0..=214)) {
        for (private, public) in pairs() {
            let sealed = public.encrypt_oaep(&text).unwrap();
            prop_assert_eq!(private.decrypt_oaep(&sealed).unwrap(), text.clone());
        }
    }

    #[test]
    fn all_backends_refuse_a_damaged_or_foreign_ciphertext(text in prop::collection::vec(any::<u8>(), 0..=214), at: Index, bit in 0..8u8) {
        let sealed = KEYS[0].1.public_key().encrypt_oaep(&text).unwrap();
        let mut damaged = sealed.clone();
        damaged[at.index(sealed.len())] ^= 1 << bit;
        for ((backend, key), (_, other)) in KEYS.iter().zip(OTHERS.iter()) {
            prop_assert!(key.decrypt_oaep(&damaged).is_err(), "{:?}", backend);
            prop_assert!(key.decrypt_oaep(&sealed[1..]).is_err(), "{:?}", backend);
            prop_assert!(other.decrypt_oaep(&sealed).is_err(), "{:?}", backend);
        }
    }
}

#[test]
fn a_2048_bit_key_seals_214_bytes_and_not_215() {
    for (backend, key) in KEYS.iter() {
        assert!(key.public_key().encrypt_oaep(&[7; 214]).is_ok(), "{backend:?}");
        let error = key.public_key().encrypt_oaep(&[7; 215]).unwrap_err();
        assert_eq!(error.to_string(), "the RSA operation failed", "{backend:?}");
    }
}

#[test]
fn sealing_the_same_text_twice_gives_two_ciphertexts() {
    for (backend, key) in KEYS.iter() {
        let seal = || key.public_key().encrypt_oaep(b"text").unwrap();
        assert_ne!(seal(), seal(), "{backend:?}");
    }
}

#[test]
fn larger_keys_work_on_every_backend() {
    let pem = String::from_utf8(file("large.pem")).unwrap();
    let keys = on_every_backend(&pem);
    let signature = keys[0].1.sign(b"message").unwrap();
    assert_eq!(signature.len(), 512);
    for (backend, key) in &keys {
        assert_eq!(key.public_key().bits(), 4096);
        assert!(key.public_key().verify(b"message", &signature).is_ok(), "{backend:?}");
        let sealed = key.public_key().encrypt_oaep(b"text").unwrap();
        assert_eq!(key.decrypt_oaep(&sealed).unwrap(), b"text", "{backend:?}");
    }
}

#[test]
fn the_default_backend_is_the_first_of_this_build() {
    assert_eq!(Some(&Backend::default()), Backend::ALL.first());
    let expected = usize::from(cfg!(feature = "aws-lc")) + usize::from(cfg!(feature = "rustcrypto"));
    assert_eq!(Backend::ALL.len(), expected);
}

#[test]
fn keys_compare_across_backends() {
    for (_, key) in KEYS.iter() {
        assert_eq!(key.public_key(), KEYS[0].1.public_key());
        assert_ne!(key.public_key(), OTHERS[0].1.public_key());
    }
}
