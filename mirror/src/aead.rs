//! AEAD_AES_256_GCM as the platform uses it.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The name on the wire.
pub(crate) const ALGORITHM: &str = "AEAD_AES_256_GCM";
/// Bytes in an APIv3 key.
pub(crate) const KEY_LENGTH: usize = 32;
const NONCE_LENGTH: usize = 12;

/// A sealed text with what is needed to open it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sealed {
    pub(crate) nonce: String,
    /// Base64 of ciphertext and tag.
    pub(crate) ciphertext: String,
}

/// Seals a text under an APIv3 key with a fresh nonce.
pub(crate) fn seal(key: &[u8; KEY_LENGTH], associated_data: &str, plaintext: &str) -> Sealed {
    seal_with(key, &crate::random::alphanumeric(NONCE_LENGTH), associated_data, plaintext)
}

fn seal_with(key: &[u8; KEY_LENGTH], nonce: &str, associated_data: &str, plaintext: &str) -> Sealed {
    let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).expect("the key has 32 bytes"));
    let iv = Nonce::try_assume_unique_for_key(nonce.as_bytes()).expect("the nonce has 12 bytes");
    let mut text = plaintext.as_bytes().to_vec();
    cipher
        .seal_in_place_append_tag(iv, Aad::from(associated_data.as_bytes()), &mut text)
        .expect("the text is far below the cipher's limit");
    Sealed { nonce: nonce.to_owned(), ciphertext: STANDARD.encode(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_equals_a_ciphertext_made_elsewhere() {
        // python: AESGCM(b"0123456789abcdef0123456789abcdef").encrypt(b"a1b2c3d4e5f6", b"hello", b"certificate")
        let sealed = seal_with(b"0123456789abcdef0123456789abcdef", "a1b2c3d4e5f6", "certificate", "hello");
        assert_eq!(sealed.ciphertext, "T1mDeFMXU6VCNe0pZTPVTVIbPnOi");
    }

    #[test]
    fn every_nonce_is_new() {
        let key = [7; KEY_LENGTH];
        assert_ne!(seal(&key, "certificate", "x"), seal(&key, "certificate", "x"));
    }
}
