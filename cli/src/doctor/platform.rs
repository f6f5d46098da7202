//! What answers are verified and certificates opened with: the APIv3 key, and the WeChat Pay public key.

use favor_core::{ApiV3Key, Certificate, KeySet, PrivateKey, PublicKey};

use crate::doctor::code::Code;
use crate::doctor::file;
use crate::doctor::given::Given;
use crate::doctor::merchant::Own;
use crate::doctor::report::Report;
use crate::env;

/// What could be made of it.
#[derive(Debug, Default)]
pub(crate) struct Platform {
    pub(crate) api_v3_key: Option<ApiV3Key>,
    /// With its id.
    pub(crate) public_key: Option<(String, PublicKey)>,
}

/// Looks at everything that answers are checked with.
pub(crate) fn check(given: &Given, own: &Own, report: &mut Report) -> Platform {
    let has_public_key = given.public_key_id.is_some() || given.public_key.is_some();
    if given.api_v3_key.is_none() && !has_public_key {
        report.bad(
            Code::PlatformKeyMissing,
            "there is nothing to verify answers with: neither an APIv3 key nor a WeChat Pay public key is set",
            format!(
                "set api_v3_key_file (or {}), or public_key_id and public_key_file; the merchant console has both under API security",
                env::API_V3_KEY
            ),
        );
        return Platform::default();
    }
    Platform { api_v3_key: api_v3_key(given, report), public_key: public_key(given, own, report) }
}

fn api_v3_key(given: &Given, report: &mut Report) -> Option<ApiV3Key> {
    let Some(place) = &given.api_v3_key else {
        report.bad(
            Code::ApiV3KeyMissing,
            "no APIv3 key is set: notifications cannot be opened, and platform certificates cannot be downloaded",
            format!("set api_v3_key_file (or {}) when this profile receives notifications", env::API_V3_KEY),
        );
        return None;
    };
    let text = match file::secret(place) {
        Ok(text) => text,
        Err(why) => {
            report.bad(
                Code::ApiV3KeyUnreadable,
                format!("APIv3 key: {why}"),
                "correct api_v3_key_file (paths are relative to favor.toml), or the file's permissions",
            );
            return None;
        }
    };
    match ApiV3Key::new(text.as_slice()) {
        Ok(key) => {
            let note = if text.len() == 32 {
                ""
            } else {
                "; the line end or blanks around it do not count here, though they do in many programs"
            };
            file::check_open(place, report);
            report.good(Code::ApiV3Key, format!("32 characters, from {}{note}", place.name()));
            Some(key)
        }
        Err(error) => {
            report.bad(
                Code::ApiV3KeyMalformed,
                format!("{}: {error}{}", place.name(), guess(&text)),
                "the file holds these 32 characters and nothing else; printf %s 'KEY' > FILE writes no line end",
            );
            None
        }
    }
}

/// What the text is most likely, without showing any of it.
fn guess(text: &[u8]) -> &'static str {
    let text = text.trim_ascii();
    let is = |wanted: fn(&u8) -> bool| text.iter().all(wanted);
    let slip = file::slip(text);
    if !slip.is_empty() {
        slip
    } else if text.len() == 64 && is(u8::is_ascii_hexdigit) {
        "; it looks like the key written as hexadecimal: write the key itself"
    } else if text.len() == 44 && text.ends_with(b"=") {
        "; it looks like the key written as Base64: write the key itself"
    } else if text.len() == 16 {
        "; 16 is the length of test keys in SDKs"
    } else {
        ""
    }
}

fn public_key(given: &Given, own: &Own, report: &mut Report) -> Option<(String, PublicKey)> {
    let (id, path) = match (given.public_key_id.as_deref(), given.public_key.as_deref()) {
        (None, None) => return None,
        (None, Some(path)) => {
            report.bad(
                Code::PublicKeyIdMissing,
                format!("public_key_file is set ({}), and public_key_id is not", path.display()),
                "copy the id, PUB_KEY_ID_ and digits, from the merchant console (API security)",
            );
            return None;
        }
        (Some(_), None) => {
            report.bad(
                Code::PublicKeyFileMissing,
                "public_key_id is set, and public_key_file is not",
                "download pub_key.pem in the merchant console (API security), and name it in public_key_file",
            );
            return None;
        }
        (Some(id), Some(path)) => (id.trim(), path),
    };
    let pem = match file::read(path) {
        Ok(pem) => pem,
        Err(why) => {
            report.bad(
                Code::PublicKeyUnreadable,
                format!("public key: {why}"),
                "correct public_key_file (paths are relative to favor.toml)",
            );
            return None;
        }
    };
    let key = match PublicKey::from_pem(pem.as_slice()) {
        Ok(key) => key,
        Err(error) => {
            wrong_file(&pem, path, own, &error.to_string(), report);
            return None;
        }
    };
    if own.key.as_ref().map(PrivateKey::public_key) == Some(&key) {
        is_merchants(path, "the public half of the merchant's own key", report);
        return None;
    }
    match KeySet::new().with_public_key(id, key.clone()) {
        Ok(_) => {
            report.good(Code::PublicKey, format!("{id}, RSA {} bits, from {}", key.bits(), path.display()));
            Some((id.to_owned(), key))
        }
        Err(error) => {
            report.bad(
                Code::PublicKeyIdMalformed,
                format!("public_key_id {id:?}: {error}"),
                "it is PUB_KEY_ID_ and digits; the serial of a certificate does not belong here",
            );
            None
        }
    }
}

/// What stands in the place of a public key.
fn wrong_file(pem: &[u8], path: &std::path::Path, own: &Own, error: &str, report: &mut Report) {
    if let Ok(certificate) = Certificate::from_pem(pem) {
        let own_key = own.key.as_ref().map(PrivateKey::public_key);
        let digits = certificate.subject().is_some_and(|name| name.bytes().all(|b| b.is_ascii_digit()));
        if own_key == Some(certificate.public_key()) || digits {
            is_merchants(path, "the merchant's own API certificate", report);
        } else {
            report.bad(
                Code::PublicKeyIsCertificate,
                format!(
                    "{} is the certificate {}, and a public key is needed",
                    path.display(),
                    certificate.serial()
                ),
                "a merchant with platform certificates needs no public key: leave both settings out; else download pub_key.pem",
            );
        }
        return;
    }
    if PrivateKey::from_pem(pem).is_ok() {
        is_merchants(path, "a private key", report);
        return;
    }
    report.bad(
        Code::PublicKeyMalformed,
        format!("{}: {error}", path.display()),
        "download pub_key.pem anew in the merchant console (API security)",
    );
}

fn is_merchants(path: &std::path::Path, what: &str, report: &mut Report) {
    report.bad(
        Code::PublicKeyIsMerchants,
        format!("{} is {what}; answers are signed by WeChat Pay's key", path.display()),
        "download pub_key.pem of WeChat Pay in the merchant console (API security)",
    );
}
