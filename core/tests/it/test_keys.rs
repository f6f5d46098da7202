//! The fixed keys in `keys/`, and certificates made from them.

use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use favor_core::{Backend, PrivateKey, PublicKey};
use rcgen::{CertificateParams, DnType, KeyPair, SerialNumber};

pub(crate) const MERCHANT: &str = include_str!("keys/merchant.pem");
pub(crate) const MERCHANT_CERTIFICATE: &str = include_str!("keys/merchant-certificate.pem");
pub(crate) const MERCHANT_PUBLIC: &str = include_str!("keys/merchant-public.pem");
pub(crate) const OTHER: &str = include_str!("keys/other.pem");
pub(crate) const PLATFORM_1: &str = include_str!("keys/platform-1.pem");
pub(crate) const PLATFORM_2: &str = include_str!("keys/platform-2.pem");
pub(crate) const PUBLIC_KEY: &str = include_str!("keys/public-key.pem");
pub(crate) const PUBLIC_KEY_PUBLIC: &str = include_str!("keys/public-key-public.pem");

pub(crate) static MERCHANT_KEY: LazyLock<PrivateKey> = LazyLock::new(|| private(MERCHANT));
pub(crate) static OTHER_KEY: LazyLock<PrivateKey> = LazyLock::new(|| private(OTHER));
pub(crate) static PLATFORM_KEY_1: LazyLock<PrivateKey> = LazyLock::new(|| private(PLATFORM_1));
pub(crate) static PLATFORM_KEY_2: LazyLock<PrivateKey> = LazyLock::new(|| private(PLATFORM_2));
pub(crate) static PUBLIC_KEY_KEY: LazyLock<PrivateKey> = LazyLock::new(|| private(PUBLIC_KEY));

fn private(pem: &str) -> PrivateKey {
    PrivateKey::from_pem(pem).unwrap()
}

/// The same key under every backend of this build.
pub(crate) fn on_every_backend(pem: &str) -> Vec<(Backend, PrivateKey)> {
    let load = |backend| (backend, PrivateKey::from_pem_with(pem, backend).unwrap());
    Backend::ALL.iter().copied().map(load).collect()
}

pub(crate) fn public_on_every_backend(pem: &str) -> Vec<(Backend, PublicKey)> {
    let load = |backend| (backend, PublicKey::from_pem_with(pem, backend).unwrap());
    Backend::ALL.iter().copied().map(load).collect()
}

/// Where a file of `keys/` is.
pub(crate) fn path(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "it", "keys", name].iter().collect()
}

pub(crate) fn file(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap()
}

/// A certificate to be made. Times are Unix seconds, the serial hexadecimal.
pub(crate) struct NewCertificate<'a> {
    pub(crate) key: &'a str,
    pub(crate) serial: &'a str,
    pub(crate) name: &'a str,
    pub(crate) from: i64,
    pub(crate) until: i64,
}

impl NewCertificate<'_> {
    /// The certificate as PEM, signed by its own key: nobody checks the issuer of platform certificates.
    pub(crate) fn pem(&self) -> String {
        let epoch = rcgen::date_time_ymd(1970, 1, 1);
        let moment = |seconds: i64| epoch + Duration::from_secs(seconds.unsigned_abs());
        let mut params = CertificateParams::default();
        params.serial_number = Some(SerialNumber::from_slice(&hex(self.serial)));
        params.not_before = moment(self.from);
        params.not_after = moment(self.until);
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, self.name);
        let key = KeyPair::from_pem(self.key).unwrap();
        params.self_signed(&key).unwrap().pem()
    }
}

fn hex(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}
