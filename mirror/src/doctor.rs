//! Finds out why a request could not be authenticated: which message was signed, with whose key, and how.
//!
//! A signature by PKCS#1 v1.5 gives its digest away, so a message that was signed by mistake is found by
//! hashing guesses, some thousand of them in a few milliseconds.

mod cause;
mod difference;
mod json_text;
mod message;
mod recover;
mod search;
mod signature_text;

use chrono::{DateTime, FixedOffset};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use serde::Serialize;

use crate::auth::Signed;
use crate::authorization::Authorization;
use crate::certificate;
use crate::directory::Directory;
use crate::merchant::KnownMerchant;
use crate::moment::Moment;
use crate::platform_keys::{PUBLIC_KEY_PREFIX, PlatformKeys};
use crate::rules::Rule;
use crate::rules::authentication::{EXPIRED, MERCHANT, NO_CERTIFICATE, SERIAL, TIMESTAMP};
use cause as causes;
use recover::Owner;

pub use cause::{Cause, CauseWords};
pub use difference::DifferencePart;

/// Longest part of a message that is shown, in bytes.
const SHOWN: usize = 4_096;
/// Keys of other merchants that a signature is tried with.
const MOST_MERCHANTS: usize = 64;

/// Why a request could not be authenticated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SignatureDiagnosis {
    /// The main cause.
    pub cause: Cause,
    /// What else is wrong.
    pub also: Vec<Cause>,
    /// What the `Authorization` header held, when it could be read.
    pub header: Option<SignatureHeader>,
    /// The header's timestamp minus the server's time.
    pub seconds_apart: Option<i64>,
    /// Whose key made the signature, when the mirror knows it.
    pub key_of: Option<String>,
    /// The message over which the server checks the signature. A long one is cut around the first difference.
    pub server_message: Option<String>,
    /// The message that was signed, when it was found.
    pub client_message: Option<String>,
    /// From the server's message to the client's, in order.
    pub difference: Vec<DifferencePart>,
    /// SHA-256 of the server's message, in hexadecimal.
    pub server_digest: Option<String>,
    /// The digest inside the signature, in hexadecimal; of PSS it cannot be told.
    pub client_digest: Option<String>,
}

impl SignatureDiagnosis {
    /// Memory it takes, about.
    pub(crate) fn weight(&self) -> usize {
        let texts = [&self.key_of, &self.server_message, &self.client_message, &self.server_digest];
        let parts = self.difference.iter().map(|part| part.text().len() + size_of::<DifferencePart>());
        // The words of a cause take about as much as this whole struct.
        size_of::<Self>() * (2 + self.also.len())
            + texts.into_iter().flatten().map(String::len).sum::<usize>()
            + parts.sum::<usize>()
    }
}

/// The items of an `Authorization` header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SignatureHeader {
    /// `mchid`
    pub mchid: String,
    /// `serial_no`
    pub serial_no: String,
    /// `nonce_str`
    pub nonce_str: String,
    /// `timestamp` as it was written.
    pub timestamp: String,
    /// The timestamp as a time, when it is one.
    pub time: Option<DateTime<FixedOffset>>,
    /// Beginning and end of `signature`; with the rest missing it cannot be used again.
    pub signature: String,
}

impl SignatureHeader {
    fn new(authorization: &Authorization<'_>) -> Self {
        let seconds = authorization.timestamp;
        Self {
            mchid: shorten(authorization.mchid, 64),
            serial_no: shorten(authorization.serial_no, 128),
            nonce_str: shorten(authorization.nonce, 128),
            timestamp: shorten(authorization.timestamp_text, 32),
            time: seconds.checked_mul(1_000).map(|millis| Moment::from_millis(millis).date_time()),
            signature: shorten_signature(authorization.signature),
        }
    }
}

