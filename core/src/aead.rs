//! AEAD_AES_256_GCM with the APIv3 key: opens platform certificates and notifications (spec §2.14).

use std::fmt;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::key_file::KeyError;
use crate::secret::Secret;

/// The algorithm's name on the wire.
pub const AEAD_AES_256_GCM: &str = "AEAD_AES_256_GCM";

const NONCE_BYTES: usize = 12;

/// The APIv3 key: 32 characters set by the merchant in the console, used raw as an AES-256 key.
#[derive(Clone)]
pub struct ApiV3Key(Secret<[u8; 32]>);

impl ApiV3Key {
    /// Takes the key as the console shows it. Surrounding blanks and line ends are not part of it.
    ///
    /// # Errors
    /// [`KeyError`] unless it has exactly 32 printable ASCII characters.
    pub fn new(key: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        let key = key.as_ref().trim_ascii();
        let bytes: [u8; 32] = key.try_into().map_err(|_| KeyError::api_v3_length(key.len()))?;
        if !bytes.iter().all(u8::is_ascii_graphic) {
            return Err(KeyError::api_v3_text());
        }
        Ok(Self(Secret::new(bytes)))
    }

    /// Opens `sealed`.
    ///
    /// # Errors
    /// [`AeadError`]: another algorithm, a malformed part, or a tag that does not hold. The last means that the
    /// APIv3 key is not the one the platform used, or that the text was changed on the way.
    pub fn open(&self, sealed: &Sealed) -> Result<Vec<u8>, AeadError> {
        if sealed.algorithm != AEAD_AES_256_GCM {
            return Err(AeadError::Algorithm(sealed.algorithm.clone()));
        }
        if sealed.nonce.len() != NONCE_BYTES {
            return Err(AeadError::Nonce(sealed.nonce.len()));
        }
        let nonce =
            Nonce::try_from(sealed.nonce.as_bytes()).map_err(|_| AeadError::Nonce(sealed.nonce.len()))?;
        let ciphertext = STANDARD.decode(&sealed.ciphertext).map_err(|_| AeadError::Base64)?;
        let aad = sealed.associated_data.as_deref().unwrap_or_default().as_bytes();
        Aes256Gcm::new(self.0.expose().into())
            .decrypt(&nonce, Payload { msg: &ciphertext, aad })
            .map_err(|_| AeadError::Tag)
    }
}

impl fmt::Debug for ApiV3Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiV3Key(****)")
    }
}

/// A sealed text as the platform sends it, in certificates and notifications.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Sealed {
    /// Always [`AEAD_AES_256_GCM`].
    pub algorithm: String,
    /// Standard Base64 of ciphertext and tag.
    pub ciphertext: String,
    /// 12 ASCII characters. Unrelated to any signature's nonce.
    pub nonce: String,
    /// Authenticated beside the text; may be empty or missing.
    #[serde(default)]
    pub associated_data: Option<String>,
}

impl Sealed {
    /// A sealed text from its parts, with [`AEAD_AES_256_GCM`].
    pub fn new(
        ciphertext: impl Into<String>,
        nonce: impl Into<String>,
        associated_data: Option<String>,
    ) -> Self {
        Self {
            algorithm: AEAD_AES_256_GCM.to_owned(),
            ciphertext: ciphertext.into(),
            nonce: nonce.into(),
            associated_data,
        }
    }
}

/// Why a sealed text could not be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AeadError {
    /// Not AEAD_AES_256_GCM.
    #[error("sealed with {0:?}, and only AEAD_AES_256_GCM is supported")]
    Algorithm(String),
    /// The nonce does not have 12 bytes.
    #[error("the nonce has {0} bytes, not 12")]
    Nonce(usize),
    /// The ciphertext is not standard Base64.
    #[error("the ciphertext is not Base64")]
    Base64,
    /// The tag does not hold.
    #[error(
        "the APIv3 key does not open it: the key is not the one set in the merchant console, or the text was changed"
    )]
    Tag,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: &str = "0123456789abcdef0123456789ABCDEF";

    fn seal(plaintext: &[u8], nonce: &str, aad: &str) -> Sealed {
        let key = Aes256Gcm::new_from_slice(KEY.as_bytes()).unwrap();
        let nonce_bytes = Nonce::try_from(nonce.as_bytes()).unwrap();
        let sealed = key.encrypt(&nonce_bytes, Payload { msg: plaintext, aad: aad.as_bytes() }).unwrap();
        Sealed::new(STANDARD.encode(sealed), nonce, Some(aad.to_owned()))
    }

    #[test]
    fn the_key_must_have_32_characters() {
        assert!(ApiV3Key::new(KEY).is_ok());
        assert!(ApiV3Key::new(format!("{KEY}\n")).is_ok());
        let error = ApiV3Key::new(&KEY[1..]).unwrap_err().to_string();
        assert!(error.contains("31 bytes") && error.contains("exactly 32"), "{error}");
        assert!(ApiV3Key::new("0123456789abcdef\u{7}123456789ABCDEF").is_err());
        assert_eq!(format!("{:?}", ApiV3Key::new(KEY).unwrap()), "ApiV3Key(****)");
    }

    #[test]
    fn each_fault_is_named() {
        let key = ApiV3Key::new(KEY).unwrap();
        let good = seal(b"text", "abcdefghijkl", "certificate");
        assert_eq!(key.open(&good).unwrap(), b"text");
        let other = ApiV3Key::new("X".repeat(32)).unwrap();
        assert_eq!(other.open(&good), Err(AeadError::Tag));
        assert_eq!(
            key.open(&Sealed { algorithm: "AEAD_SM4_GCM".into(), ..good.clone() }),
            Err(AeadError::Algorithm("AEAD_SM4_GCM".into()))
        );
        assert_eq!(key.open(&Sealed { nonce: "abc".into(), ..good.clone() }), Err(AeadError::Nonce(3)));
        assert_eq!(key.open(&Sealed { ciphertext: "%%".into(), ..good.clone() }), Err(AeadError::Base64));
        assert_eq!(key.open(&Sealed { associated_data: None, ..good.clone() }), Err(AeadError::Tag));
        assert_eq!(key.open(&Sealed { ciphertext: String::new(), ..good }), Err(AeadError::Tag));
    }

    proptest! {
        #[test]
        fn opens_what_was_sealed_and_nothing_else(text: Vec<u8>, flip in any::<prop::sample::Index>()) {
            let key = ApiV3Key::new(KEY).unwrap();
            let sealed = seal(&text, "abcdefghijkl", "");
            prop_assert_eq!(key.open(&sealed).unwrap(), text);
            let mut bytes = STANDARD.decode(&sealed.ciphertext).unwrap();
            let at = flip.index(bytes.len());
            bytes[at] ^= 1;
            let damaged = Sealed { ciphertext: STANDARD.encode(bytes), ..sealed };
            prop_assert_eq!(key.open(&damaged), Err(AeadError::Tag));
        }

        #[test]
        fn hostile_parts_never_panic(algorithm: String, ciphertext: String, nonce: String, aad: Option<String>) {
            let sealed = Sealed { algorithm, ciphertext, nonce, associated_data: aad };
            prop_assert!(ApiV3Key::new(KEY).unwrap().open(&sealed).is_err());
        }
    }
}
