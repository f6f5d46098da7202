//! What can go wrong, and what it means for the money.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::api_error::{ApiError, Authenticity};
use crate::call::{Operation, Verb};
use crate::check::InvalidRequest;
use crate::diagnose::{Diagnosis, Sent};
use crate::key_file::KeyError;
use crate::sign::SignError;
use crate::transport::{TransportError, TransportFailure};
use crate::verify::VerifyError;

/// What a failed call did, as far as can be known. Money code branches on this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The request surely never arrived. Nothing happened.
    NotSent,
    /// The platform answered that it did not do it.
    Refused,
    /// It may or may not have been done. Repeat with the same parameters and the same `out_request_no`.
    Unknown,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Outcome::NotSent => "not sent",
            Outcome::Refused => "refused",
            Outcome::Unknown => "outcome unknown",
        })
    }
}

/// Where a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The client's settings or key files.
    Config,
    /// The request breaks a documented rule and was not sent; see [`Error::invalid_request`].
    InvalidRequest,
    /// The platform's keys could not be had.
    Keys,
    /// The signer failed.
    Sign,
    /// No connection was made.
    Connect,
    /// The time ran out.
    Timeout,
    /// The connection broke.
    Interrupted,
    /// The answer is larger than allowed.
    TooLarge,
    /// The platform answered with an error; see [`Error::api`].
    Api,
    /// The answer's signature does not hold; see [`Error::verification_error`].
    Verification,
    /// The answer is authentic but cannot be decoded; see [`Error::body`].
    Decode,
}

/// A failed call. Cheap to clone.
///
/// Display and Debug hold no key, no body and no openid, and Display does not repeat its source.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    outcome: Outcome,
    message: String,
    operation: Option<&'static Operation>,
    attempts: u32,
    cause: Option<Arc<dyn std::error::Error + Send + Sync>>,
    body: Option<Bytes>,
    request_id: Option<String>,
    sent: Option<Arc<Sent>>,
}

