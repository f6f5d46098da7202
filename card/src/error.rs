//! What can go wrong, and what it means.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use favor_core::{InvalidRequest, Outcome, TransportError, TransportFailure};

use crate::endpoint::{Effect, Endpoint};
use crate::errcode::ErrCode;
use crate::token_store::TokenStoreError;

/// Where a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The client's settings.
    Config,
    /// The request breaks a documented rule and was not sent; see [`Error::invalid_request`].
    InvalidRequest,
    /// The store of access tokens failed.
    Store,
    /// A leaked access token is still in force.
    NotReplaced,
    /// No connection was made.
    Connect,
    /// The time ran out.
    Timeout,
    /// The connection broke.
    Interrupted,
    /// The answer is larger than allowed.
    TooLarge,
    /// The HTTP status is not 200; see [`Error::status`].
    Status,
    /// The platform answered with an error number; see [`Error::api`].
    Api,
    /// The answer cannot be decoded; see [`Error::body`].
    Decode,
}

/// The platform's error answer: HTTP 200 with an `errcode` other than 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    code: ErrCode,
    message: String,
}

impl ApiError {
    pub(crate) fn new(code: ErrCode, message: String) -> Self {
        Self { code, message }
    }

    /// The number.
    pub fn code(&self) -> ErrCode {
        self.code
    }

    /// The platform's text with its random ending (`hint: […]`, `rid: …`), tokens and openids of the request masked.
    /// For logs; never branch on it.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "errcode {}, {}", self.code, self.code.meaning())?;
        if self.message.is_empty() { Ok(()) } else { write!(f, ": {}", self.message) }
    }
}

impl std::error::Error for ApiError {}

/// A failed call. Cheap to clone.
///
/// Display and Debug hold no secret, token, body or openid, and Display does not repeat its source.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    outcome: Outcome,
    message: String,
    endpoint: Option<&'static Endpoint>,
    status: Option<u16>,
    cause: Option<Arc<dyn std::error::Error + Send + Sync>>,
    body: Option<Bytes>,
}

