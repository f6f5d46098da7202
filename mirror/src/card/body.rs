//! Fields of a request's body, with the types the tables give them.

use serde_json::{Map, Value};

use super::ask::Failed;
use crate::rules::card::{CODE, FORMAT, LENGTH, NO_CARD_ID, NO_CODE, OPENID, REQUIRED};
use crate::rules::{Refusal, Rule};

/// A JSON object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Body<'a>(pub(crate) &'a Map<String, Value>);

/// Longest card id, in bytes.
const CARD_ID: usize = 32;
/// Longest code, in bytes.
pub(crate) const CODE_BYTES: usize = 20;

fn about(rule: &'static Rule, key: &str) -> Failed {
    Refusal::from(rule).with_message(format!("{}: {key}", rule.message)).into()
}

impl<'a> Body<'a> {
    pub(crate) fn has(self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// A text of at most `most` bytes.
    pub(crate) fn text(self, key: &str, most: usize) -> Result<Option<&'a str>, Failed> {
        match self.0.get(key) {
            None => Ok(None),
            Some(Value::String(text)) if text.len() <= most => Ok(Some(text)),
            Some(Value::String(_)) => Err(about(&LENGTH, key)),
            Some(_) => Err(about(&FORMAT, key)),
        }
    }

    /// The same; absent or empty breaks `rule`.
    pub(crate) fn needed(self, key: &str, most: usize, rule: &'static Rule) -> Result<&'a str, Failed> {
        self.text(key, most)?.filter(|text| !text.is_empty()).ok_or_else(|| rule.into())
    }

    /// A whole number, also one written as text.
    pub(crate) fn number(self, key: &str) -> Result<Option<i64>, Failed> {
        match self.0.get(key) {
            None => Ok(None),
            Some(value) => number_of(value).map(Some).ok_or_else(|| about(&FORMAT, key)),
        }
    }

    pub(crate) fn flag(self, key: &str) -> Result<Option<bool>, Failed> {
        match self.0.get(key) {
            None => Ok(None),
            Some(value) => flag_of(value).map(Some).ok_or_else(|| about(&FORMAT, key)),
        }
    }

    pub(crate) fn list(self, key: &str) -> Result<Option<&'a [Value]>, Failed> {
        match self.0.get(key) {
            None => Ok(None),
            Some(Value::Array(list)) => Ok(Some(list)),
            Some(_) => Err(about(&FORMAT, key)),
        }
    }

    pub(crate) fn object(self, key: &str) -> Result<Option<Body<'a>>, Failed> {
        match self.0.get(key) {
            None => Ok(None),
            Some(Value::Object(object)) => Ok(Some(Body(object))),
            Some(_) => Err(about(&FORMAT, key)),
        }
    }

    /// The objects of a list.
    pub(crate) fn objects(self, key: &str) -> Result<Option<Vec<Body<'a>>>, Failed> {
        let Some(list) = self.list(key)? else { return Ok(None) };
        let object = |value: &'a Value| value.as_object().map(Body).ok_or_else(|| about(&FORMAT, key));
        list.iter().map(object).collect::<Result<_, _>>().map(Some)
    }

    /// The texts of a list.
    pub(crate) fn texts(self, key: &str) -> Result<Option<Vec<&'a str>>, Failed> {
        let Some(list) = self.list(key)? else { return Ok(None) };
        let text = |value: &'a Value| value.as_str().ok_or_else(|| about(&FORMAT, key));
        list.iter().map(text).collect::<Result<_, _>>().map(Some)
    }

    pub(crate) fn card_id(self) -> Result<&'a str, Failed> {
        self.needed("card_id", CARD_ID, &NO_CARD_ID)
    }

    /// Where `card_id` is for custom codes alone. An empty one is none.
    pub(crate) fn optional_card_id(self) -> Result<Option<&'a str>, Failed> {
        Ok(self.text("card_id", CARD_ID)?.filter(|id| !id.is_empty()))
    }

    pub(crate) fn code(self) -> Result<&'a str, Failed> {
        let code = self.needed("code", usize::MAX, &NO_CODE)?;
        if code.len() > CODE_BYTES { Err((&CODE).into()) } else { Ok(code) }
    }

    pub(crate) fn openid(self, rule: &'static Rule) -> Result<&'a str, Failed> {
        let openid = self.needed("openid", usize::MAX, rule)?;
        if is_openid(openid) { Ok(openid) } else { Err((&OPENID).into()) }
    }

    /// Every one of these is there.
    pub(crate) fn require(self, keys: &[&str]) -> Result<(), Failed> {
        match keys.iter().find(|key| !self.has(key)) {
            Some(key) => Err(about(&REQUIRED, key)),
            None => Ok(()),
        }
    }
}

/// A whole number, also one written as text.
pub(crate) fn number_of(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// Yes or no, also written as a number or as text.
pub(crate) fn flag_of(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

pub(crate) fn is_openid(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
