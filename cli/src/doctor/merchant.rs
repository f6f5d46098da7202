//! The merchant's own things: its id, private key, API certificate and serial.

use chrono::{DateTime, Utc};
use favor_core::{Certificate, MerchantId, MerchantSigner, PrivateKey, Serial};

use crate::doctor::code::Code;
use crate::doctor::file;
use crate::doctor::given::Given;
use crate::doctor::origin;
use crate::doctor::report::Report;
use crate::env;
use crate::expiry::{OWN_DAYS, beijing, days, days_left};

/// What could be made of it.
#[derive(Debug, Default)]
pub(crate) struct Own {
    pub(crate) merchant_id: Option<MerchantId>,
    pub(crate) key: Option<PrivateKey>,
    pub(crate) certificate: Option<Certificate>,
    /// There only when id, key and serial are there, and nothing says that they do not belong together.
    pub(crate) signer: Option<MerchantSigner>,
}

/// Looks at everything that requests are signed with.
pub(crate) fn check(given: &Given, now: DateTime<Utc>, report: &mut Report) -> Own {
    let mut own = Own { merchant_id: merchant_id(given, report), ..Own::default() };
    if are_swapped(given, report) {
        return own;
    }
    own.key = private_key(given, report);
    own.certificate = certificate(given, report);
    let together = match &own.certificate {
        Some(certificate) => belongs(certificate, &own, report) && in_force(certificate, now, report),
        None => given.certificate.is_none(),
    };
    let serial = serial(given, own.certificate.as_ref(), report);
    if let (true, Some(id), Some(key), Some(serial)) = (together, &own.merchant_id, &own.key, serial) {
        own.signer = MerchantSigner::new(id.clone(), serial, key.clone()).ok();
    }
    own
}

fn merchant_id(given: &Given, report: &mut Report) -> Option<MerchantId> {
    let Some(text) = &given.mchid else {
        report.bad(
            Code::MchidMissing,
            "the merchant id is not set",
            format!("put mchid into a profile of favor.toml, or set {}", env::MCHID),
        );
        return None;
    };
    let id = MerchantId::new(text).ok();
    if id.is_none() {
        let guess = if text.starts_with("wx") { ": this looks like an appid" } else { "" };
        report.bad(
            Code::MchidMalformed,
            format!("the merchant id {text:?} is not made of digits only{guess}"),
            "copy the merchant number (商户号) from the merchant console, without blanks",
        );
    }
    id
}

/// Whether each of the two files holds what belongs into the other.
fn are_swapped(given: &Given, report: &mut Report) -> bool {
    let (Some(place), Some(path)) = (&given.private_key, &given.certificate) else { return false };
    let (Ok(key), Ok(certificate)) = (file::secret(place), file::read(path)) else { return false };
    // The certificate tool's bundles hold both, so neither may serve in its own place.
    let swapped = PrivateKey::from_pem(key.as_slice()).is_err()
        && Certificate::from_pem(certificate.as_slice()).is_err()
        && Certificate::from_pem(key.as_slice()).is_ok()
        && PrivateKey::from_pem(certificate.as_slice()).is_ok();
    if swapped {
        report.bad(
            Code::KeyCertSwapped,
            format!("{} holds the certificate, and {} the private key", place.name(), path.display()),
            "swap private_key_file and certificate_file",
        );
    }
    swapped
}

fn private_key(given: &Given, report: &mut Report) -> Option<PrivateKey> {
    let Some(place) = &given.private_key else {
        report.bad(
            Code::PrivateKeyMissing,
            "the merchant's private key is not set",
            format!(
                "put private_key_file = \"apiclient_key.pem\" into the profile, or set {}",
                env::PRIVATE_KEY_FILE
            ),
        );
        return None;
    };
    let pem = match file::secret(place) {
        Ok(pem) => pem,
        Err(why) => {
            report.bad(
                Code::PrivateKeyUnreadable,
                format!("private key: {why}"),
                "correct private_key_file (paths are relative to favor.toml), or the file's permissions",
            );
            return None;
        }
    };
    match PrivateKey::from_pem(pem.as_slice()) {
        Ok(key) => {
            let bits = key.public_key().bits();
            file::check_open(place, report);
            report.good(Code::PrivateKey, format!("RSA, {bits} bits, from {}", place.name()));
            Some(key)
        }
        Err(error) => {
            report.bad(
                Code::PrivateKeyMalformed,
                format!("{}: {error}", place.name()),
                "use apiclient_key.pem as the certificate tool of the merchant console wrote it",
            );
            None
        }
    }
}

fn certificate(given: &Given, report: &mut Report) -> Option<Certificate> {
    let path = given.certificate.as_deref()?;
    let pem = match file::read(path) {
        Ok(pem) => pem,
        Err(why) => {
            report.bad(
                Code::CertificateUnreadable,
                format!("certificate: {why}"),
                "correct certificate_file, or leave it out and set serial_no instead",
            );
            return None;
        }
    };
    Certificate::from_pem(pem.as_slice())
        .map_err(|error| {
            report.bad(
                Code::CertificateMalformed,
                format!("{}: {error}", path.display()),
                "use apiclient_cert.pem as the certificate tool of the merchant console wrote it",
            );
        })
        .ok()
}

