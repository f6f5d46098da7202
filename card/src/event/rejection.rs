//! Why a pushed message is not taken, and how it is answered.

use http::StatusCode;

use super::answer::Answer;
use super::crypto::CryptError;
use super::xml::XmlError;

/// Why a pushed message is not taken. Display and Debug quote nothing of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// It is no POST.
    #[error("messages are pushed by POST")]
    Method,
    /// Its body is larger than allowed.
    #[error("the body is larger than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// Its body did not arrive whole.
    #[error("the body did not arrive whole")]
    Interrupted,
    /// A query parameter is missing, there twice or malformed.
    #[error("the query parameter {name} is missing, there twice or malformed")]
    Query {
        /// The parameter.
        name: &'static str,
    },
    /// The signature does not hold: another Token, or not the platform.
    #[error("the signature does not hold: it was made with another Token, or not by the platform")]
    Signature,
    /// It was signed too long ago, or too far ahead.
    #[error("it was signed {seconds} s away from now, which is too far")]
    OutsideWindow {
        /// How far.
        seconds: u64,
    },
    /// It is encrypted, and there is no key.
    #[error("the message is encrypted and no EncodingAESKey is set")]
    NoKey,
    /// It is plain, where only encrypted ones are taken.
    #[error(
        "the message is plain, and with an EncodingAESKey only encrypted ones are taken: a plain one may be forged"
    )]
    NotEncrypted,
    /// It cannot be opened.
    #[error("the message cannot be opened")]
    Sealed(#[source] CryptError),
    /// It is for another account.
    #[error("the message inside is for another account than {expected}")]
    AnotherAccount {
        /// The account of the receiver.
        expected: String,
    },
    /// It is no XML of the documented form.
    #[error("the body is no message")]
    Xml(#[source] XmlError),
    /// An element that every message has is missing or malformed.
    #[error("the element {field} is missing or malformed")]
    Incomplete {
        /// The element.
        field: &'static str,
    },
    /// It came before and is done. The platform is to be told so again.
    #[error("the message came before and is done")]
    Repeated,
    /// It came before and is being worked on.
    #[error("the message came before and is being worked on")]
    InProgress,
}

impl Rejection {
    /// The answer: `success` for what is done already, an empty body with a status of refusal otherwise.
    pub fn answer(&self) -> Answer {
        let status = match self {
            Self::Repeated => return Answer::success(),
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Signature
            | Self::OutsideWindow { .. }
            | Self::NotEncrypted
            | Self::AnotherAccount { .. } => StatusCode::FORBIDDEN,
            Self::NoKey => StatusCode::INTERNAL_SERVER_ERROR,
            Self::InProgress => StatusCode::SERVICE_UNAVAILABLE,
            Self::Interrupted
            | Self::Query { .. }
            | Self::Sealed(_)
            | Self::Xml(_)
            | Self::Incomplete { .. } => StatusCode::BAD_REQUEST,
        };
        Answer::refused(status)
    }
}
