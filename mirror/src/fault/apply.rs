//! Carries faults out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use http::{HeaderName, HeaderValue, StatusCode, header};

use super::{FaultKind, FaultRule};
use crate::answer::Answer;
use crate::connection_end::End;
use crate::outgoing::{
    Delivery, NONCE, Outgoing, SERIAL, SIGNATURE, SIGNATURE_HEADERS, SIGNATURE_TYPE, TIMESTAMP,
};
use crate::rules::edge::{RATE, SYSTEM_ERROR};
use crate::rules::{NUMBER_UNKNOWN, Refusal};

const PROBE_PREFIX: &str = "WECHATPAY/SIGNTEST/";
/// A serial that no key has.
const NO_SERIAL: &str = "7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF";

/// What a fault before the work puts in the place of the work; `None` lets the work go on.
pub(crate) fn instead_of_work(rule: &FaultRule) -> Option<Answer> {
    match &rule.kind {
        FaultKind::Delay => None,
        kind => Some(replacement(kind).unwrap_or_else(placeholder)),
    }
}

/// Changes an answer before it is signed.
pub(crate) fn alter_answer(rule: &FaultRule, answer: Answer) -> Answer {
    match &rule.kind {
        // A file is padded once it is in the body.
        FaultKind::OversizedBody { bytes } if answer.file.is_none() => {
            Answer { body: padded(&answer.body, *bytes), ..answer }
        }
        kind => replacement(kind).unwrap_or(answer),
    }
}

fn padded(body: &Bytes, size: usize) -> Bytes {
    let mut padded = BytesMut::from(body.as_ref());
    padded.resize(size.max(body.len()), b' ');
    padded.freeze()
}

/// The answer that a kind gives whatever the true one would be.
fn replacement(kind: &FaultKind) -> Option<Answer> {
    match kind {
        FaultKind::Status { status, code, message } => {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            Some(Answer::error(status, code, message.as_deref().unwrap_or("系统错误"), NUMBER_UNKNOWN))
        }
        FaultKind::RateLimited { retry_after } => {
            Some(Answer { retry_after: *retry_after, ..Refusal::from(&RATE).into() })
        }
        FaultKind::NotJson => {
            let body = Bytes::from_static(b"upstream said: <<<not json>>>");
            Some(Answer { body, ..Answer::ok(&()) })
        }
        _ => None,
    }
}

/// Stands in for an answer that never reaches anybody.
fn placeholder() -> Answer {
    Refusal::from(&SYSTEM_ERROR).into()
}

/// Dooms the connection of a response that itself goes out whole.
pub(crate) fn after_answer(rule: &FaultRule, outgoing: &mut Outgoing) {
    outgoing.afterwards = rule.kind.end();
}

