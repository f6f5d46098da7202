//! The signature doctor: what the platform saw, compared with what was signed (spec §2.6).

use std::fmt;

use chrono::{DateTime, Utc};

use crate::api_error::{ApiError, ErrorCode};
use crate::keys::Serial;
use crate::verify::WINDOW_SECONDS;

/// What was signed and sent, kept for the diagnosis only. Never printed.
pub(crate) struct Sent {
    pub(crate) message: Vec<u8>,
    pub(crate) serial: Serial,
    pub(crate) at: DateTime<Utc>,
}

/// Why the platform refused a signature, as far as its answer tells.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Diagnosis {
    /// What was found, the most telling first. Each is a sentence for people and holds no personal data.
    pub findings: Vec<String>,
}

impl Diagnosis {
    pub(crate) fn of(api: &ApiError, sent: &Sent) -> Option<Self> {
        if api.status() != 401 && api.code() != Some(&ErrorCode::SignError) {
            return None;
        }
        let mut findings = Vec::new();
        findings.extend(clock(api, sent));
        match Seen::read(api) {
            Some(seen) => findings.extend(compare(&seen, sent)),
            None if findings.is_empty() => findings.push(format!(
                "the platform did not get as far as comparing messages; check that merchant id and certificate serial {} belong together, and that the certificate has not expired",
                sent.serial
            )),
            None => {}
        }
        Some(Self { findings })
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.findings.join("\n"))
    }
}

fn clock(api: &ApiError, sent: &Sent) -> Option<String> {
    let ahead = (sent.at - api.server_date()?).num_seconds();
    let direction = if ahead > 0 { "ahead of" } else { "behind" };
    (ahead.unsigned_abs() >= WINDOW_SECONDS).then(|| {
        format!(
            "this machine's clock is {} s {direction} the platform's, and {WINDOW_SECONDS} s are the limit: set the clock (NTP)",
            ahead.unsigned_abs()
        )
    })
}

/// The platform's own view of the message, from `sign_information`.
struct Seen<'a> {
    length: Option<usize>,
    beginning: &'a str,
}

impl<'a> Seen<'a> {
    fn read(api: &'a ApiError) -> Option<Self> {
        let detail = api.detail()?;
        let information =
            detail.get("sign_information").or_else(|| detail.get("detail")?.get("sign_information"))?;
        let length = information.get("sign_message_length").and_then(serde_json::Value::as_u64);
        Some(Self {
            length: length.and_then(|length| usize::try_from(length).ok()),
            beginning: information.get("truncated_sign_message")?.as_str()?,
        })
    }
}

const LINES: [&str; 5] = ["method", "path and query", "timestamp", "nonce", "body"];

fn compare(seen: &Seen<'_>, sent: &Sent) -> Vec<String> {
    let ours = sent.message.as_slice();
    let theirs = seen.beginning.as_bytes();
    let shared = ours.iter().zip(theirs).take_while(|(a, b)| a == b).count();
    let same_length = seen.length.is_none_or(|length| length == ours.len());
    if shared == theirs.len() && same_length && seen.length.is_some() {
        return vec![format!(
            "the platform saw the same message ({} bytes) that was signed: so the key is wrong; the private key does not belong to the certificate {}",
            ours.len(),
            sent.serial
        )];
    }
    let mut findings = Vec::new();
    if shared < theirs.len() {
        let line = ours[..shared].iter().filter(|byte| **byte == b'\n').count().min(LINES.len() - 1);
        findings.push(format!("the {} differs from byte {shared} of the message on", LINES[line]));
        findings.extend(likely_cause(line, &ours[shared..], &theirs[shared..]).map(str::to_owned));
    }
    if let Some(length) = seen.length.filter(|length| *length != ours.len()) {
        findings.push(format!(
            "the platform built a message of {length} bytes, and {} were signed{}",
            ours.len(),
            if shared == theirs.len() {
                ": the difference is in the body, which was changed after signing"
            } else {
                ""
            }
        ));
    }
    if findings.is_empty() {
        findings.push(
            "what the platform shows of the message is what was signed: so the rest of it differs, or the key is wrong"
                .to_owned(),
        );
    }
    findings
}

