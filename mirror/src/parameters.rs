//! Parameters of a call: JSON body, query, path.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use crate::exchange::Call;
use crate::moment::Moment;
use crate::rules::parameter::{
    CONTENT_TYPE, Field, JSON, LENGTH, Location, PAGE, PATH, PLANE, RANGE, REQUIRED, TIME, TYPE, fault,
    outside_basic_plane,
};
use crate::rules::{Refusal, Rule, ensure};

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

/// A query parameter that may be missing or empty.
pub(crate) fn optional_query(call: &Call, field: Field, longest: usize) -> Result<Option<String>, Refusal> {
    match query(call, field) {
        Some(value) if !value.is_empty() => limited(value, field, Location::Query, longest).map(Some),
        _ => Ok(None),
    }
}

/// A point in time in the query, which may be missing.
pub(crate) fn time_query(call: &Call, field: Field) -> Result<Option<Moment>, Refusal> {
    let Some(text) = optional_query(call, field, 64)? else { return Ok(None) };
    match chrono::DateTime::parse_from_rfc3339(&text) {
        Ok(time) => Ok(Some(time.into())),
        Err(_) => Err(query_fault(&TIME, field, text, "须为RFC 3339格式")),
    }
}

/// A number of 32 bits in the query, which may be missing; one beyond the limit breaks the rule.
pub(crate) fn number_query(
    call: &Call,
    field: Field,
    numbers: RangeInclusive<i64>,
) -> Result<Option<i64>, Refusal> {
    let Some(text) = optional_query(call, field, 32)? else { return Ok(None) };
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let Some(number) = text.parse::<u32>().ok().filter(|_| plain).map(i64::from) else {
        return Err(query_fault(&TYPE, field, text, "无法转换为整数类型"));
    };
    if number > *numbers.end() {
        return Err(query_fault(&PAGE, field, text, "超过上限"));
    }
    if number < *numbers.start() {
        return Err(query_fault(&RANGE, field, text, &format!("最小值为{}", numbers.start())));
    }
    Ok(Some(number))
}

/// A number in the query that must be there.
pub(crate) fn required_number_query(
    call: &Call,
    field: Field,
    numbers: RangeInclusive<i64>,
) -> Result<i64, Refusal> {
    let missing = || fault(&REQUIRED, field, "", Location::Query, None, "此字段为必填项");
    number_query(call, field, numbers)?.ok_or_else(missing)
}

/// A query parameter breaks a rule.
pub(crate) fn query_fault(rule: &'static Rule, field: Field, value: String, issue: &str) -> Refusal {
    fault(rule, field, "", Location::Query, Some(&Value::from(value)), issue)
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
