//! RSA keys: SHA-256 with PKCS#1 v1.5, signatures in Base64.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pem::{EncodeConfig, LineEnding, Pem};

use crate::error::MirrorError;

/// A private key, parsed once.
pub(crate) struct SigningKey {
    pair: RsaKeyPair,
    private_pem: String,
    public_pem: String,
}

impl SigningKey {
    pub(crate) fn from_pem(text: &str) -> Result<Self, MirrorError> {
        let parsed = pem::parse(text).map_err(|_| MirrorError::key("private key is not PEM"))?;
        if parsed.tag() != "PRIVATE KEY" {
            return Err(MirrorError::key("private key must be PKCS#8 (`PRIVATE KEY`)"));
        }
        let pair = RsaKeyPair::from_pkcs8(parsed.contents())
            .map_err(|_| MirrorError::key("private key is not RSA in PKCS#8 form"))?;
        Self::new(pair)
    }

    /// Makes a new 2048-bit key. Takes a good part of a second.
    pub(crate) fn generate() -> Result<Self, MirrorError> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048)
            .map_err(|_| MirrorError::key("no new key could be made"))?;
        Self::new(pair)
    }

    fn new(pair: RsaKeyPair) -> Result<Self, MirrorError> {
        let failed = |_| MirrorError::key("key cannot be written as DER");
        let private: Pkcs8V1Der<'_> = pair.as_der().map_err(failed)?;
        let public: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(failed)?;
        let private_pem = to_pem("PRIVATE KEY", private.as_ref());
        let public_pem = to_pem("PUBLIC KEY", public.as_ref());
        Ok(Self { pair, private_pem, public_pem })
    }

    /// The Base64 signature of a message.
    pub(crate) fn sign(&self, message: &[u8]) -> String {
        STANDARD.encode(self.signature(message))
    }

    fn signature(&self, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .expect("the buffer has the length of the modulus");
        signature
    }

    pub(crate) fn verifying_key(&self) -> VerifyingKey {
        let parsed = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.pair.public_key().as_ref())
            .expect("the public half of a parsed key parses");
        VerifyingKey(parsed)
    }

    pub(crate) fn private_pem(&self) -> &str {
        &self.private_pem
    }

    pub(crate) fn public_pem(&self) -> &str {
        &self.public_pem
    }
}

/// Certificates are made with the key as it is, parsed once.
impl rcgen::PublicKeyData for SigningKey {
    fn der_bytes(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_RSA_SHA256
    }
}

impl rcgen::SigningKey for SigningKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(self.signature(message))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

/// A public key, parsed once.
#[derive(Debug)]
pub(crate) struct VerifyingKey(ParsedPublicKey);

impl VerifyingKey {
    /// Whether the Base64 text is this key's signature of the message.
    pub(crate) fn verifies(&self, message: &[u8], signature: &str) -> bool {
        STANDARD.decode(signature).is_ok_and(|signature| self.0.verify_sig(message, &signature).is_ok())
    }

    /// The key in DER.
    pub(crate) fn der(&self) -> &[u8] {
        self.0.as_ref()
    }
}

fn to_pem(tag: &str, der: &[u8]) -> String {
    pem::encode_config(&Pem::new(tag, der), EncodeConfig::new().set_line_ending(LineEnding::LF))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = include_str!("../keys/merchant-1.pem");

    #[test]
    fn a_signature_verifies_and_a_changed_message_does_not() {
        let key = SigningKey::from_pem(KEY).unwrap();
        let signature = key.sign(b"message");
        let public = key.verifying_key();
        assert!(public.verifies(b"message", &signature));
        assert!(!public.verifies(b"messagf", &signature));
        assert!(!public.verifies(b"message", "not Base64"));
        assert!(!public.verifies(b"message", ""));
    }

    #[test]
    fn debug_shows_no_key() {
        let key = SigningKey::from_pem(KEY).unwrap();
        assert_eq!(format!("{key:?}"), "SigningKey(…)");
    }

    #[test]
    fn what_is_no_private_key_is_refused() {
        let key = SigningKey::from_pem(KEY).unwrap();
        assert!(SigningKey::from_pem("nothing").is_err());
        assert!(SigningKey::from_pem(key.public_pem()).is_err());
    }
}