fn likely_cause(line: usize, ours: &[u8], theirs: &[u8]) -> Option<&'static str> {
    match (line, ours.first(), theirs.first()) {
        (1, Some(b'%'), Some(_)) | (1, Some(_), Some(b'%')) => {
            Some("one side has it percent-encoded and the other not: something between rewrote the URL")
        }
        (1, Some(b'?'), Some(b'\n')) => Some("the query did not arrive: sign and send the same URL"),
        (1, Some(b'\n'), Some(b'?')) => Some("the query was sent but not signed"),
        (1, _, _) => Some("something between, such as a proxy, rewrote the path"),
        (4, _, _) => Some("the body was changed after signing, perhaps serialised a second time"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api_error::Authenticity;
    use crate::call::{Call, Operation, Verb};
    use http::HeaderMap;
    use serde_json::json;

    static GET: Operation = Operation::new("stock.get", Verb::Get, "/v3/x");
    const SIGNED: &str = "POST\n/v3/stocks/1?a=%2B\n1750000000\nnonce\n{\"a\":1}\n";

    fn diagnose(seen: &str, length: usize) -> Vec<String> {
        diagnose_at(seen, length, &HeaderMap::new())
    }

    fn diagnose_at(seen: &str, length: usize, headers: &HeaderMap) -> Vec<String> {
        let body = json!({"code": "SIGN_ERROR", "message": "错误的签名，验签失败", "detail": {
            "field": "signature", "location": "authorization", "detail": {"issue": "sign not match"},
            "sign_information": {"method": "POST", "url": "/v3", "sign_message_length": length, "truncated_sign_message": seen}}});
        let call = Call::to(&GET).finish().unwrap();
        let api = ApiError::read(&call, 401, headers, body.to_string().as_bytes(), Authenticity::Unsigned);
        let at = DateTime::from_timestamp(1_750_000_000, 0).unwrap();
        let sent = Sent { message: SIGNED.as_bytes().to_vec(), serial: Serial::new("0C4A"), at };
        Diagnosis::of(&api, &sent).unwrap().findings
    }

    #[test]
    fn the_same_message_means_the_wrong_key() {
        let findings = diagnose(SIGNED, SIGNED.len());
        assert!(
            findings[0].contains("the private key does not belong to the certificate 0C4A"),
            "{findings:?}"
        );
        let findings = diagnose(&SIGNED[..20], SIGNED.len());
        assert!(
            findings[0].contains("so the key is wrong"),
            "a truncated message of the right length: {findings:?}"
        );
    }

    #[test]
    fn the_line_that_differs_is_named() {
        let rewritten = SIGNED.replace("%2B", "+");
        let findings = diagnose(&rewritten, rewritten.len());
        assert!(findings[0].starts_with("the path and query differs from byte"), "{findings:?}");
        assert!(findings[1].contains("percent-encoded"), "{findings:?}");
        let no_query = SIGNED.replace("?a=%2B", "");
        assert!(diagnose(&no_query, no_query.len())[1].contains("the query did not arrive"));
        let body = SIGNED.replace("{\"a\":1}", "{\"a\": 1}");
        let findings = diagnose(&body, body.len());
        assert!(findings[0].starts_with("the body differs"), "{findings:?}");
        assert!(findings[1].contains("serialised a second time"), "{findings:?}");
        let hidden = diagnose(&SIGNED[..20], SIGNED.len() + 1);
        assert!(hidden[0].contains("the difference is in the body"), "{hidden:?}");
    }

    #[test]
    fn a_wrong_clock_is_named_with_its_error() {
        let mut headers = HeaderMap::new();
        headers.insert("date", "Sun, 15 Jun 2025 15:00:00 GMT".parse().unwrap());
        let findings = diagnose_at(SIGNED, SIGNED.len(), &headers);
        assert!(findings[0].starts_with("this machine's clock is 400 s ahead of"), "{findings:?}");
    }
}