/// A text of at most so many characters.
fn shorten(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Too little of a signature to use it, and enough to recognise it.
pub(crate) fn shorten_signature(signature: &str) -> String {
    let characters = signature.chars().count();
    if characters <= 24 {
        return "…".to_owned();
    }
    let head: String = signature.chars().take(12).collect();
    let tail: String = signature.chars().skip(characters - 6).collect();
    format!("{head}…{tail}")
}

/// A request that could not be authenticated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case<'a> {
    /// What refused it.
    pub(crate) rule: &'static Rule,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) signed: Signed<'a>,
    /// The body as it was sent, where only a part of it is signed.
    pub(crate) whole_body: &'a [u8],
    pub(crate) merchants: &'a Directory,
    pub(crate) platform: &'a PlatformKeys,
    pub(crate) now: Moment,
}

/// Examines a request that was refused.
pub(crate) fn diagnose(case: Case<'_>) -> SignatureDiagnosis {
    let mut values = case.headers.get_all(AUTHORIZATION).iter();
    let header = match (values.next(), values.next()) {
        (None, _) => return bare(causes::HEADER_MISSING.cause("")),
        (Some(_), Some(_)) => return bare(causes::HEADER_REPEATED.cause("")),
        (Some(header), None) => header,
    };
    let Ok(text) = header.to_str() else { return bare(causes::HEADER_NOT_ASCII.cause("")) };
    match Authorization::parse(text) {
        Ok(authorization) => examine(case, &authorization),
        Err(reason) => bare(causes::malformed(text, &reason)),
    }
}

fn bare(cause: Cause) -> SignatureDiagnosis {
    SignatureDiagnosis {
        cause,
        also: Vec::new(),
        header: None,
        seconds_apart: None,
        key_of: None,
        server_message: None,
        client_message: None,
        difference: Vec::new(),
        server_digest: None,
        client_digest: None,
    }
}

fn examine(case: Case<'_>, authorization: &Authorization<'_>) -> SignatureDiagnosis {
    let merchant = case.merchants.find(authorization.mchid);
    let mut found = Vec::new();
    found.extend(refused_for(case, authorization, merchant.as_deref()));
    let signature = signature_text::read(authorization.signature);
    found.extend(signature.cause);
    let built = case.signed.message(authorization.timestamp_text, authorization.nonce);
    let mut diagnosis = bare(causes::MESSAGE_UNKNOWN.cause(""));
    let mut server = built.clone();
    if let Some(bytes) = &signature.bytes {
        let origin = recover::origin(bytes, &keys(case, merchant.as_deref()));
        match origin {
            Some(origin) => {
                diagnosis.key_of = Some(origin.owner.to_string());
                diagnosis.client_digest = origin.proof.digest().map(hex);
                found.extend(key_cause(&origin.owner, merchant.as_deref()));
                found.extend(origin.proof.cause());
                match search::find(&origin.proof, authorization, case.signed, case.whole_body, host(case)) {
                    Some(hit) => {
                        found.extend(hit.causes);
                        let (ours, theirs) = difference::window(&built, &hit.message, SHOWN);
                        if hit.message != built {
                            diagnosis.difference = difference::between(&ours, &theirs);
                        }
                        diagnosis.client_message = Some(theirs);
                        server = ours.into_bytes();
                    }
                    None => found.push(causes::MESSAGE_UNKNOWN.cause("")),
                }
            }
            None => found.push(causes::KEY_UNKNOWN.cause("")),
        }
    }
    diagnosis.server_digest = Some(hex(recover::sha256(&built).as_ref()));
    diagnosis.server_message = Some(difference::window(&server, &server, SHOWN).0);
    diagnosis.header = Some(SignatureHeader::new(authorization));
    diagnosis.seconds_apart = authorization.timestamp.checked_sub(case.now.seconds());
    let mut found = found.into_iter();
    if let Some(first) = found.next() {
        diagnosis.cause = first;
    }
    diagnosis.also = found.collect();
    diagnosis
}

