//! X.509 certificates of the platform and of merchants.

use std::sync::LazyLock;
use std::time::Duration;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType, IsCa, Issuer,
    KeyUsagePurpose, SerialNumber,
};

use crate::error::MirrorError;
use crate::moment::Moment;
use crate::rsa_key::SigningKey;

const ISSUER_KEY: &str = include_str!("../keys/issuer.pem");
const ISSUER_NAME: &str = "Tenpay.com Root CA";

static ISSUER: LazyLock<Issuer<'static, SigningKey>> = LazyLock::new(|| {
    let key = SigningKey::from_pem(ISSUER_KEY).expect("the key that comes with the program is one");
    let mut params = CertificateParams::default();
    params.distinguished_name = issuer_name();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    Issuer::new(params, key)
});

/// Whose certificate it is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Holder<'a> {
    Platform,
    Merchant(&'a str),
}

/// From when to when a certificate is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Validity {
    pub(crate) not_before: Moment,
    pub(crate) not_after: Moment,
}

impl Validity {
    const DAYS: i64 = 5 * 365;

    /// Five years, the first of which has passed.
    pub(crate) fn around(now: Moment) -> Self {
        Self::from(now.plus_days(-365))
    }

    /// Five years that end yesterday.
    pub(crate) fn over(now: Moment) -> Self {
        Self::from(now.plus_days(-1 - Self::DAYS))
    }

    /// Five years that end at this time.
    pub(crate) fn until(end: Moment) -> Self {
        Self::from(end.plus_days(-Self::DAYS))
    }

    pub(crate) fn from(start: Moment) -> Self {
        let not_before = Moment::from_millis(start.seconds() * 1_000);
        Self { not_before, not_after: not_before.plus_days(Self::DAYS) }
    }
}

/// Makes a certificate for a key; the text is PEM.
pub(crate) fn issue(
    holder: Holder<'_>,
    serial_no: &str,
    key: &SigningKey,
    validity: Validity,
) -> Result<String, MirrorError> {
    certificate(holder, serial_no, key, validity)
        .map(|certificate| certificate.pem().replace("\r\n", "\n"))
        .map_err(|error| MirrorError::key(format!("no certificate could be made: {error}")))
}

fn certificate(
    holder: Holder<'_>,
    serial_no: &str,
    key: &SigningKey,
    validity: Validity,
) -> Result<Certificate, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name = holder_name(holder);
    params.serial_number = Some(SerialNumber::from(serial_bytes(serial_no)));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = epoch + since_epoch(validity.not_before);
    params.not_after = epoch + since_epoch(validity.not_after);
    params.signed_by(key, &ISSUER)
}

pub(crate) fn since_epoch(moment: Moment) -> Duration {
    Duration::from_secs(u64::try_from(moment.seconds()).unwrap_or(0))
}

fn issuer_name() -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CountryName, "CN");
    name.push(DnType::OrganizationName, "Tenpay.com");
    name.push(DnType::OrganizationalUnitName, "Tenpay.com CA Center");
    name.push(DnType::CommonName, ISSUER_NAME);
    name
}

fn holder_name(holder: Holder<'_>) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CountryName, "CN");
    match holder {
        Holder::Platform => {
            name.push(DnType::OrganizationName, "Tenpay.com");
            name.push(DnType::OrganizationalUnitName, "Tenpay.com CA Center");
            name.push(DnType::CommonName, "Tenpay.com sign");
        }
        Holder::Merchant(mchid) => {
            name.push(DnType::OrganizationName, "favor mirror");
            name.push(DnType::OrganizationalUnitName, "test merchant");
            name.push(DnType::CommonName, mchid);
        }
    }
    name
}

fn serial_bytes(serial_no: &str) -> Vec<u8> {
    (0..serial_no.len() / 2)
        .filter_map(|index| u8::from_str_radix(serial_no.get(index * 2..index * 2 + 2)?, 16).ok())
        .collect()
}

/// Whether two serials name the same certificate: case and leading zeros do not matter.
pub(crate) fn same_serial(one: &str, other: &str) -> bool {
    one.trim_start_matches('0').eq_ignore_ascii_case(other.trim_start_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use x509_parser::prelude::{FromDer as _, X509Certificate};

    const KEY: &str = include_str!("../keys/platform-1.pem");

    #[test]
    fn a_certificate_carries_serial_names_and_validity() {
        let now = Moment::from_millis(1_790_000_000_500);
        let serial_no = "0C4A22000000000000000000000000000000BEEF";
        let key = SigningKey::from_pem(KEY).unwrap();
        let text = issue(Holder::Platform, serial_no, &key, Validity::around(now)).unwrap();
        let der = pem::parse(&text).unwrap().into_contents();
        let (_, certificate) = X509Certificate::from_der(&der).unwrap();
        assert_eq!(crate::random::encode_hex(certificate.raw_serial()), serial_no);
        assert!(certificate.issuer().to_string().contains("CN=Tenpay.com Root CA"));
        assert_eq!(certificate.validity().not_before.timestamp(), now.plus_days(-365).seconds());
        assert_eq!(certificate.validity().not_after.timestamp(), now.plus_days(4 * 365).seconds());
    }

    #[test]
    fn serials_are_compared_as_numbers_in_text() {
        assert!(same_serial("0C4A", "c4a"));
        assert!(!same_serial("0C4A", "C4A0"));
    }
}