impl Error {
    fn new(kind: ErrorKind, outcome: Outcome, message: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            kind,
            outcome,
            message: message.into(),
            operation: None,
            attempts: 0,
            cause: None,
            body: None,
            request_id: None,
            sent: None,
        }))
    }

    fn change(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, Outcome::NotSent, message)
    }

    pub(crate) fn keys(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Keys, Outcome::NotSent, message)
    }

    pub(crate) fn sign(error: SignError) -> Self {
        Self::new(ErrorKind::Sign, Outcome::NotSent, "the request could not be signed").caused_by(error)
    }

    pub(crate) fn too_late(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Timeout, Outcome::NotSent, message)
    }

    pub(crate) fn transport(error: TransportError) -> Self {
        let kind = match error.failure() {
            TransportFailure::Unsendable => ErrorKind::InvalidRequest,
            TransportFailure::Connect => ErrorKind::Connect,
            TransportFailure::Timeout => ErrorKind::Timeout,
            TransportFailure::Interrupted => ErrorKind::Interrupted,
            TransportFailure::TooLarge => ErrorKind::TooLarge,
        };
        let outcome = if error.failure().surely_not_sent() { Outcome::NotSent } else { Outcome::Unknown };
        // Its words are this error's, so its own cause comes next.
        Self::new(kind, outcome, error.to_string())
            .change(|inner| inner.cause = error.into_cause().map(Arc::from))
    }

    pub(crate) fn verification(error: VerifyError) -> Self {
        Self::new(ErrorKind::Verification, Outcome::Unknown, "the answer cannot be trusted").caused_by(error)
    }

    pub(crate) fn decode(path: &str, error: serde_json::Error) -> Self {
        let message = format!("the answer cannot be decoded at {path}");
        Self::new(ErrorKind::Decode, Outcome::Unknown, message).caused_by(DecodeError::of(&error))
    }

    pub(crate) fn answer_without_meaning(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Decode, Outcome::Unknown, message)
    }

    /// A 4xx is a refusal, except 408, which a gateway sends in place of an answer, and except one whose signature
    /// does not hold. All else is doubtful.
    pub(crate) fn from_api(api: ApiError) -> Self {
        let refused = (400..500).contains(&api.status()) && api.status() != 408;
        let trusted = api.authenticity() != Authenticity::Failed;
        let outcome = if refused && trusted { Outcome::Refused } else { Outcome::Unknown };
        let message = format!("the platform answered {}", api.status());
        let request_id = api.request_id().map(str::to_owned);
        Self::new(ErrorKind::Api, outcome, message)
            .caused_by(api)
            .change(|inner| inner.request_id = request_id)
    }

    pub(crate) fn caused_by(self, cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.change(|inner| inner.cause = Some(Arc::new(cause)))
    }

    pub(crate) fn during(self, operation: &'static Operation, attempts: u32) -> Self {
        self.change(|inner| {
            // A download of keys that fails within a call keeps its own name.
            inner.operation.get_or_insert(operation);
            inner.attempts = attempts;
        })
    }

    pub(crate) fn with_outcome(self, outcome: Outcome) -> Self {
        self.change(|inner| inner.outcome = outcome)
    }

    pub(crate) fn with_answer(self, body: Bytes, request_id: Option<String>) -> Self {
        self.change(|inner| {
            inner.body = Some(body);
            inner.request_id = request_id;
        })
    }

    pub(crate) fn with_sent(self, sent: Sent) -> Self {
        self.change(|inner| inner.sent = Some(Arc::new(sent)))
    }

    /// Where it failed.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What it did, as far as can be known.
    pub fn outcome(&self) -> Outcome {
        self.0.outcome
    }

    /// The operation's name, such as `coupon.send`; none for errors outside a call.
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation.map(|operation| operation.name)
    }

    /// Whether the failed call was to change something, so that an unknown outcome matters.
    pub fn is_write(&self) -> bool {
        self.0.operation.is_some_and(|operation| operation.verb != Verb::Get)
    }

    /// How many attempts were made.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Whether the same request, unchanged, can succeed later.
    pub fn is_retryable(&self) -> bool {
        match self.kind() {
            ErrorKind::Connect | ErrorKind::Timeout | ErrorKind::Interrupted | ErrorKind::Verification => {
                true
            }
            ErrorKind::Api => self.api().is_some_and(ApiError::is_retryable),
            ErrorKind::Config
            | ErrorKind::InvalidRequest
            | ErrorKind::Keys
            | ErrorKind::Sign
            | ErrorKind::TooLarge
            | ErrorKind::Decode => false,
        }
    }

    /// The platform's error, when it answered with one.
    pub fn api(&self) -> Option<&ApiError> {
        self.cause()
    }

    /// Why the answer cannot be trusted, when that is the failure.
    pub fn verification_error(&self) -> Option<&VerifyError> {
        self.cause()
    }

    /// The rules the request breaks, when it was not sent for that.
    pub fn invalid_request(&self) -> Option<&InvalidRequest> {
        self.cause()
    }

    fn cause<T: std::error::Error + 'static>(&self) -> Option<&T> {
        self.0.cause.as_deref().and_then(|cause| cause.downcast_ref())
    }

    /// The platform's id of the call. Give it to WeChat Pay's support.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// The bytes of the answer, when there was one. They may hold personal data, and are only to be trusted when
    /// the kind is [`ErrorKind::Decode`].
    pub fn body(&self) -> Option<&Bytes> {
        self.0.body.as_ref()
    }

    /// For a `SIGN_ERROR`: compares what the platform saw with what was signed, and says in words what differs.
    pub fn diagnose(&self) -> Option<Diagnosis> {
        Diagnosis::of(self.api()?, self.0.sent.as_deref()?)
    }

    /// What to do next, in a sentence.
    pub fn hint(&self) -> &'static str {
        match (self.kind(), self.outcome()) {
            (_, Outcome::Unknown) => "repeat the call with the same parameters and the same out_request_no",
            (ErrorKind::Config, _) => "correct the settings",
            (ErrorKind::InvalidRequest, _) => "correct the request; nothing was sent",
            (ErrorKind::Keys, _) => {
                "check the APIv3 key and whether the merchant uses a WeChat Pay public key"
            }
            (ErrorKind::Sign, _) => "check the signer; nothing was sent",
            (ErrorKind::Api, _) => self.api().map_or("", ApiError::hint),
            _ => "check the network and try again; nothing was sent",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(operation) = self.operation() {
            write!(f, "{operation}: ")?;
        }
        f.write_str(&self.0.message)?;
        if self.0.attempts > 1 {
            write!(f, " after {} attempts", self.0.attempts)?;
        }
        if let Some(request_id) = &self.0.request_id {
            write!(f, " (request id {request_id})")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("outcome", &self.0.outcome)
            .field("operation", &self.operation())
            .field("attempts", &self.0.attempts)
            .field("message", &self.0.message)
            .field("request_id", &self.0.request_id)
            .field("cause", &self.0.cause)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.cause.as_deref().map(|cause| cause as _)
    }
}

impl From<InvalidRequest> for Error {
    fn from(invalid: InvalidRequest) -> Self {
        let message = "the request breaks documented rules";
        Self::new(ErrorKind::InvalidRequest, Outcome::NotSent, message).caused_by(invalid)
    }
}

impl From<KeyError> for Error {
    fn from(error: KeyError) -> Self {
        Self::config("a key cannot be used").caused_by(error)
    }
}

/// A serde_json error without the value it quotes, which can be personal data.
#[derive(Debug)]
struct DecodeError(String);

impl DecodeError {
    fn of(error: &serde_json::Error) -> Self {
        let what = match error.classify() {
            serde_json::error::Category::Syntax => "it is not JSON",
            serde_json::error::Category::Eof => "it ends too early",
            serde_json::error::Category::Data => "the value is of an unexpected form",
            serde_json::error::Category::Io => "it cannot be read",
        };
        Self(format!("{what} (line {}, column {})", error.line(), error.column()))
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DecodeError {}