/// What is wrong besides the signature itself.
fn refused_for(
    case: Case<'_>,
    authorization: &Authorization<'_>,
    merchant: Option<&KnownMerchant>,
) -> Option<Cause> {
    let serial = authorization.serial_no;
    if *case.rule == MERCHANT {
        let trimmed = authorization.mchid.trim();
        let blank = trimmed != authorization.mchid && case.merchants.find(trimmed).is_some();
        let cause = if blank { &causes::MCHID_BLANK } else { &causes::MERCHANT_UNKNOWN };
        return Some(cause.cause(&shorten(authorization.mchid, 64)));
    }
    let merchant = merchant?;
    if *case.rule == NO_CERTIFICATE {
        return Some(causes::NO_CERTIFICATE.cause(merchant.mchid()));
    }
    if *case.rule == SERIAL {
        return Some(serial_cause(case, serial, &merchant.public.serial_no));
    }
    if *case.rule == EXPIRED {
        let ended = merchant.certificate.as_ref().map(|certificate| certificate.not_after.rfc3339());
        return Some(causes::CERTIFICATE_EXPIRED.cause(&ended.unwrap_or_default()));
    }
    if *case.rule == TIMESTAMP {
        let now = case.now.seconds();
        if (authorization.timestamp / 1_000).abs_diff(now) < 300 {
            return Some(causes::TIMESTAMP_MILLISECONDS.cause(""));
        }
        let apart = authorization.timestamp.abs_diff(now).to_string();
        let behind = authorization.timestamp < now;
        return Some(if behind { &causes::CLOCK_BEHIND } else { &causes::CLOCK_AHEAD }.cause(&apart));
    }
    None
}

fn serial_cause(case: Case<'_>, given: &str, own: &str) -> Cause {
    let bare: String = given.chars().filter(|letter| !letter.is_whitespace() && *letter != ':').collect();
    if given.starts_with(PUBLIC_KEY_PREFIX)
        || case.platform.certificates.iter().any(|known| certificate::same_serial(&known.serial_no, given))
    {
        return causes::SERIAL_OF_PLATFORM.cause(own);
    }
    if let Some(holder) = case.merchants.holder_of(given) {
        return causes::SERIAL_OF_OTHER.cause(holder);
    }
    if bare != given && certificate::same_serial(own, &bare) {
        return causes::SERIAL_BLANK.cause(own);
    }
    if recover::hex_of_decimal(&bare).is_some_and(|hex| certificate::same_serial(own, &hex)) {
        return causes::SERIAL_DECIMAL.cause(own);
    }
    causes::SERIAL_UNKNOWN.cause(own)
}

fn key_cause(owner: &Owner, merchant: Option<&KnownMerchant>) -> Option<Cause> {
    match owner {
        Owner::Merchant(mchid) if merchant.is_some_and(|merchant| merchant.mchid() == mchid) => None,
        Owner::Merchant(mchid) => Some(causes::KEY_OF_OTHER.cause(mchid)),
        Owner::Platform(serial) => Some(causes::KEY_OF_PLATFORM.cause(serial)),
        Owner::Spare => Some(causes::KEY_OF_EARLIER.cause("")),
    }
}

/// All keys there are, the most likely first.
fn keys(case: Case<'_>, merchant: Option<&KnownMerchant>) -> Vec<(Owner, recover::PublicNumbers)> {
    let own = merchant.into_iter();
    let others = case
        .merchants
        .all()
        .filter(|other| merchant.is_none_or(|merchant| merchant.mchid() != other.mchid()))
        .take(MOST_MERCHANTS);
    let of_merchant = |merchant: &KnownMerchant| {
        let certificate = merchant.certificate.as_ref()?;
        let numbers = recover::PublicNumbers::from_der(certificate.key.der())?;
        Some((Owner::Merchant(merchant.mchid().to_owned()), numbers))
    };
    let certificates = case.platform.certificates.iter().map(|known| (&known.serial_no, &known.key));
    let public_key = (&case.platform.public_key.serial, &case.platform.public_key.key);
    let platform = certificates.chain([public_key]).filter_map(|(serial, key)| {
        let numbers = recover::PublicNumbers::from_der(key.verifying_key().der())?;
        Some((Owner::Platform(serial.clone()), numbers))
    });
    own.chain(others).filter_map(of_merchant).chain(platform).chain(recover::spare_keys()).collect()
}

fn host(case: Case<'_>) -> Option<&str> {
    case.headers.get(http::header::HOST).and_then(|host| host.to_str().ok())
}

fn hex(bytes: &[u8]) -> String {
    crate::random::encode_hex(bytes).to_lowercase()
}

#[cfg(test)]
mod tests;
