//! Fixed vectors made by openssl and Python (`tests/vectors/`), on every backend.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use favor_core::sign::{Stamp, request_message, response_message};
use favor_core::{ApiV3Key, Sealed};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::test_keys::{MERCHANT, PUBLIC_KEY_PUBLIC, on_every_backend, public_on_every_backend};

fn read<T: DeserializeOwned>(json: &str) -> Vec<T> {
    let vectors: Vec<T> = serde_json::from_str(json).unwrap();
    assert!(!vectors.is_empty());
    vectors
}

#[test]
fn request_signatures_are_those_of_openssl() {
    #[derive(Deserialize)]
    struct Vector {
        name: String,
        method: String,
        path_and_query: String,
        timestamp: i64,
        nonce: String,
        body: String,
        signature: String,
    }
    let vectors: Vec<Vector> = read(include_str!("../../../tests/vectors/requests.json"));
    for (backend, key) in on_every_backend(MERCHANT) {
        for vector in &vectors {
            let stamp = Stamp { timestamp: vector.timestamp, nonce: vector.nonce.clone() };
            let message =
                request_message(&vector.method, &vector.path_and_query, &stamp, vector.body.as_bytes());
            let signature = STANDARD.encode(key.sign(&message).unwrap());
            assert_eq!(signature, vector.signature, "{}, {backend:?}", vector.name);
        }
    }
}

#[test]
fn response_signatures_of_openssl_hold_and_none_else() {
    #[derive(Deserialize)]
    struct Vector {
        name: String,
        timestamp: String,
        nonce: String,
        body: String,
        signature: String,
    }
    let vectors: Vec<Vector> = read(include_str!("../../../tests/vectors/responses.json"));
    for (backend, key) in public_on_every_backend(PUBLIC_KEY_PUBLIC) {
        for vector in &vectors {
            let signature = STANDARD.decode(&vector.signature).unwrap();
            let verify = |body: &str| {
                let message = response_message(&vector.timestamp, &vector.nonce, body.as_bytes());
                key.verify(&message, &signature)
            };
            assert!(verify(&vector.body).is_ok(), "{}, {backend:?}", vector.name);
            assert!(verify(&format!("{}\n", vector.body)).is_err(), "{}, {backend:?}", vector.name);
        }
    }
}

#[test]
fn texts_sealed_elsewhere_are_opened() {
    #[derive(Deserialize)]
    struct Vector {
        name: String,
        key: String,
        nonce: String,
        associated_data: String,
        ciphertext: String,
        plaintext: String,
    }
    let vectors: Vec<Vector> = read(include_str!("../../../tests/vectors/aead.json"));
    for vector in vectors {
        let key = ApiV3Key::new(&vector.key).unwrap();
        let sealed = |associated_data| Sealed::new(&vector.ciphertext, &vector.nonce, associated_data);
        let opened = key.open(&sealed(Some(vector.associated_data.clone()))).unwrap();
        assert_eq!(opened, vector.plaintext.as_bytes(), "{}", vector.name);
        if vector.associated_data.is_empty() {
            let opened = key.open(&sealed(None)).unwrap();
            assert_eq!(opened, vector.plaintext.as_bytes(), "missing associated data counts as empty");
        }
    }
}

#[test]
fn fields_sealed_by_openssl_are_opened() {
    #[derive(Deserialize)]
    struct Vector {
        plaintext: String,
        ciphertext: String,
    }
    let vectors: Vec<Vector> = read(include_str!("../../../tests/vectors/oaep.json"));
    for (backend, key) in on_every_backend(MERCHANT) {
        for vector in &vectors {
            assert_eq!(key.open_field(&vector.ciphertext).unwrap(), vector.plaintext, "{backend:?}");
        }
    }
}
