//! Parameters of a call: JSON body, query, path.

use serde_json::{Map, Value};

use crate::exchange::Call;
use crate::rules::parameter::{
    CONTENT_TYPE, Field, JSON, LENGTH, Location, PATH, PLANE, REQUIRED, fault, outside_basic_plane,
};
use crate::rules::{Refusal, ensure};

/// The body as a JSON object, once it is sure that it is one.
pub(crate) fn body(call: &Call) -> Result<Map<String, Value>, Refusal> {
    let is_json = call.content_type.as_deref().is_some_and(|content_type| {
        let media = content_type.split(';').next().unwrap_or_default().trim();
        media.eq_ignore_ascii_case("application/json")
    });
    ensure(is_json, &CONTENT_TYPE)?;
    let value: Value = serde_json::from_slice(&call.body).map_err(|_| Refusal::from(&JSON))?;
    ensure(!outside_basic_plane(&value), &PLANE)?;
    match value {
        Value::Object(map) => Ok(map),
        _ => Err(Refusal::from(&JSON)),
    }
}

/// A query parameter, decoded as forms are; the first one counts.
pub(crate) fn query(call: &Call, field: Field) -> Option<String> {
    let pairs = call.query.as_deref().unwrap_or_default().split('&');
    pairs
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| decode(key) == field.key)
        .map(|(_, value)| decode(value))
}

/// A query parameter that must be there.
pub(crate) fn required_query(call: &Call, field: Field, longest: usize) -> Result<String, Refusal> {
    match query(call, field) {
        Some(value) if !value.is_empty() => limited(value, field, Location::Query, longest),
        _ => Err(fault(&REQUIRED, field, "", Location::Query, None, "此字段为必填项")),
    }
}

/// A path parameter within its length.
pub(crate) fn path(value: String, field: Field, longest: usize) -> Result<String, Refusal> {
    if value.is_empty() {
        return Err(empty_path(field));
    }
    limited(value, field, Location::Path, longest)
}

/// A part of the path is empty.
pub(crate) fn empty_path(field: Field) -> Refusal {
    fault(&PATH, field, "", Location::Path, None, "此字段为必填项")
}

fn limited(value: String, field: Field, location: Location, longest: usize) -> Result<String, Refusal> {
    if value.chars().count() <= longest {
        return Ok(value);
    }
    let issue = format!("字符数须为1至{longest}");
    Err(fault(&LENGTH, field, "", location, Some(&Value::from(value)), &issue))
}

fn decode(text: &str) -> String {
    let text = text.replace('+', " ");
    percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raw_plus_is_a_blank() {
        assert_eq!(decode("a+b%2Bc%3A"), "a b+c:");
    }
}
