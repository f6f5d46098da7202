//! The public test keys, and how a raw library wants them.

pub(crate) const MERCHANT: &str = include_str!("../../core/tests/it/keys/merchant.pem");
pub(crate) const PLATFORM: &str = include_str!("../../core/tests/it/keys/public-key.pem");
pub(crate) const PLATFORM_PUBLIC: &str = include_str!("../../core/tests/it/keys/public-key-public.pem");

/// The id of the platform's key.
pub(crate) const PLATFORM_ID: &str = "PUB_KEY_ID_0119000001092026052000000000000001";

/// The DER inside a PEM text: PKCS#8 of a private key, SPKI of a public one.
pub(crate) fn der(pem: &str) -> Vec<u8> {
    pem::parse(pem).expect("the test keys are PEM").into_contents()
}
