//! Sensitive fields: sealed to the platform, opened with the merchant's key (spec §2.15).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};

use crate::keys::{KeySet, Serial};
use crate::rsa::{PrivateKey, RsaError};

/// A field sealed to the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SealedField {
    /// Standard Base64, the field's value on the wire. Empty for an empty text, which is not encrypted.
    pub ciphertext: String,
    /// The platform key it was sealed with. The request must announce it:
    /// [`CallBuilder::sealed_with`](crate::CallBuilder::sealed_with).
    pub serial: Serial,
}

/// Why a field could not be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SensitiveError {
    /// No platform key is held that is valid now.
    #[error("no platform key is held that is valid now")]
    NoKey,
    /// More than 214 bytes for an RSA key of 2048 bits.
    #[error("the text is too long to be sealed in one field")]
    TooLong,
    /// The field is not standard Base64.
    #[error("the field is not Base64")]
    Base64,
    /// The field was not sealed with this merchant's certificate.
    #[error("the field was not sealed to this merchant's key")]
    WrongKey,
    /// The opened field is not UTF-8 text.
    #[error("the opened field is not UTF-8 text")]
    NotText,
}

impl KeySet {
    /// Seals `text` with the preferred platform key.
    ///
    /// # Errors
    /// [`SensitiveError::NoKey`] or [`SensitiveError::TooLong`].
    pub fn seal(&self, text: &str, now: DateTime<Utc>) -> Result<SealedField, SensitiveError> {
        let (serial, key) = self.preferred(now).ok_or(SensitiveError::NoKey)?;
        let ciphertext = match text {
            "" => String::new(),
            text => STANDARD
                .encode(key.encrypt_oaep(text.as_bytes()).map_err(|RsaError| SensitiveError::TooLong)?),
        };
        Ok(SealedField { ciphertext, serial: serial.clone() })
    }
}

impl PrivateKey {
    /// Opens a field that the platform sealed with the merchant's certificate.
    ///
    /// # Errors
    /// [`SensitiveError`].
    pub fn open_field(&self, field: &str) -> Result<String, SensitiveError> {
        if field.is_empty() {
            return Ok(String::new());
        }
        let ciphertext = STANDARD.decode(field).map_err(|_| SensitiveError::Base64)?;
        let plaintext = self.decrypt_oaep(&ciphertext).map_err(|RsaError| SensitiveError::WrongKey)?;
        String::from_utf8(plaintext).map_err(|_| SensitiveError::NotText)
    }
}