impl Error {
    fn new(kind: ErrorKind, outcome: Outcome, message: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            kind,
            outcome,
            message: message.into(),
            endpoint: None,
            status: None,
            cause: None,
            body: None,
        }))
    }

    fn change(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    fn caused_by(self, cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.change(|inner| inner.cause = Some(Arc::new(cause)))
    }

    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, Outcome::NotSent, message)
    }

    pub(crate) fn store(error: TokenStoreError) -> Self {
        Self::new(ErrorKind::Store, Outcome::NotSent, "the store of access tokens cannot be used")
            .caused_by(error)
    }

    pub(crate) fn store_is_stuck() -> Self {
        let message = "another process has been fetching an access token for too long";
        Self::new(ErrorKind::Store, Outcome::NotSent, message)
    }

    pub(crate) fn not_replaced() -> Self {
        let message = "the platform gave the same access token again: it replaces one every 30 s at most";
        Self::new(ErrorKind::NotReplaced, Outcome::Refused, message)
    }

    pub(crate) fn transport(error: TransportError) -> Self {
        let kind = match error.failure() {
            TransportFailure::Unsendable => ErrorKind::InvalidRequest,
            TransportFailure::Connect => ErrorKind::Connect,
            TransportFailure::Timeout => ErrorKind::Timeout,
            TransportFailure::TooLarge => ErrorKind::TooLarge,
            _ => ErrorKind::Interrupted,
        };
        let outcome = if error.failure().surely_not_sent() { Outcome::NotSent } else { Outcome::Unknown };
        Self::new(kind, outcome, "the network failed").caused_by(error)
    }

    pub(crate) fn status_of(status: u16, body: Bytes) -> Self {
        let message = format!("the platform answered HTTP {status} where it should be 200");
        Self::new(ErrorKind::Status, Outcome::Unknown, message).change(|inner| {
            inner.status = Some(status);
            inner.body = Some(body);
        })
    }

    /// A busy platform may or may not have done it (spec §2.4).
    pub(crate) fn refused(api: ApiError, body: Bytes) -> Self {
        let outcome = if api.code() == ErrCode::SystemBusy { Outcome::Unknown } else { Outcome::Refused };
        Self::new(ErrorKind::Api, outcome, "the platform answered with an error")
            .caused_by(api)
            .change(|inner| inner.body = Some(body))
    }

    pub(crate) fn decode(message: impl Into<String>, body: Bytes) -> Self {
        Self::new(ErrorKind::Decode, Outcome::Unknown, message).change(|inner| inner.body = Some(body))
    }

    pub(crate) fn during(self, endpoint: &'static Endpoint) -> Self {
        // A token that could not be had keeps its own name.
        self.change(|inner| {
            inner.endpoint.get_or_insert(endpoint);
        })
    }

    /// For a call that was not made since something before it failed.
    pub(crate) fn before_the_call(self) -> Self {
        self.change(|inner| inner.outcome = Outcome::NotSent)
    }

    /// Where it failed.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What the call did, as far as can be known. After [`Outcome::Unknown`] of a call whose effect is
    /// [`Effect::Once`], look before repeating: there is no idempotency key in this API.
    pub fn outcome(&self) -> Outcome {
        self.0.outcome
    }

    /// The endpoint that failed: that of the call, or of the access token it needed. None outside a call.
    pub fn endpoint(&self) -> Option<&'static Endpoint> {
        self.0.endpoint
    }

    /// Whether the failed call was to change something, so that an unknown outcome matters.
    pub fn is_write(&self) -> bool {
        self.0.endpoint.is_some_and(|endpoint| endpoint.effect != Effect::Read)
    }

    /// The HTTP status, when it was not 200.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The platform's error, when it answered with one.
    pub fn api(&self) -> Option<&ApiError> {
        self.cause()
    }

    /// The platform's error number, when it answered with one.
    pub fn code(&self) -> Option<ErrCode> {
        self.api().map(ApiError::code)
    }

    /// The rules the request breaks, when it was not sent for that.
    pub fn invalid_request(&self) -> Option<&InvalidRequest> {
        self.cause()
    }

    /// The bytes of the answer, when there was one. They may hold personal data.
    pub fn body(&self) -> Option<&Bytes> {
        self.0.body.as_ref()
    }

    fn cause<T: std::error::Error + 'static>(&self) -> Option<&T> {
        self.0.cause.as_deref().and_then(|cause| cause.downcast_ref())
    }

    /// Whether the same request, unchanged, can succeed later. Whether that does no harm, says
    /// [`is_safe_to_repeat`](Self::is_safe_to_repeat).
    pub fn is_retryable(&self) -> bool {
        match self.kind() {
            ErrorKind::Connect | ErrorKind::Timeout | ErrorKind::Interrupted | ErrorKind::NotReplaced => true,
            ErrorKind::Status => self.0.status.is_some_and(|status| matches!(status, 408 | 429 | 500..)),
            ErrorKind::Api => self.code().is_some_and(ErrCode::is_retryable),
            ErrorKind::Store => self.cause::<TokenStoreError>().is_none_or(TokenStoreError::is_temporary),
            ErrorKind::Config | ErrorKind::InvalidRequest | ErrorKind::TooLarge | ErrorKind::Decode => false,
        }
    }

    /// Whether the same request, unchanged, can succeed later and does no harm although the first may have been done:
    /// [retryable](Self::is_retryable), and not a call whose effect is [`Effect::Once`] with an unknown outcome.
    pub fn is_safe_to_repeat(&self) -> bool {
        let counts_twice = self.0.endpoint.is_some_and(|endpoint| endpoint.effect == Effect::Once);
        self.is_retryable() && !(counts_twice && self.outcome() == Outcome::Unknown)
    }

    /// What to do next, in a sentence.
    pub fn hint(&self) -> &'static str {
        match (self.kind(), self.outcome()) {
            (ErrorKind::NotReplaced, _) => "wait 30 s and replace it again; 20 times a day are allowed",
            (ErrorKind::Api, _) => self.code().map_or("", ErrCode::hint),
            (_, Outcome::Unknown) if self.is_write() => {
                "the change may have been made: query its object before you repeat the call"
            }
            (_, Outcome::Unknown) => "repeat the call",
            (ErrorKind::Config, _) => "correct the settings",
            (ErrorKind::InvalidRequest, _) => "correct the request; nothing was sent",
            (ErrorKind::Store, _) => "look after the store of access tokens; nothing was sent",
            _ => "check the network and try again; nothing was sent",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(endpoint) = self.endpoint() {
            write!(f, "{}: ", endpoint.name)?;
        }
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("outcome", &self.0.outcome)
            .field("endpoint", &self.endpoint().map(|endpoint| endpoint.name))
            .field("message", &self.0.message)
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

impl From<favor_core::Error> for Error {
    fn from(error: favor_core::Error) -> Self {
        Self::config("the client cannot be set up").caused_by(error)
    }
}
