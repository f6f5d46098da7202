//! RSA by the `rsa` crate. Only its blinded calls are used: the unblinded ones leak timing (RUSTSEC-2023-0071).

use rand_core_06::OsRng;
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs1v15::{Signature, SigningKey, VerifyingKey};
use rsa::pkcs8::DecodePublicKey;
use rsa::signature::{RandomizedSigner, SignatureEncoding, Verifier};
use rsa::{Oaep, RsaPrivateKey, RsaPublicKey};
use sha1::Sha1;
use sha2::Sha256;

use crate::rsa::RsaError;
use crate::rsa_der::{PrivateKeyDer, PublicKeyDer};

pub(crate) struct PrivateKey {
    signing: SigningKey<Sha256>,
    opening: RsaPrivateKey,
}

impl PrivateKey {
    pub(crate) fn new(der: &PrivateKeyDer) -> Result<Self, RsaError> {
        let opening = RsaPrivateKey::from_pkcs1_der(der.pkcs1()).map_err(|_| RsaError)?;
        Ok(Self { signing: SigningKey::new(opening.clone()), opening })
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, RsaError> {
        let signature = self.signing.try_sign_with_rng(&mut OsRng, message).map_err(|_| RsaError)?;
        Ok(signature.to_vec())
    }

    pub(crate) fn decrypt_oaep(&self, ciphertext: &[u8]) -> Result<Vec<u8>, RsaError> {
        self.opening.decrypt_blinded(&mut OsRng, Oaep::new::<Sha1>(), ciphertext).map_err(|_| RsaError)
    }
}

pub(crate) struct PublicKey {
    verifying: VerifyingKey<Sha256>,
    sealing: RsaPublicKey,
}

impl PublicKey {
    pub(crate) fn new(der: &PublicKeyDer) -> Result<Self, RsaError> {
        let sealing = RsaPublicKey::from_public_key_der(der.spki()).map_err(|_| RsaError)?;
        Ok(Self { verifying: VerifyingKey::new(sealing.clone()), sealing })
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), RsaError> {
        let signature = Signature::try_from(signature).map_err(|_| RsaError)?;
        self.verifying.verify(message, &signature).map_err(|_| RsaError)
    }

    pub(crate) fn encrypt_oaep(&self, plaintext: &[u8]) -> Result<Vec<u8>, RsaError> {
        self.sealing.encrypt(&mut OsRng, Oaep::new::<Sha1>(), plaintext).map_err(|_| RsaError)
    }
}