/// Whether certificate, merchant and key belong together. Says one thing only: what the others follow from.
fn belongs(certificate: &Certificate, own: &Own, report: &mut Report) -> bool {
    let serial = certificate.serial();
    let name = certificate.subject().unwrap_or_default();
    let key_fits = own.key.as_ref().map(|key| key.public_key() == certificate.public_key());
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_digit()) {
        report.bad(
            Code::CertificateNotMerchants,
            format!("the certificate {serial} is made out to {name:?}, and not to a merchant id"),
            "use apiclient_cert.pem here; platform certificates of WeChat Pay verify answers and are downloaded",
        );
        return false;
    }
    if let Some(id) = own.merchant_id.as_ref().filter(|id| id.as_str() != name) {
        let words = match key_fits {
            Some(true) => {
                format!(
                    "key and certificate are those of merchant {name}, and the profile says merchant {id}"
                )
            }
            _ => format!("the certificate {serial} is that of merchant {name}, not of merchant {id}"),
        };
        report.bad(
            Code::CertificateOtherMerchant,
            words,
            format!("set mchid to {name}, or take the key and certificate of merchant {id}"),
        );
        return false;
    }
    if key_fits == Some(false) {
        report.bad(
            Code::KeyCertMismatch,
            format!("the private key does not belong to the certificate {serial}"),
            "take apiclient_key.pem and apiclient_cert.pem of one and the same download; after a renewal both change",
        );
        return false;
    }
    true
}

fn in_force(certificate: &Certificate, now: DateTime<Utc>, report: &mut Report) -> bool {
    let serial = certificate.serial();
    let left = days_left(certificate.not_after(), now);
    let end = beijing(certificate.not_after());
    let renew = "apply for a new API certificate in the merchant console (API security), then change key, certificate and serial together";
    if now < certificate.not_before() {
        report.bad(
            Code::CertificateNotYetValid,
            format!(
                "the certificate {serial} is not valid before {}; this machine's clock shows {}",
                beijing(certificate.not_before()),
                beijing(now)
            ),
            "set this machine's clock; it is most likely wrong",
        );
        return false;
    }
    if left < 0 {
        report.bad(
            Code::CertificateExpired,
            format!("the merchant's API certificate {serial} ended on {end}"),
            renew,
        );
        return false;
    }
    let of_mirror = if origin::is_of_mirror(certificate) { ", made by a mirror" } else { "" };
    if left <= OWN_DAYS[0] {
        let passed = OWN_DAYS.iter().filter(|days| left <= **days).count();
        let how = ["soon", "this week", "now"][passed.clamp(1, OWN_DAYS.len()) - 1];
        report.bad(
            Code::CertificateEnds,
            format!(
                "the merchant's API certificate {serial} ends in {}, on {end}: renew it {how}",
                days(left)
            ),
            renew,
        );
    } else {
        report
            .good(Code::Certificate, format!("{serial}, valid until {end} ({} left){of_mirror}", days(left)));
    }
    true
}

/// The serial that requests name.
fn serial(given: &Given, certificate: Option<&Certificate>, report: &mut Report) -> Option<String> {
    let Some(text) = given.serial_no.as_deref().map(str::trim) else {
        if let Some(certificate) = certificate {
            report.good(Code::Serial, format!("{}, from the certificate", certificate.serial()));
        } else if given.certificate.is_none() {
            report.bad(
                Code::SerialMissing,
                "neither serial_no nor certificate_file is set, so requests cannot name their certificate",
                format!("set certificate_file = \"apiclient_cert.pem\", or {}", env::SERIAL_NO),
            );
        }
        return certificate.map(|certificate| certificate.serial().to_string());
    };
    if text.starts_with("PUB_KEY_ID_") {
        report.bad(
            Code::SerialMalformed,
            "serial_no holds the id of a WeChat Pay public key",
            "put that into public_key_id; serial_no is the serial of the merchant's own API certificate",
        );
        return None;
    }
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        report.bad(
            Code::SerialMalformed,
            format!("serial_no {text:?} is not made of hexadecimal digits only"),
            "write it without colons, blanks and 0x; openssl x509 -in apiclient_cert.pem -noout -serial shows it",
        );
        return None;
    }
    if let Some(certificate) = certificate
        && *certificate.serial() != Serial::new(text)
    {
        report.bad(
            Code::SerialCertMismatch,
            format!("serial_no is {text}, and the certificate's own serial is {}", certificate.serial()),
            "leave serial_no out: certificate_file is enough. Perhaps it was not changed with the last renewal",
        );
        return Some(certificate.serial().to_string());
    }
    report.good(Code::Serial, text.to_ascii_uppercase());
    Some(text.to_owned())
}
