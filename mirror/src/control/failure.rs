//! Errors of control calls: `{"code","message"}`.

use axum::Json;
use axum::body::{Bytes, to_bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::error::MirrorError;
use crate::ledger::LedgerError;
use crate::rules::Rule;

const LONGEST_REASON: usize = 4_096;

/// Why a control call failed.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Failure {
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: "BAD_REQUEST", message: message.into() }
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, code: "NOT_FOUND", message: message.into() }
    }

    /// A body that did not arrive as it should.
    pub(crate) fn broken_body(rule: &Rule) -> Self {
        let status = StatusCode::from_u16(rule.status).unwrap_or(StatusCode::BAD_REQUEST);
        Self { status, code: "BAD_REQUEST", message: rule.explanation.to_owned() }
    }

    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self { status: StatusCode::FORBIDDEN, code: "FORBIDDEN", message: message.into() }
    }
}

impl From<MirrorError> for Failure {
    fn from(error: MirrorError) -> Self {
        let message = error.to_string();
        match error {
            MirrorError::NotFound { .. } => Self::not_found(message),
            MirrorError::Refused { .. } => Self { status: StatusCode::CONFLICT, code: "REFUSED", message },
            MirrorError::Snapshot { .. } => Self { status: StatusCode::CONFLICT, code: "SNAPSHOT", message },
            MirrorError::Seed { .. }
            | MirrorError::SeedFile(_)
            | MirrorError::CardAccount { .. }
            | MirrorError::Fault { .. }
            | MirrorError::Key { .. } => Self::bad_request(message),
            _ => Self { status: StatusCode::INTERNAL_SERVER_ERROR, code: "FAILED", message },
        }
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        MirrorError::from(error).into()
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "code": self.code, "message": self.message }))).into_response()
    }
}

/// Reads a JSON object whatever its `Content-Type`, so that a plain `curl -d` works. No body is an empty object.
pub(crate) fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Failure> {
    // A list would otherwise be taken for the fields one by one.
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(Failure::bad_request("the body is a list; a JSON object is expected"));
    }
    read_any(body)
}

/// Reads a JSON body of any kind.
pub(crate) fn read_any<T: DeserializeOwned>(body: &Bytes) -> Result<T, Failure> {
    let text: &[u8] = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(text).map_err(|error| Failure::bad_request(error.to_string()))
}

/// Turns what the router itself refuses, in plain text, into the form of a control error.
pub(crate) async fn always_json(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    let is_json = response
        .headers()
        .get(http::header::CONTENT_TYPE)
        .is_some_and(|content_type| content_type.as_bytes().starts_with(b"application/json"));
    if !status.is_client_error() || is_json {
        return response;
    }
    let text = to_bytes(response.into_body(), LONGEST_REASON).await.unwrap_or_default();
    let reason = match String::from_utf8_lossy(&text) {
        reason if reason.is_empty() => status.canonical_reason().unwrap_or("refused").to_lowercase(),
        reason => reason.into_owned(),
    };
    Failure { status, code: "BAD_REQUEST", message: reason }.into_response()
}
