//! Why a notification is not accepted.

use std::fmt;

use favor_core::{AeadError, Error, MerchantId, VerifyError};
use http::StatusCode;

use crate::reply::Reply;

/// Why a notification is not accepted. Answer with its [`reply`](Self::reply).
///
/// Display and Debug hold nothing of the body, except the names in `Unsupported` and `AnotherMerchant`, and those
/// only after its signature held. Of the headers they hold the serial and the signature's type.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// Not a POST.
    #[error("notifications come by POST only")]
    Method,
    /// The body did not arrive whole: the connection broke, or it took longer than the platform waits.
    #[error("the body did not arrive whole")]
    Incomplete,
    /// The body is larger than the receiver takes.
    #[error("the body is larger than {limit} bytes")]
    TooLarge {
        /// The receiver's limit.
        limit: usize,
    },
    /// The signature does not hold: a forgery, a probe, a message that is too old, or a clock that is wrong.
    #[error("the signature does not prove that the platform sent it")]
    Signature(#[from] VerifyError),
    /// It names a platform key that is not held, and newer keys could not be had in time.
    #[error("newer platform keys could not be had")]
    KeysUnavailable(#[source] Option<Error>),
    /// Authentic, and not of the documented form.
    #[error("it is malformed")]
    Malformed(#[from] Malformation),
    /// Authentic, and of a kind that this version does not know.
    #[error("{field} is {found:?}, which is not supported")]
    Unsupported {
        /// The JSON path of the field.
        field: &'static str,
        /// What it says.
        found: String,
    },
    /// Authentic, and no merchant's APIv3 key opens it. Most likely the APIv3 key was changed in the console.
    #[error("it cannot be opened")]
    Sealed(#[source] AeadError),
    /// Authentic, and about another merchant's coupon than the one it was sealed for.
    #[error("it is about a coupon of the merchant {creator}, and the receiver has the key of {merchant}")]
    AnotherMerchant {
        /// The merchant whose keys fit.
        merchant: MerchantId,
        /// The creator that the coupon names.
        creator: MerchantId,
    },
}

impl Rejection {
    /// Whether it is a signature probe: deliberately wrong, to see whether signatures are verified. No need to worry:
    /// the true notification follows.
    pub fn is_probe(&self) -> bool {
        matches!(self, Self::Signature(VerifyError::Probe))
    }

    /// What to answer.
    pub fn reply(&self) -> Reply {
        Reply::rejected(self)
    }

    /// Status and words of the answer. The words are few and fixed, and repeat nothing of the request.
    pub(crate) fn answer(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "notifications come by POST only"),
            Self::Incomplete => (StatusCode::BAD_REQUEST, "the body did not arrive whole"),
            Self::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"),
            Self::Signature(error) => (StatusCode::UNAUTHORIZED, words(error)),
            Self::KeysUnavailable(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, "platform keys are being refreshed, send it again")
            }
            Self::Malformed(_) => (StatusCode::BAD_REQUEST, "the notification is malformed"),
            Self::Unsupported { .. } => {
                (StatusCode::BAD_REQUEST, "the notification is of an unsupported kind")
            }
            Self::Sealed(AeadError::Tag) => {
                (StatusCode::INTERNAL_SERVER_ERROR, "the resource cannot be opened with the key held here")
            }
            Self::Sealed(_) => (StatusCode::BAD_REQUEST, "the resource is not sealed as documented"),
            Self::AnotherMerchant { .. } => (StatusCode::BAD_REQUEST, "the coupon is another merchant's"),
        }
    }
}

fn words(error: &VerifyError) -> &'static str {
    match error {
        VerifyError::MissingHeader(_) => "a signature header is missing",
        VerifyError::RepeatedHeader(_) => "a signature header is there more than once",
        VerifyError::MalformedHeader(_) => "a signature header is malformed",
        VerifyError::SignatureType(_) => "the signature type is not supported",
        VerifyError::OutsideWindow { .. } => "the timestamp is 300 s or more from the time here",
        VerifyError::UnknownKey(_) => "the key that signed is not known here",
        VerifyError::ExpiredKey(_) | VerifyError::KeyNotYetValid(_) => "the key that signed is not valid now",
        _ => "the signature does not hold",
    }
}

/// Where authentic JSON is not of the documented form. Holds the field's name and never its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformation {
    part: &'static str,
    field: Option<String>,
    what: &'static str,
}

impl Malformation {
    pub(crate) fn new(part: &'static str, what: &'static str) -> Self {
        Self { part, field: None, what }
    }

    pub(crate) fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into()).filter(|field| field != ".");
        self
    }

    /// The JSON path of the field, where one can be blamed.
    pub fn field(&self) -> Option<&str> {
        self.field.as_deref()
    }
}

impl fmt::Display for Malformation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.part)?;
        if let Some(field) = &self.field {
            write!(f, ", field {field}")?;
        }
        write!(f, ": {}", self.what)
    }
}

impl std::error::Error for Malformation {}
/// Tells the log why a notification was refused, where nobody else gets to see it.
pub(crate) fn log(rejection: &Rejection) {
    if rejection.is_probe() {
        tracing::info!("a signature probe was refused; the true notification follows");
        return;
    }
    let cause = std::error::Error::source(rejection).map(ToString::to_string);
    tracing::warn!(reason = %rejection, cause, "a notification was refused");
}
