//! A decoded answer.

use std::fmt;
use std::ops::Deref;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::errcode::ErrCode;
use crate::error::{ApiError, Error};
use crate::macros::answer;
use crate::wire;

/// The value of an answer, with the answer's bytes beside it. Reads like the value itself.
#[derive(Clone, PartialEq)]
pub struct Reply<T> {
    value: T,
    raw: Bytes,
}

answer! {
    /// An answer that says nothing but that it was done.
    pub struct Done {}
}

impl<T> Reply<T> {
    /// The value alone.
    pub fn into_value(self) -> T {
        self.value
    }

    /// The same answer with its value turned into another.
    pub fn map<U>(self, map: impl FnOnce(T) -> U) -> Reply<U> {
        Reply { value: map(self.value), raw: self.raw }
    }

    /// The body as received.
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }
}

impl<T: DeserializeOwned> Reply<T> {
    /// Reads an answer in two steps: the error number, then what was asked for (spec §2.0). `mask` takes out of the
    /// platform's text what nobody should read.
    pub(crate) fn decode(body: Bytes, mask: impl FnOnce(&str) -> String) -> Result<Self, Error> {
        let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&body).trim_ascii();
        if text.is_empty() {
            return Err(Error::decode("the answer has no body", body));
        }
        if text.first() == Some(&b'<') {
            return Err(Error::decode(
                "the answer is a web page, not JSON: look who answers at this address",
                body,
            ));
        }
        let mut map: Map<String, Value> = match serde_json::from_slice(text) {
            Ok(map) => map,
            Err(error) => {
                let (line, column) = (error.line(), error.column());
                let message = format!("the answer is not a JSON object (line {line}, column {column})");
                return Err(Error::decode(message, body));
            }
        };
        let number = match map.remove("errcode") {
            None | Some(Value::Null) => 0,
            Some(number) => match <i64 as wire::Wire>::read(number) {
                Ok(number) => number,
                Err(_) => return Err(Error::decode("errcode of the answer is not a number", body)),
            },
        };
        let message = map.remove("errmsg").unwrap_or_default();
        if number != 0 {
            // Masked before it is cut, for half a token is not found.
            let message = plain(&mask(message.as_str().unwrap_or_default()));
            return Err(Error::refused(ApiError::new(ErrCode::from(number), message), body));
        }
        match serde_path_to_error::deserialize(Value::Object(map)) {
            Ok(value) => Ok(Self { value, raw: body }),
            // Without serde's own words: they quote values.
            Err(error) => {
                let path = error.path().to_string();
                let missing = error.into_inner().to_string();
                let what = match missing.strip_prefix("missing field ") {
                    Some(field) => format!("the field {field} is missing"),
                    None => "the value is of an unexpected form".to_owned(),
                };
                Err(Error::decode(format!("the answer cannot be decoded at {path}: {what}"), body))
            }
        }
    }
}

const LONGEST_TEXT: usize = 300;

/// A text for a log: one line of at most 300 characters, without tags or control characters.
fn plain(text: &str) -> String {
    let mut line = String::new();
    let mut rest = text.trim_start();
    for _ in 0..LONGEST_TEXT {
        // Tags in a row leave nothing behind.
        while let Some(behind) = behind_tag(rest) {
            rest = behind;
        }
        let Some(c) = rest.chars().next() else { break };
        line.push(if c.is_control() { ' ' } else { c });
        rest = &rest[c.len_utf8()..];
    }
    line.trim().to_owned()
}

/// What follows the tag that a text begins with.
fn behind_tag(text: &str) -> Option<&str> {
    let inside = text.strip_prefix('<')?;
    let is_tag = inside.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!');
    is_tag.then(|| inside.split_once('>')).flatten().map(|(_, behind)| behind)
}

impl<T> Deref for Reply<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Reply<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("value", &self.value).field("bytes", &self.raw.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_for_people_has_no_tags_and_keeps_its_comparisons() {
        assert_eq!(plain("<script>x</script> oops<br/>\n"), "x oops");
        let words = "invalid DateInfo, NewBeginTime<=OldBeginTime, OldEndTime<=NewEndTime";
        assert_eq!(plain(words), words);
        assert_eq!(plain("a <b"), "a <b");
        assert_eq!(plain("<p><b>a</b></p><i>"), "a");
        assert_eq!(plain(&"券".repeat(400)).chars().count(), 300);
    }
}
