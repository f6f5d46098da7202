//! What can go wrong, and where.

use serde::{Deserialize, Serialize};

use crate::card::push::PUSH;
use crate::connection_end::End;
use crate::notify::NOTIFY;
use crate::operation::{FLOW_FILE, REFUND_FLOW, REFUND_FLOW_BY_DAY, USE_FLOW, USE_FLOW_BY_DAY};

/// Where in the life of a request a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FaultPlace {
    /// Before the signature, or the access token of a card call, is looked at. Nothing happened; the answer is not
    /// signed.
    BeforeVerify,
    /// After the signature or the access token, before the work. Nothing happened; a call that is refused for either is
    /// not struck.
    BeforeCommit,
    /// The work is done and kept; its answer is lost or changed.
    AfterCommit,
    /// The answer has gone out whole; the next request on its connection fails, as when a server closes an idle
    /// connection at the moment the client uses it again. Nothing of that next request is done.
    AfterAnswer,
}

impl FaultPlace {
    /// All places, in the order in which a request comes by.
    pub const ALL: [Self; 4] = [Self::BeforeVerify, Self::BeforeCommit, Self::AfterCommit, Self::AfterAnswer];

    /// The name in control calls, files and the request log.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BeforeVerify => "before_verify",
            Self::BeforeCommit => "before_commit",
            Self::AfterCommit => "after_commit",
            Self::AfterAnswer => "after_answer",
        }
    }
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// Another answer with this status and code. A call of the card API, which knows no such body, gets the page of a
    /// proxy with this status instead.
    Status {
        /// HTTP status, 400 to 599.
        status: u16,
        /// `code` of the error body.
        code: String,
        /// `message` of the error body.
        message: Option<String>,
    },
    /// A call of the card API is answered with this error number, with HTTP 200 as all of them.
    ErrCode {
        /// `errcode` of the answer: anything but 0.
        errcode: i64,
        /// `errmsg` of the answer; without one the vendor's, which only documented numbers have.
        message: Option<String>,
    },
    /// Nothing but the rule's delay.
    Delay,
    /// The connection is closed without a byte of an answer.
    Cut,
    /// The connection is reset (RST instead of FIN) without a byte of an answer.
    Reset,
    /// No answer ever comes, and the connection stays open until the client gives up or the mirror stops.
    Hang,
    /// The connection is closed in the middle of the body.
    TruncatedBody,
    /// The signature has a changed byte.
    CorruptSignature,
    /// A signature header is left out; without a name, all of them.
    MissingSignature {
        /// e.g. `Wechatpay-Nonce`.
        header: Option<String>,
    },
    /// `Wechatpay-Serial` names a key that does not exist.
    WrongSerial,
    /// A signature probe, as production sends them: `WECHATPAY/SIGNTEST/…`.
    Probe,
    /// A gateway's page instead of JSON: 502, not signed.
    HtmlError,
    /// A signed 200 whose body is not JSON.
    NotJson,
    /// The body is changed after it was signed.
    CorruptBody,
    /// The body is followed by blanks up to this size; signed.
    OversizedBody {
        /// Size of the body.
        bytes: usize,
    },
    /// The connection is closed after this many bytes of the body.
    CutAfter {
        /// Bytes of the body that arrive.
        bytes: u64,
    },
    /// The body trickles.
    Slow {
        /// Bytes a second.
        bytes_per_second: u64,
    },
    /// Sends the client elsewhere.
    Redirect {
        /// HTTP status, 300 to 399.
        status: u16,
        /// `Location` header, e.g. an address on another host.
        location: String,
    },
    /// A reply with a link to a flow file announces another hash; signed.
    WrongHash,
    /// A reply with a link to a flow file has this address instead; signed.
    LinkTo {
        /// e.g. `https://evil.example/file` or `download://example.csv`.
        url: String,
    },
    /// The link has run out: the one just handed out, or the one just used.
    ExpiredLink,
    /// The flow file is a gzip stream: behind the link just handed out, or this time only.
    Gzip {
        /// What the reply with the link announces the hash of.
        hash: GzipHash,
    },
    /// A notification arrives several times at once.
    Duplicate {
        /// How often it arrives, 2 to 16.
        copies: u32,
    },
    /// A notification is put off, so that later ones overtake it.
    Hold {
        /// By so many seconds of the test clock, at least 1.
        seconds: u64,
    },
    /// 429; from the card API the errcode 45009.
    RateLimited {
        /// Value of a `Retry-After` header, in seconds; production sends none, and the card API has none here.
        retry_after: Option<u32>,
    },
}

/// Pairs each kind with its name, so that the list of names cannot miss one.
macro_rules! names {
    ($($kind:pat => $name:literal,)*) => {
        impl FaultKind {
            /// The names of all kinds.
            pub const NAMES: &'static [&'static str] = &[$($name),*];

            /// The name in control calls, files and the request log.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self {
                    $($kind => $name,)*
                }
            }
        }
    };
}

