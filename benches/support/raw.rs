//! Signing by aws-lc-rs alone.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;

use crate::keys::der;

/// The bytes of a signature by one of the test keys.
pub(crate) const SIGNATURE_BYTES: usize = 256;

pub(crate) struct Signing(KeyPair);

impl Signing {
    pub(crate) fn new(pem: &str) -> Self {
        Self(KeyPair::from_pkcs8(&der(pem)).expect("the test keys are PKCS#8"))
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; SIGNATURE_BYTES] {
        let mut signature = [0; SIGNATURE_BYTES];
        self.0
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .expect("a whole key signs");
        signature
    }
}
