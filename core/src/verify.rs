//! Verifying responses and notifications (spec §2.9, §2.10).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use http::HeaderMap;

use crate::keys::{KeySet, Lookup, Serial};
use crate::sign::{SCHEME, response_message};

/// How far the platform's timestamp may be from our clock: less than this, either way.
pub const WINDOW_SECONDS: u64 = 300;

/// What a deliberately wrong signature begins with (spec §2.10).
pub const PROBE_PREFIX: &str = "WECHATPAY/SIGNTEST/";

const TIMESTAMP: &str = "Wechatpay-Timestamp";
const NONCE: &str = "Wechatpay-Nonce";
const SIGNATURE: &str = "Wechatpay-Signature";
const SERIAL: &str = "Wechatpay-Serial";
const FOUR: [&str; 4] = [TIMESTAMP, NONCE, SIGNATURE, SERIAL];
const SIGNATURE_TYPE: &str = "Wechatpay-Signature-Type";

/// Longer than any of these headers can be: a signature by a key of 8192 bits has 1368 characters.
const LONGEST_HEADER: usize = 4096;

/// Why a response or notification is not to be trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// A signature header is missing or empty.
    #[error("the header {0} is missing")]
    MissingHeader(&'static str),
    /// A signature header is there more than once.
    #[error("the header {0} is there more than once")]
    RepeatedHeader(&'static str),
    /// A signature header holds bytes that no header of this kind can hold.
    #[error("the header {0} is malformed")]
    MalformedHeader(&'static str),
    /// Signed by an algorithm other than WECHATPAY2-SHA256-RSA2048.
    #[error("signed as {0:?}, and only WECHATPAY2-SHA256-RSA2048 is supported")]
    SignatureType(String),
    /// The timestamp is 300 s or more from our clock.
    #[error(
        "signed {seconds_ahead} s ahead of our clock, and the limit is 300 s either way; check the clock of this machine"
    )]
    OutsideWindow {
        /// The platform's timestamp minus our time; negative when it is older.
        seconds_ahead: i64,
    },
    /// No key of this serial is held.
    #[error("signed with the key {0}, which is not among the platform keys held")]
    UnknownKey(Serial),
    /// The certificate of this serial has expired.
    #[error("signed with the certificate {0}, which has expired")]
    ExpiredKey(Serial),
    /// The certificate of this serial is not valid yet.
    #[error("signed with the certificate {0}, which is not valid yet")]
    KeyNotYetValid(Serial),
    /// A signature probe: deliberately wrong, to see whether we verify. The true message follows.
    #[error("the signature does not hold: it is a signature probe of the platform")]
    Probe,
    /// The signature does not hold.
    #[error("the signature does not hold")]
    WrongSignature,
}

/// The four signature headers and the type, as received.
#[derive(Clone, Debug)]
pub struct SignatureHeaders<'a> {
    timestamp: &'a str,
    nonce: &'a str,
    signature: &'a str,
    serial: Serial,
    seconds: i64,
}

impl<'a> SignatureHeaders<'a> {
    /// Takes the headers apart.
    ///
    /// # Errors
    /// [`VerifyError`] when one is missing, empty, repeated or malformed, or the type is not supported.
    pub fn read(headers: &'a HeaderMap) -> Result<Self, VerifyError> {
        let timestamp = one(headers, TIMESTAMP)?;
        let nonce = one(headers, NONCE)?;
        let signature = one(headers, SIGNATURE)?;
        let serial = one(headers, SERIAL)?;
        match one(headers, SIGNATURE_TYPE) {
            Err(VerifyError::MissingHeader(_)) => {}
            Ok(SCHEME) => {}
            Ok(other) => return Err(VerifyError::SignatureType(other.to_owned())),
            Err(error) => return Err(error),
        }
        let plain = !timestamp.is_empty() && timestamp.bytes().all(|b| b.is_ascii_digit());
        let seconds = timestamp.parse().ok().filter(|_| plain);
        let seconds = seconds.ok_or(VerifyError::MalformedHeader(TIMESTAMP))?;
        Ok(Self { timestamp, nonce, signature, serial: Serial::new(serial), seconds })
    }

    /// Whether any of the four is there, well-formed or not.
    pub fn any(headers: &HeaderMap) -> bool {
        FOUR.iter().any(|name| headers.contains_key(*name))
    }

    /// Whether all four are there, well-formed or not.
    pub fn all(headers: &HeaderMap) -> bool {
        FOUR.iter().all(|name| headers.contains_key(*name))
    }

    /// The key that signed.
    pub fn serial(&self) -> &Serial {
        &self.serial
    }

    /// Checks the window and the signature over `body`, the bytes as received.
    ///
    /// # Errors
    /// [`VerifyError`]; nothing of the body may then be used.
    pub fn verify(&self, body: &[u8], keys: &KeySet, now: DateTime<Utc>) -> Result<(), VerifyError> {
        let ahead = self.seconds.saturating_sub(now.timestamp());
        if ahead.unsigned_abs() >= WINDOW_SECONDS {
            return Err(VerifyError::OutsideWindow { seconds_ahead: ahead });
        }
        let key = match keys.find(&self.serial, now) {
            Lookup::Found(key) => key,
            Lookup::Expired => return Err(VerifyError::ExpiredKey(self.serial.clone())),
            Lookup::NotYetValid => return Err(VerifyError::KeyNotYetValid(self.serial.clone())),
            Lookup::Unknown => return Err(VerifyError::UnknownKey(self.serial.clone())),
        };
        let wrong = if self.signature.starts_with(PROBE_PREFIX) {
            VerifyError::Probe
        } else {
            VerifyError::WrongSignature
        };
        let Ok(signature) = STANDARD.decode(self.signature) else {
            return Err(wrong);
        };
        let message = response_message(self.timestamp, self.nonce, body);
        key.verify(&message, &signature).map_err(|_| wrong)
    }
}

fn one<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, VerifyError> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().ok_or(VerifyError::MissingHeader(name))?;
    if values.next().is_some() {
        return Err(VerifyError::RepeatedHeader(name));
    }
    if value.len() > LONGEST_HEADER {
        return Err(VerifyError::MalformedHeader(name));
    }
    match value.to_str() {
        Ok("") => Err(VerifyError::MissingHeader(name)),
        Ok(text) => Ok(text),
        Err(_) => Err(VerifyError::MalformedHeader(name)),
    }
}