names! {
    Self::Status { .. } => "status",
    Self::ErrCode { .. } => "errcode",
    Self::Delay => "delay",
    Self::Cut => "cut",
    Self::Reset => "reset",
    Self::Hang => "hang",
    Self::TruncatedBody => "truncated_body",
    Self::CorruptSignature => "corrupt_signature",
    Self::MissingSignature { .. } => "missing_signature",
    Self::WrongSerial => "wrong_serial",
    Self::Probe => "probe",
    Self::HtmlError => "html_error",
    Self::NotJson => "not_json",
    Self::CorruptBody => "corrupt_body",
    Self::OversizedBody { .. } => "oversized_body",
    Self::CutAfter { .. } => "cut_after",
    Self::Slow { .. } => "slow",
    Self::Redirect { .. } => "redirect",
    Self::WrongHash => "wrong_hash",
    Self::LinkTo { .. } => "link_to",
    Self::ExpiredLink => "expired_link",
    Self::Gzip { .. } => "gzip",
    Self::RateLimited { .. } => "rate_limited",
    Self::Duplicate { .. } => "duplicate",
    Self::Hold { .. } => "hold",
}

impl FaultKind {
    /// Whether it needs a true answer to spoil.
    pub(super) fn spoils_an_answer(&self) -> bool {
        matches!(
            self,
            Self::TruncatedBody
                | Self::CorruptSignature
                | Self::MissingSignature { .. }
                | Self::WrongSerial
                | Self::Probe
                | Self::CorruptBody
                | Self::OversizedBody { .. }
                | Self::CutAfter { .. }
                | Self::Slow { .. }
                | Self::WrongHash
                | Self::LinkTo { .. }
                | Self::ExpiredLink
                | Self::Gzip { .. }
        )
    }

    /// Whether it needs an answer that is signed.
    pub(super) fn spoils_a_signature(&self) -> bool {
        matches!(
            self,
            Self::CorruptSignature | Self::MissingSignature { .. } | Self::WrongSerial | Self::Probe
        )
    }

    /// How it ends the connection, if it does.
    pub(super) fn end(&self) -> Option<End> {
        match self {
            Self::Cut => Some(End::Cut),
            Self::Reset => Some(End::Reset),
            Self::Hang => Some(End::Hang),
            _ => None,
        }
    }

    /// Whether it can strike this operation at all.
    pub(super) fn concerns(&self, operation: &str) -> bool {
        if operation == NOTIFY {
            return self.concerns_notifications();
        }
        if operation == PUSH {
            return self.concerns_events();
        }
        match self {
            Self::Duplicate { .. } | Self::Hold { .. } => false,
            kind if kind.spoils_a_signature() => !is_card_call(operation),
            Self::ErrCode { .. } => is_card_call(operation) && operation != CARD_PICTURE,
            Self::RateLimited { .. } => operation != CARD_PICTURE,
            Self::WrongHash | Self::LinkTo { .. } | Self::Gzip { hash: GzipHash::Packed } => {
                LINKS.contains(&operation)
            }
            Self::ExpiredLink | Self::Gzip { hash: GzipHash::Unpacked } => {
                LINKS.contains(&operation) || operation == FLOW_FILE.name
            }
            _ => true,
        }
    }
}

impl FaultKind {
    /// Whether it makes sense where the mirror is the one who sends.
    fn concerns_notifications(&self) -> bool {
        self.is_for_notifications()
            || matches!(
                self,
                Self::Delay
                    | Self::CorruptSignature
                    | Self::MissingSignature { .. }
                    | Self::WrongSerial
                    | Self::Probe
                    | Self::CorruptBody
            )
    }

    /// The same for pushed events of the card API, whose signature is in the query.
    fn concerns_events(&self) -> bool {
        self.is_for_notifications()
            || matches!(
                self,
                Self::Delay
                    | Self::CorruptSignature
                    | Self::MissingSignature { header: None }
                    | Self::CorruptBody
            )
    }

    /// Whether it makes sense nowhere else.
    pub(super) fn is_for_notifications(&self) -> bool {
        matches!(self, Self::Duplicate { .. } | Self::Hold { .. })
    }
}

/// Which bytes a gzip fault announces the hash of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GzipHash {
    /// Those that are sent.
    Packed,
    /// Those inside.
    Unpacked,
}

/// Whether an operation is a call of the card API, whose answers are not signed.
pub(super) fn is_card_call(operation: &str) -> bool {
    operation.starts_with(CARDS) && operation != PUSH
}

/// How the names of the card API's operations begin.
pub(super) const CARDS: &str = "card.";
/// A card call that is answered with a picture, and refused without an errcode.
const CARD_PICTURE: &str = "card.qr_picture";

/// Operations whose replies hold a link to a flow file.
const LINKS: [&str; 4] = [USE_FLOW.name, REFUND_FLOW.name, USE_FLOW_BY_DAY.name, REFUND_FLOW_BY_DAY.name];
