//! Checks who calls: header, merchant, certificate, time, signature, in this order.

use std::sync::Arc;

use serde_json::json;

use crate::authorization::Authorization;
use crate::certificate;
use crate::directory::Directory;
use crate::merchant::KnownMerchant;
use crate::moment::Moment;
use crate::rules::authentication::{EXPIRED, HEADER, MERCHANT, NO_CERTIFICATE, SERIAL, SIGNATURE, TIMESTAMP};
use crate::rules::{Refusal, Rule};
use crate::timestamp;

/// A timestamp this far away is too far.
const WINDOW_SECONDS: u64 = 300;
/// How much of the message a mismatch shows.
const SHOWN_BYTES: usize = 512;
/// How much of it the log keeps.
const LOGGED_BYTES: usize = 8 * 1024;

/// What a client signs, besides time and nonce.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signed<'a> {
    pub(crate) method: &'a str,
    /// Path and query as they were on the request line.
    pub(crate) target: &'a str,
    pub(crate) body: &'a [u8],
}

impl Signed<'_> {
    pub(crate) fn message(&self, timestamp: &str, nonce: &str) -> Vec<u8> {
        let mut message = format!("{}\n{}\n{timestamp}\n{nonce}\n", self.method, self.target).into_bytes();
        message.extend_from_slice(self.body);
        message.push(b'\n');
        message
    }
}

/// What came of the check.
#[derive(Debug)]
pub(crate) struct Check {
    pub(crate) result: Result<Arc<KnownMerchant>, Refusal>,
    /// The merchant id of the header, be it right or wrong.
    pub(crate) mchid: Option<String>,
    /// The message that the server built, once there was enough to build it.
    pub(crate) message: Option<String>,
    /// What may have gone wrong, in words.
    pub(crate) notes: Vec<String>,
}

impl Check {
    fn refused(rule: &'static Rule, note: impl Into<String>) -> Self {
        Self { result: Err(rule.into()), mchid: None, message: None, notes: vec![note.into()] }
    }

    fn of(mut self, mchid: &str) -> Self {
        self.mchid = Some(mchid.to_owned());
        self
    }
}

/// Checks one request.
pub(crate) fn check(header: Option<&str>, signed: Signed<'_>, merchants: &Directory, now: Moment) -> Check {
    let Some(header) = header else {
        return Check::refused(
            &HEADER,
            "there is no Authorization header, more than one, or one that is not text",
        );
    };
    match Authorization::parse(header) {
        Ok(authorization) => check_items(&authorization, signed, merchants, now).of(authorization.mchid),
        Err(reason) => Check::refused(&HEADER, reason),
    }
}

fn check_items(
    authorization: &Authorization<'_>,
    signed: Signed<'_>,
    merchants: &Directory,
    now: Moment,
) -> Check {
    let Some(merchant) = merchants.find(authorization.mchid) else {
        return Check::refused(
            &MERCHANT,
            "the mirror knows no such merchant; POST /_mirror/merchants adds one",
        );
    };
    let Some(certificate) = &merchant.certificate else {
        return Check::refused(&NO_CERTIFICATE, "this merchant was set up without a certificate");
    };
    if !certificate::same_serial(&merchant.public.serial_no, authorization.serial_no) {
        let note = match merchants.holder_of(authorization.serial_no) {
            Some(holder) => format!("the serial is that of merchant {holder}"),
            None => format!("the merchant's serial is {}", merchant.public.serial_no),
        };
        return Check::refused(&SERIAL, note);
    }
    if certificate.not_after <= now {
        return Check::refused(&EXPIRED, format!("it ended at {}", certificate.not_after.rfc3339()));
    }
    if authorization.timestamp.abs_diff(now.seconds()) >= WINDOW_SECONDS {
        let note = timestamp::explain(authorization.timestamp, now);
        return Check::refused(&TIMESTAMP, note);
    }
    let message = signed.message(authorization.timestamp_text, authorization.nonce);
    let beginning = &message[..message.len().min(LOGGED_BYTES)];
    let shown = Some(String::from_utf8_lossy(beginning).into_owned());
    if certificate.key.verifies(&message, authorization.signature) {
        return Check { result: Ok(merchant), mchid: None, message: shown, notes: Vec::new() };
    }
    Check { result: Err(mismatch(signed, &message)), mchid: None, message: shown, notes: Vec::new() }
}

fn mismatch(signed: Signed<'_>, message: &[u8]) -> Refusal {
    let beginning = &message[..message.len().min(SHOWN_BYTES)];
    Refusal::from(&SIGNATURE).with_detail(json!({
        "field": "signature",
        "location": "authorization",
        "detail": { "issue": "sign not match" },
        "sign_information": {
            "method": signed.method,
            "url": signed.target,
            "sign_message_length": message.len(),
            "truncated_sign_message": String::from_utf8_lossy(beginning),
        },
    }))
}

#[cfg(test)]
mod tests;