/// Spoils a finished response.
pub(crate) fn alter_outgoing(rule: &FaultRule, outgoing: &mut Outgoing) {
    let headers = &mut outgoing.headers;
    match &rule.kind {
        FaultKind::Cut => outgoing.delivery = Delivery::Ended(End::Cut),
        FaultKind::Reset => outgoing.delivery = Delivery::Ended(End::Reset),
        FaultKind::Hang => outgoing.delivery = Delivery::Ended(End::Hang),
        FaultKind::TruncatedBody => outgoing.delivery = Delivery::Truncated,
        FaultKind::CorruptSignature => {
            if let Some(signature) = headers.get_mut(&SIGNATURE) {
                *signature = changed_signature(signature);
            }
        }
        FaultKind::MissingSignature { header: None } => {
            for name in SIGNATURE_HEADERS {
                headers.remove(name);
            }
        }
        FaultKind::MissingSignature { header: Some(name) } => {
            if let Ok(name) = HeaderName::try_from(name) {
                headers.remove(name);
            }
        }
        FaultKind::WrongSerial => set(outgoing, &SERIAL, NO_SERIAL),
        FaultKind::Probe => {
            let probe = format!("{PROBE_PREFIX}{}", crate::random::alphanumeric(64));
            set(outgoing, &SIGNATURE, &probe);
        }
        FaultKind::CorruptBody => {
            outgoing.load();
            outgoing.body = changed_body(&outgoing.body);
        }
        FaultKind::OversizedBody { bytes } => {
            if outgoing.file.is_some() {
                outgoing.load();
                outgoing.body = padded(&outgoing.body, *bytes);
            }
        }
        FaultKind::CutAfter { bytes } => outgoing.delivery = Delivery::CutAfter(*bytes),
        FaultKind::Slow { bytes_per_second } => outgoing.delivery = Delivery::Slow(*bytes_per_second),
        FaultKind::Redirect { status, location } => {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::FOUND);
            replace_unsigned(outgoing, status, Bytes::new());
            set(outgoing, &header::LOCATION, location);
        }
        FaultKind::HtmlError => gateway_page(outgoing, StatusCode::BAD_GATEWAY),
        FaultKind::Status { .. }
        | FaultKind::ErrCode { .. }
        | FaultKind::Delay
        | FaultKind::NotJson
        | FaultKind::WrongHash
        | FaultKind::LinkTo { .. }
        | FaultKind::ExpiredLink
        | FaultKind::Gzip { .. }
        | FaultKind::Duplicate { .. }
        | FaultKind::Hold { .. }
        | FaultKind::RateLimited { .. } => {}
    }
}

/// The page by which a gateway says that something is wrong.
pub(super) fn gateway_page(outgoing: &mut Outgoing, status: StatusCode) {
    let words = format!("{} {}", status.as_str(), status.canonical_reason().unwrap_or_default());
    let words = words.trim_end();
    let page = format!(
        "<html>\r\n<head><title>{words}</title></head>\r\n<body>\r\n\
         <center><h1>{words}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    );
    replace_unsigned(outgoing, status, page.into());
}

/// A page as something in front of the business layer makes it.
fn replace_unsigned(outgoing: &mut Outgoing, status: StatusCode, page: Bytes) {
    outgoing.status = status;
    outgoing.file = None;
    outgoing.body = page;
    for name in [SIGNATURE, SERIAL, NONCE, TIMESTAMP, SIGNATURE_TYPE] {
        outgoing.headers.remove(name);
    }
    outgoing.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
}

fn set(outgoing: &mut Outgoing, name: &HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        outgoing.headers.insert(name, value);
    }
}

fn changed_signature(signature: &HeaderValue) -> HeaderValue {
    let mut bytes = STANDARD.decode(signature.as_bytes()).unwrap_or_default();
    if let Some(last) = bytes.last_mut() {
        *last ^= 1;
    }
    HeaderValue::from_str(&STANDARD.encode(bytes)).unwrap_or_else(|_| signature.clone())
}

/// Another digit where there is one, so that the body is still good JSON that says something else.
fn changed_body(body: &Bytes) -> Bytes {
    let mut changed = BytesMut::from(body.as_ref());
    match changed.iter_mut().rev().find(|byte| byte.is_ascii_digit()) {
        Some(digit) => *digit = if *digit == b'9' { b'8' } else { *digit + 1 },
        None => changed.extend_from_slice(b" "),
    }
    changed.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_corrupt_body_is_still_json() {
        let body = changed_body(&Bytes::from_static(br#"{"coupon_id":"18180000000009"}"#));
        assert_eq!(&body[..], br#"{"coupon_id":"18180000000008"}"#);
        assert_eq!(&changed_body(&Bytes::from_static(b"{}"))[..], b"{} ");
    }

    #[test]
    fn an_oversized_body_is_padded_not_replaced() {
        let rule = FaultRule::new(FaultKind::OversizedBody { bytes: 100 });
        let answer = alter_answer(&rule, Answer::ok(&"x"));
        assert_eq!(answer.body.len(), 100);
        assert!(answer.body.starts_with(b"\"x\" "));
    }
}
