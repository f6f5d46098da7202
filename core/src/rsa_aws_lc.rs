//! RSA by aws-lc-rs.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{
    KeyPair, OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey,
    PublicEncryptingKey,
};
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256};

use crate::rsa::RsaError;
use crate::rsa_der::{PrivateKeyDer, PublicKeyDer};

pub(crate) struct PrivateKey {
    signing: KeyPair,
}

impl PrivateKey {
    pub(crate) fn new(der: &PrivateKeyDer) -> Result<Self, RsaError> {
        Ok(Self { signing: KeyPair::from_der(der.pkcs1()).map_err(|_| RsaError)? })
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, RsaError> {
        let mut signature = vec![0; self.signing.public_modulus_len()];
        self.signing
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| RsaError)?;
        Ok(signature)
    }

    pub(crate) fn decrypt_oaep(&self, ciphertext: &[u8]) -> Result<Vec<u8>, RsaError> {
        let pkcs8: Pkcs8V1Der<'_> = self.signing.as_der().map_err(|_| RsaError)?;
        let key = PrivateDecryptingKey::from_pkcs8(pkcs8.as_ref()).map_err(|_| RsaError)?;
        let key = OaepPrivateDecryptingKey::new(key).map_err(|_| RsaError)?;
        let mut plaintext = vec![0; key.min_output_size()];
        let plaintext =
            key.decrypt(&OAEP_SHA1_MGF1SHA1, ciphertext, &mut plaintext, None).map_err(|_| RsaError)?;
        Ok(plaintext.to_vec())
    }
}

pub(crate) struct PublicKey {
    verifying: ParsedPublicKey,
    sealing: OaepPublicEncryptingKey,
}

impl PublicKey {
    pub(crate) fn new(der: &PublicKeyDer) -> Result<Self, RsaError> {
        let verifying =
            ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der.spki()).map_err(|_| RsaError)?;
        let sealing = PublicEncryptingKey::from_der(der.spki()).map_err(|_| RsaError)?;
        Ok(Self { verifying, sealing: OaepPublicEncryptingKey::new(sealing).map_err(|_| RsaError)? })
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), RsaError> {
        self.verifying.verify_sig(message, signature).map_err(|_| RsaError)
    }

    pub(crate) fn encrypt_oaep(&self, plaintext: &[u8]) -> Result<Vec<u8>, RsaError> {
        let mut ciphertext = vec![0; self.sealing.ciphertext_size()];
        let ciphertext = self
            .sealing
            .encrypt(&OAEP_SHA1_MGF1SHA1, plaintext, &mut ciphertext, None)
            .map_err(|_| RsaError)?;
        Ok(ciphertext.to_vec())
    }
}
