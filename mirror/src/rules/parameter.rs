//! The form of a request, endpoint by endpoint the same.

use serde_json::{Value, json};

use super::{NUMBER_UNKNOWN, Refusal, Rule, rules};

rules! {
    CONTENT_TYPE = "parameter.content_type", Assumed, "5.1", 400 "PARAM_ERROR"
        "请求头Content-Type有误，应为application/json", 270_924_345,
        "a POST carries JSON and says so in Content-Type";
    JSON = "parameter.json", Documented, "5.1", 400 "PARAM_ERROR"
        "请求内容不是合法的JSON对象", NUMBER_UNKNOWN,
        "the body is a JSON object in UTF-8";
    PLANE = "parameter.plane", Assumed, "2.3", 400 "PARAM_ERROR"
        "参数含有不支持的字符", NUMBER_UNKNOWN,
        "text holds only characters of one to three UTF-8 bytes, so no emoji";
    PATH = "parameter.path", Documented, "5.1", 400 "PARAM_ERROR"
        "输入源映射到字段必填性规则校验失败，此字段为必填项", NUMBER_UNKNOWN,
        "no part of the path may be empty";
    REQUIRED = "parameter.required", Seen, "5.1", 400 "PARAM_ERROR"
        "参数是必填项", NUMBER_UNKNOWN,
        "a required field is missing, null or empty";
    TYPE = "parameter.type", Seen, "3.1", 400 "PARAM_ERROR"
        "参数类型有误", NUMBER_UNKNOWN,
        "a field has the wrong JSON type";
    LENGTH = "parameter.length", Documented, "3", 400 "PARAM_ERROR"
        "参数长度有误", NUMBER_UNKNOWN,
        "a text or list is shorter or longer than the field allows";
    RANGE = "parameter.range", Documented, "3", 400 "PARAM_ERROR"
        "参数取值超出范围", NUMBER_UNKNOWN,
        "a number is outside what the field allows";
    FORMAT = "parameter.format", Documented, "3", 400 "PARAM_ERROR"
        "参数格式有误", NUMBER_UNKNOWN,
        "a text holds characters, or has a value, that the field does not allow";
    TIME = "parameter.time", Documented, "3.0.1", 400 "PARAM_ERROR"
        "输入时间格式错误", NUMBER_UNKNOWN,
        "a time is not RFC 3339, or a range begins after its end; in a query the plus sign must be escaped";
    PAGE = "parameter.page", Documented, "3.0.1", 400 "PARAM_ERROR"
        "页大小超过阈值", NUMBER_UNKNOWN,
        "limit, or the page number in offset, is beyond what the endpoint allows";
    STATUS = "parameter.status", Documented, "3.0.1", 400 "PARAM_ERROR"
        "非法的批次状态", NUMBER_UNKNOWN,
        "the status filter is not in the enumeration";
}

/// A field of a request: where it is and what people call it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    pub(crate) key: &'static str,
    /// The Chinese name that messages quote.
    pub(crate) name: &'static str,
    /// Replaces `参数“…”是必填项` where the documentation prints another text.
    pub(crate) required: Option<&'static str>,
}

impl Field {
    pub(crate) const fn new(key: &'static str, name: &'static str) -> Self {
        Self { key, name, required: None }
    }

    pub(crate) const fn with_required(mut self, message: &'static str) -> Self {
        self.required = Some(message);
        self
    }
}

/// Where a parameter was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Location {
    Body,
    Query,
    Path,
}

impl Location {
    fn wire(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Query => "query",
            Self::Path => "uri_template",
        }
    }
}

/// A parameter fault with everything the `detail` object names.
pub(crate) fn fault(
    rule: &'static Rule,
    field: Field,
    place: &str,
    location: Location,
    value: Option<&Value>,
    issue: &str,
) -> Refusal {
    let pointer = match location {
        Location::Body => format!("{place}/{}", field.key),
        Location::Query | Location::Path => field.key.to_owned(),
    };
    let message = if rule == &REQUIRED {
        field.required.map_or_else(|| format!("参数“{}”是必填项", field.name), str::to_owned)
    } else if [&TIME, &PAGE, &STATUS].contains(&rule) {
        rule.message.to_owned()
    } else if rule == &PATH {
        format!(
            "输入源“/{}/{}”映射到字段“{}”必填性规则校验失败，此字段为必填项",
            location.wire(),
            field.key,
            field.name
        )
    } else {
        format!(
            "输入源“/{}{}”映射到字段“{}”规则校验失败，{issue}",
            location.wire(),
            slash(&pointer),
            field.name
        )
    };
    let mut detail = json!({ "field": pointer, "issue": issue, "location": location.wire() });
    if let Some(value) = value {
        detail["value"] = value.clone();
    }
    Refusal::from(rule).with_message(message).with_detail(detail)
}

fn slash(pointer: &str) -> String {
    if pointer.starts_with('/') { pointer.to_owned() } else { format!("/{pointer}") }
}

/// The characters of an `out_request_no`.
pub(crate) fn is_request_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'|' | b'_' | b'*' | b'-'))
}

/// Whether any text inside holds a character beyond the basic plane.
pub(crate) fn outside_basic_plane(value: &Value) -> bool {
    match value {
        Value::String(text) => text.chars().any(|c| u32::from(c) > 0xFFFF),
        Value::Array(items) => items.iter().any(outside_basic_plane),
        Value::Object(fields) => fields.values().any(outside_basic_plane),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_names_its_field() {
        let field = Field::new("max_coupons", "发放总上限");
        let refusal = fault(&RANGE, field, "/stock_use_rule", Location::Body, Some(&json!(4)), "最小值为5");
        assert_eq!(
            refusal.message(),
            "输入源“/body/stock_use_rule/max_coupons”映射到字段“发放总上限”规则校验失败，最小值为5"
        );
        assert_eq!(
            *refusal.detail.unwrap(),
            json!({"field": "/stock_use_rule/max_coupons", "value": 4, "issue": "最小值为5", "location": "body"})
        );
    }

    #[test]
    fn a_missing_field_is_named_in_chinese() {
        let field = Field::new("max_coupons", "发放总上限");
        let refusal = fault(&REQUIRED, field, "", Location::Body, None, "missing");
        assert_eq!(refusal.message(), "参数“发放总上限”是必填项");
        let field = Field::new("appid", "公众账号ID").with_required("appid必填");
        assert_eq!(fault(&REQUIRED, field, "", Location::Query, None, "").message(), "appid必填");
        let field = Field::new("stock_id", "批次id");
        assert_eq!(
            fault(&PATH, field, "", Location::Path, None, "").message(),
            "输入源“/uri_template/stock_id”映射到字段“批次id”必填性规则校验失败，此字段为必填项"
        );
    }

    #[test]
    fn emoji_are_found_at_any_depth() {
        assert!(outside_basic_plane(&json!({"a": [{"b": "tea 🍵"}]})));
        assert!(!outside_basic_plane(&json!({"a": ["茶", 1, null]})));
    }
}
