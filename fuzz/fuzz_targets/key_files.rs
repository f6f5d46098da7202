//! What somebody put into a key file.

#![no_main]

use favor_core::{ApiV3Key, Backend, Certificate, PrivateKey, PublicKey};
use libfuzzer_sys::fuzz_target;

const PRIVATE: &str = include_str!("../../core/tests/it/keys/merchant.pem");
const CERTIFICATE: &str = include_str!("../../core/tests/it/keys/merchant-certificate.pem");

fuzz_target!(
    init: {
        for backend in Backend::ALL.iter().copied() {
            PrivateKey::from_pem_with(PRIVATE, backend).expect("a good key is read");
            Certificate::from_pem_with(CERTIFICATE, backend).expect("a good certificate is read");
        }
    },
    |file: &[u8]| {
        if let Err(error) = ApiV3Key::new(file) {
            let _ = format!("{error} {error:?}");
        }
        for backend in Backend::ALL.iter().copied() {
            match PrivateKey::from_pem_with(file, backend) {
                Ok(key) => {
                    // What is taken signs, and its own public half agrees.
                    let signature = key.sign(b"message").expect("a key that was taken signs");
                    key.public_key().verify(b"message", &signature).expect("its own signature holds");
                    assert!((2048..=8192).contains(&key.public_key().bits()));
                }
                Err(error) => drop(format!("{error} {error:?}")),
            }
            match PublicKey::from_pem_with(file, backend) {
                Ok(key) => assert!(key.verify(b"message", &[1; 256]).is_err()),
                Err(error) => drop(format!("{error} {error:?}")),
            }
            match Certificate::from_pem_with(file, backend) {
                Ok(certificate) => {
                    let _ = format!("{certificate:?}");
                    // What was taken can be written and read again: so do stores of keys.
                    let again = Certificate::from_pem_with(certificate.pem(), backend);
                    assert_eq!(again.expect("its own text is read").serial(), certificate.serial());
                }
                Err(error) => drop(format!("{error} {error:?}")),
            }
        }
    }
);
