//! Certificates made for tests, from the mirror's embedded keys.

use std::time::Duration;

use chrono::{DateTime, Utc};
use favor_core::{Certificate, MerchantId, Serial};
use rcgen::{CertificateParams, DnType, KeyPair, SerialNumber};

const KEY: &str = include_str!("../../../mirror/keys/platform-1.pem");
pub(crate) const MCHID: &str = "1900000109";

pub(crate) fn merchant() -> MerchantId {
    MerchantId::new(MCHID).unwrap()
}

/// 2025-06-15T15:06:40Z and so many days.
pub(crate) fn day(days: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_750_000_000 + days * 86_400, 0).unwrap()
}

/// A platform certificate with this serial (hexadecimal, even digits), valid between two days.
pub(crate) fn certificate(serial: &str, from: i64, until: i64) -> Certificate {
    certificate_of(KEY, serial, from, until)
}

/// The same of this private key.
pub(crate) fn certificate_of(key: &str, serial: &str, from: i64, until: i64) -> Certificate {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let moment = |days: i64| epoch + Duration::from_secs(day(days).timestamp().unsigned_abs());
    let digits = serial.as_bytes().chunks(2);
    let bytes: Vec<_> =
        digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect();
    let mut params = CertificateParams::default();
    params.serial_number = Some(SerialNumber::from_slice(&bytes));
    params.not_before = moment(from);
    params.not_after = moment(until);
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Tenpay.com sign");
    let key = KeyPair::from_pem(key).unwrap();
    Certificate::from_pem(params.self_signed(&key).unwrap().pem()).unwrap()
}

/// A public key id of this number, and the mirror's public key as PEM.
pub(crate) fn public_key(number: u32) -> (Serial, String) {
    let key = KeyPair::from_pem(include_str!("../../../mirror/keys/public-key.pem")).unwrap();
    (Serial::new(format!("PUB_KEY_ID_{number:028}")), key.public_key_pem())
}
