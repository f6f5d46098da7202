//! What an endpoint answers, before it is signed and put on the wire.

use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;

use crate::flow::file::FlowFile;
use crate::flow::links::Link;
use crate::ledger::LedgerError;
use crate::rules::edge::SYSTEM_ERROR;
use crate::rules::{Refusal, Rule};

/// Ends the `Request-ID` of a success.
const NUMBER_OK: u32 = 0;

/// An answer of the business layer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
    /// `code` of an error.
    pub(crate) code: Option<String>,
    /// Number at the end of the `Request-ID`.
    pub(crate) number: u32,
    pub(crate) rule: Option<&'static Rule>,
    /// For the request log.
    pub(crate) note: Option<String>,
    pub(crate) retry_after: Option<u32>,
    /// A file in the place of the body. It is neither JSON nor signed.
    pub(crate) file: Option<Arc<FlowFile>>,
    /// The link that the body hands out, for faults.
    pub(crate) link: Option<Arc<Link>>,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a Value>,
}

impl Answer {
    pub(crate) fn ok(body: &impl Serialize) -> Self {
        Self {
            status: StatusCode::OK,
            body: json(body),
            code: None,
            number: NUMBER_OK,
            rule: None,
            note: None,
            retry_after: None,
            file: None,
            link: None,
        }
    }

    pub(crate) fn file(file: Arc<FlowFile>) -> Self {
        Self { body: Bytes::new(), file: Some(file), ..Self::ok(&()) }
    }

    /// The mirror itself could not do it.
    pub(crate) fn failed(note: String) -> Self {
        Self::from(Refusal::from(&SYSTEM_ERROR)).with_note(note)
    }

    pub(crate) fn error(status: StatusCode, code: &str, message: &str, number: u32) -> Self {
        Self {
            status,
            body: json(&ErrorBody { code, message, detail: None }),
            code: Some(code.to_owned()),
            number,
            ..Self::ok(&())
        }
    }

    pub(crate) fn with_note(mut self, note: String) -> Self {
        self.note = Some(note);
        self
    }
}

fn json(body: &impl Serialize) -> Bytes {
    serde_json::to_vec(body).expect("answers are made of texts, numbers and lists").into()
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        let rule = refusal.rule;
        let detail = refusal.detail.as_deref();
        Self {
            status: StatusCode::from_u16(rule.status).expect("rules have statuses that exist"),
            body: json(&ErrorBody { code: rule.code, message: refusal.message(), detail }),
            code: Some(rule.code.to_owned()),
            number: rule.number,
            rule: Some(rule),
            note: Some(rule.note()),
            retry_after: None,
            file: None,
            link: None,
        }
    }
}

impl From<LedgerError> for Answer {
    fn from(error: LedgerError) -> Self {
        Self::failed(error.to_string())
    }
}

/// The answer travels as an extension; [`crate::exchange`] takes it out and puts it on the wire.
impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_becomes_an_error_body() {
        let answer = Answer::from(Refusal::from(&SYSTEM_ERROR));
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(&answer.body[..], r#"{"code":"SYSTEM_ERROR","message":"系统错误"}"#.as_bytes());
        assert_eq!(answer.number, SYSTEM_ERROR.number);
    }
}
