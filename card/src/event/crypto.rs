//! The encrypted form of messages (spec §7.3).

use std::fmt;

use aes::Aes256;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _};
use zeroize::ZeroizeOnDrop;

use crate::secret::SecretError;

/// Padding goes up to a block of 32 bytes, not of the cipher's 16.
const BLOCK: usize = 32;
/// Random bytes, then the length.
const HEAD: usize = 16 + 4;

/// The key's 43rd character usually has bits to spare that are not zero, which strict decoders refuse.
const LOOSE: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// The EncodingAESKey of an account. Debug does not show it.
#[derive(Clone, ZeroizeOnDrop)]
pub struct EncodingAesKey([u8; 32]);

impl EncodingAesKey {
    /// Reads the 43 characters that the console shows; blanks around them are cut off.
    ///
    /// # Errors
    /// [`SecretError`] when they are not 43 letters and digits (or `+` and `/`).
    pub fn new(text: &str) -> Result<Self, SecretError> {
        let wrong =
            SecretError("the EncodingAESKey must be the 43 letters and digits that the console shows");
        let text = text.trim();
        if text.len() != 43 {
            return Err(wrong);
        }
        let mut key = Self([0; 32]);
        match LOOSE.decode_slice(format!("{text}="), &mut key.0) {
            Ok(32) => Ok(key),
            _ => Err(wrong),
        }
    }

    /// Opens a message: its XML and the appid inside.
    ///
    /// # Errors
    /// [`CryptError`] when it is not one.
    pub fn open(&self, encrypted: &str) -> Result<(String, String), CryptError> {
        let mut bytes = STANDARD.decode(encrypted.trim()).map_err(|_| CryptError::Base64)?;
        if bytes.is_empty() || !bytes.len().is_multiple_of(16) {
            return Err(CryptError::Length(bytes.len()));
        }
        let iv: [u8; 16] = self.iv();
        cbc::Decryptor::<Aes256>::new(&self.0.into(), &iv.into())
            .decrypt_padded::<NoPadding>(&mut bytes)
            .map_err(|_| CryptError::Padding)?;
        let padding = usize::from(bytes.last().copied().unwrap_or(0));
        if !(1..=BLOCK).contains(&padding) || padding > bytes.len() {
            return Err(CryptError::Padding);
        }
        bytes.truncate(bytes.len() - padding);
        let length = bytes.get(16..HEAD).and_then(|length| length.try_into().ok()).map(u32::from_be_bytes);
        let length = length.and_then(|length| usize::try_from(length).ok()).ok_or(CryptError::Layout)?;
        let end = HEAD.checked_add(length).ok_or(CryptError::Layout)?;
        let (Some(xml), Some(app_id)) = (bytes.get(HEAD..end), bytes.get(end..)) else {
            return Err(CryptError::Layout);
        };
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| CryptError::Text);
        Ok((text(xml)?, text(app_id)?))
    }

    /// Seals a message. The 16 bytes must be random, and new for each message.
    ///
    /// # Errors
    /// [`CryptError::Length`] beyond 4 GiB.
    pub fn seal(&self, random: [u8; 16], xml: &str, app_id: &str) -> Result<String, CryptError> {
        let length = u32::try_from(xml.len()).map_err(|_| CryptError::Length(xml.len()))?;
        let mut bytes = [&random[..], &length.to_be_bytes(), xml.as_bytes(), app_id.as_bytes()].concat();
        // From 1 to 32 bytes, each holding that number.
        let padding = BLOCK - bytes.len() % BLOCK;
        bytes.resize(bytes.len() + padding, u8::try_from(padding).unwrap_or(0));
        let length = bytes.len();
        let iv: [u8; 16] = self.iv();
        cbc::Encryptor::<Aes256>::new(&self.0.into(), &iv.into())
            .encrypt_padded::<NoPadding>(&mut bytes, length)
            .map_err(|_| CryptError::Padding)?;
        Ok(STANDARD.encode(bytes))
    }

    fn iv(&self) -> [u8; 16] {
        let mut iv = [0; 16];
        iv.copy_from_slice(&self.0[..16]);
        iv
    }
}

impl fmt::Debug for EncodingAesKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EncodingAesKey(****)")
    }
}

/// Why an encrypted message cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CryptError {
    /// It is not Base64.
    #[error("the encrypted message is not Base64")]
    Base64,
    /// Its length is no multiple of the cipher's block, or beyond what can be said.
    #[error("the encrypted message has {0} bytes, which is no positive multiple of 16")]
    Length(usize),
    /// Its padding is wrong: another key, most of the time.
    #[error("the padding of the message is wrong: it was encrypted with another EncodingAESKey, or damaged")]
    Padding,
    /// The length inside does not fit.
    #[error(
        "the message is not laid out as it should be: it was encrypted with another EncodingAESKey, or damaged"
    )]
    Layout,
    /// It is not UTF-8.
    #[error("the message is not UTF-8: it was encrypted with another EncodingAESKey, or damaged")]
    Text,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";

    #[test]
    fn the_key_is_read_though_it_has_bits_to_spare() {
        let key = EncodingAesKey::new(KEY).unwrap();
        let hex = "69b71d79f8218a39259a7a29aabb2dbafc31cb3d35db7e39ebbf3d0010831051";
        assert_eq!(crate::sign::hex(&key.0), hex);
        assert_eq!(format!("{key:?}"), "EncodingAesKey(****)");
        for bad in ["", "abc", &KEY[1..], &format!("{KEY}="), &format!("{}-", &KEY[..42]), &"é".repeat(21)] {
            let error = EncodingAesKey::new(bad).unwrap_err().to_string();
            assert!(error.contains("43"), "{error}");
        }
        assert!(EncodingAesKey::new(&format!(" {KEY}\n")).is_ok());
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_again(xml in "\\PC{0,200}", app_id in "wx[0-9a-f]{16}", random: [u8; 16], key: [u8; 32]) {
            let key = EncodingAesKey(key);
            let sealed = key.seal(random, &xml, &app_id).unwrap();
            prop_assert_eq!(STANDARD.decode(&sealed).unwrap().len() % BLOCK, 0);
            prop_assert_eq!(key.open(&sealed).unwrap(), (xml, app_id));
        }

        #[test]
        fn anything_else_is_an_error_or_a_message_and_never_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let key = EncodingAesKey::new(KEY).unwrap();
            let _ = key.open(&STANDARD.encode(&bytes));
            let _ = key.open(&String::from_utf8_lossy(&bytes));
        }

        #[test]
        fn another_key_never_shows_the_message(xml in "[a-z]{20,60}", other: [u8; 32]) {
            let key = EncodingAesKey::new(KEY).unwrap();
            prop_assume!(other != key.0);
            let sealed = key.seal([7; 16], &xml, "wx1234567890abcdef").unwrap();
            if let Ok((opened, _)) = EncodingAesKey(other).open(&sealed) {
                prop_assert_ne!(opened, xml);
            }
        }
    }
}
