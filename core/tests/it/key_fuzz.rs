//! Hostile and damaged key files: an error each time, never a panic.

use favor_core::{ApiV3Key, Backend, Certificate, PrivateKey, PublicKey};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::test_keys::{MERCHANT, MERCHANT_CERTIFICATE, MERCHANT_PUBLIC, file};

/// Whether each kind of key could be read from `bytes`, on every backend.
fn read_all(bytes: &[u8]) -> Vec<bool> {
    let _ = ApiV3Key::new(bytes);
    let backends = Backend::ALL.iter().copied();
    backends
        .flat_map(|backend| {
            [
                PrivateKey::from_pem_with(bytes, backend).is_ok(),
                PublicKey::from_pem_with(bytes, backend).is_ok(),
                Certificate::from_pem_with(bytes, backend).is_ok(),
            ]
        })
        .collect()
}

#[test]
fn a_truncated_file_is_refused_wherever_it_ends() {
    let pkcs1 = String::from_utf8(file("merchant-pkcs1.pem")).unwrap();
    for pem in [MERCHANT, &pkcs1, MERCHANT_PUBLIC, MERCHANT_CERTIFICATE] {
        let end = pem.trim_end().len() - 1;
        for length in (0..end).step_by(50).chain([end]) {
            let read = read_all(&pem.as_bytes()[..length]);
            assert!(read.iter().all(|read| !read), "{length} bytes of {}", &pem[..27]);
        }
    }
}

#[test]
fn truncated_der_under_intact_armour_is_refused_wherever_it_ends() {
    let pkcs1 = String::from_utf8(file("merchant-pkcs1.pem")).unwrap();
    for text in [MERCHANT, &pkcs1, MERCHANT_PUBLIC, MERCHANT_CERTIFICATE] {
        let block = pem::parse(text).unwrap();
        let der = block.contents();
        for length in (0..der.len()).step_by(50).chain([der.len() - 1]) {
            let pem = pem::encode(&pem::Pem::new(block.tag(), &der[..length]));
            let read = read_all(pem.as_bytes());
            assert!(read.iter().all(|read| !read), "{length} bytes of {}", block.tag());
        }
    }
}

#[test]
fn a_key_of_zeros_is_refused() {
    let integer = |bytes: &[u8]| {
        let length = u8::try_from(bytes.len() % 256).unwrap();
        let high = u8::try_from(bytes.len() / 256).unwrap();
        [&[0x02, 0x82, high, length], bytes].concat()
    };
    let sequence = |content: &[u8]| [&[0x30][..], &integer(content)[1..]].concat();
    let modulus = integer(&[&[0], [0xff; 256].as_slice()].concat());
    for filler in [&[0][..], &[1], &[2], &[0x7f; 128]] {
        let parts = [integer(&[0]), modulus.clone(), integer(&[1, 0, 1])];
        let rest = integer(filler).repeat(6);
        let der = sequence(&[parts.concat(), rest].concat());
        let pem = pem::encode(&pem::Pem::new("RSA PRIVATE KEY", der));
        assert!(read_all(pem.as_bytes()).iter().all(|read| !read), "{filler:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arbitrary_bytes_are_refused(bytes: Vec<u8>) {
        prop_assert!(read_all(&bytes).iter().all(|read| !read));
    }

    #[test]
    fn arbitrary_bytes_under_a_good_label_are_refused(
        label in prop::sample::select(vec!["PRIVATE KEY", "RSA PRIVATE KEY", "PUBLIC KEY", "CERTIFICATE"]),
        der in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let pem = pem::encode(&pem::Pem::new(label, der));
        prop_assert!(read_all(pem.as_bytes()).iter().all(|read| !read));
    }

    #[test]
    fn a_damaged_byte_never_panics_and_never_gives_a_key_that_cannot_sign(at: Index, to: u8, pkcs1: bool) {
        let name = if pkcs1 { "merchant-pkcs1.pem" } else { "merchant.pem" };
        let block = pem::parse(file(name)).unwrap();
        let mut der = block.contents().to_vec();
        let at = at.index(der.len());
        der[at] = to;
        let pem = pem::encode(&pem::Pem::new(block.tag(), der));
        for backend in Backend::ALL.iter().copied() {
            if let Ok(key) = PrivateKey::from_pem_with(&pem, backend) {
                let signature = key.sign(b"message").unwrap();
                prop_assert!(key.public_key().verify(b"message", &signature).is_ok());
            }
        }
    }

    #[test]
    fn a_damaged_certificate_never_panics(at: Index, to: u8) {
        let block = pem::parse(MERCHANT_CERTIFICATE).unwrap();
        let mut der = block.contents().to_vec();
        let at = at.index(der.len());
        der[at] = to;
        let pem = pem::encode(&pem::Pem::new("CERTIFICATE", der));
        let _ = read_all(pem.as_bytes());
    }
}
