//! What a call of the card API works with, and how it fails.

use rusqlite::Connection;
use serde_json::{Map, Value};

use super::body::Body;
use crate::moment::Moment;
use crate::random;
use crate::rules::{Refusal, Rule};

/// Why a call came to nothing. Nothing was changed.
#[derive(Debug)]
pub(crate) enum Failed {
    Refused(Refusal),
    Store(rusqlite::Error),
}

impl From<&'static Rule> for Failed {
    fn from(rule: &'static Rule) -> Self {
        Self::Refused(rule.into())
    }
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error)
    }
}

/// What a call answers beside `errcode` and `errmsg`.
pub(crate) type Told = Result<Map<String, Value>, Failed>;

/// Goes on only if the condition holds.
pub(crate) fn ensure(holds: bool, rule: &'static Rule) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(rule.into()) }
}

/// One call of an account.
pub(crate) struct Ask<'a> {
    pub(crate) db: &'a Connection,
    pub(crate) appid: &'a str,
    /// The test clock.
    pub(crate) now: Moment,
    pub(crate) body: Body<'a>,
}

/// A JSON object, for answers.
macro_rules! told {
    ($($key:literal : $value:expr),* $(,)?) => {{
        #[allow(unused_mut, reason = "an answer may have nothing of its own")]
        let mut told = serde_json::Map::new();
        $(told.insert($key.to_owned(), serde_json::json!($value));)*
        told
    }};
}
pub(crate) use told;

/// The text of an `errmsg`.
pub(crate) fn errmsg(refusal: &Refusal) -> String {
    hinted(refusal.message())
}

/// The vendor ends a text in a random hint, so that nobody compares it.
pub(crate) fn hinted(text: &str) -> String {
    format!("{text} hint: [{}]", random::alphanumeric(6))
}
