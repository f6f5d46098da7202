//! Reads fields out of a JSON object and reports faults the way the server does.

use serde_json::{Map, Value};

use crate::moment::Moment;
use crate::rules::Refusal;
use crate::rules::parameter::{FORMAT, Field, LENGTH, Location, RANGE, REQUIRED, TIME, TYPE, fault};

/// One JSON object of a request body. A null counts as absent.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    map: &'a Map<String, Value>,
    place: String,
}

impl<'a> Fields<'a> {
    pub(crate) fn body(map: &'a Map<String, Value>) -> Self {
        Self { map, place: String::new() }
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.map.get(key).is_some_and(|value| !value.is_null())
    }

    pub(crate) fn list_is_longer(&self, field: Field, length: usize) -> bool {
        self.get(field).and_then(Value::as_array).is_some_and(|list| list.len() > length)
    }

    /// The fault of one field, for rules that look at more than one.
    pub(crate) fn fault(&self, rule: &'static crate::rules::Rule, field: Field, issue: &str) -> Refusal {
        fault(rule, field, &self.place, Location::Body, self.map.get(field.key), issue)
    }

    pub(crate) fn required<T>(&self, field: Field, value: Option<T>) -> Result<T, Refusal> {
        value.ok_or_else(|| self.fault(&REQUIRED, field, "此字段为必填项"))
    }

    fn get(&self, field: Field) -> Option<&'a Value> {
        self.map.get(field.key).filter(|value| !value.is_null())
    }

    /// A text that may be missing, but not empty.
    pub(crate) fn text(&self, field: Field, longest: usize) -> Result<Option<&'a str>, Refusal> {
        let Some(value) = self.get(field) else {
            return Ok(None);
        };
        let text = value.as_str().ok_or_else(|| self.fault(&TYPE, field, "无法转换为字符串类型"))?;
        let length = text.chars().count();
        if length == 0 || length > longest {
            return Err(self.fault(&LENGTH, field, &format!("字符数须为1至{longest}")));
        }
        Ok(Some(text))
    }

    /// A text that must be there; an empty one counts as missing.
    pub(crate) fn required_text(&self, field: Field, longest: usize) -> Result<&'a str, Refusal> {
        let empty = self.get(field).is_some_and(|value| value.as_str() == Some(""));
        let text = if empty { None } else { self.text(field, longest)? };
        self.required(field, text)
    }

    pub(crate) fn flag(&self, field: Field) -> Result<Option<bool>, Refusal> {
        let Some(value) = self.get(field) else {
            return Ok(None);
        };
        value.as_bool().map(Some).ok_or_else(|| self.fault(&TYPE, field, "无法转换为布尔类型"))
    }

    pub(crate) fn required_flag(&self, field: Field) -> Result<bool, Refusal> {
        let flag = self.flag(field)?;
        self.required(field, flag)
    }

    pub(crate) fn integer(&self, field: Field, least: i64, most: i64) -> Result<Option<i64>, Refusal> {
        let Some(value) = self.get(field) else {
            return Ok(None);
        };
        if !(value.is_i64() || value.is_u64()) {
            return Err(self.fault(&TYPE, field, "无法转换为整数类型"));
        }
        match value.as_i64() {
            Some(number) if (least..=most).contains(&number) => Ok(Some(number)),
            _ => Err(self.fault(&RANGE, field, &format!("取值须为{least}至{most}"))),
        }
    }

    pub(crate) fn required_integer(&self, field: Field, least: i64, most: i64) -> Result<i64, Refusal> {
        let number = self.integer(field, least, most)?;
        self.required(field, number)
    }

    pub(crate) fn required_time(&self, field: Field, longest: usize) -> Result<Moment, Refusal> {
        let text = self.required_text(field, longest)?;
        chrono::DateTime::parse_from_rfc3339(text)
            .map(Moment::from)
            .map_err(|_| self.fault(&TIME, field, "须为RFC 3339格式"))
    }

    pub(crate) fn object(&self, field: Field) -> Result<Option<Fields<'a>>, Refusal> {
        let Some(value) = self.get(field) else {
            return Ok(None);
        };
        let map = value.as_object().ok_or_else(|| self.fault(&TYPE, field, "无法转换为对象类型"))?;
        Ok(Some(Self { map, place: format!("{}/{}", self.place, field.key) }))
    }

    pub(crate) fn required_object(&self, field: Field) -> Result<Fields<'a>, Refusal> {
        let object = self.object(field)?;
        self.required(field, object)
    }

    /// A list of texts with limits for the list and for each entry.
    pub(crate) fn texts(
        &self,
        field: Field,
        entries: std::ops::RangeInclusive<usize>,
        longest: usize,
        fits: impl Fn(&str) -> bool,
    ) -> Result<Option<Vec<String>>, Refusal> {
        let Some(value) = self.get(field) else {
            return Ok(None);
        };
        let list = value.as_array().ok_or_else(|| self.fault(&TYPE, field, "无法转换为数组类型"))?;
        if !entries.contains(&list.len()) {
            let issue = format!("元素个数须为{}至{}", entries.start(), entries.end());
            return Err(self.fault(&LENGTH, field, &issue));
        }
        let mut texts = Vec::with_capacity(list.len());
        for entry in list {
            let text = entry.as_str().ok_or_else(|| self.fault(&TYPE, field, "元素无法转换为字符串类型"))?;
            let length = text.chars().count();
            if length == 0 || length > longest {
                return Err(self.fault(&LENGTH, field, &format!("元素字符数须为1至{longest}")));
            }
            if !fits(text) {
                return Err(self.fault(&FORMAT, field, "元素含有不允许的内容"));
            }
            texts.push(text.to_owned());
        }
        Ok(Some(texts))
    }

    /// A list of integers within limits.
    pub(crate) fn integers(&self, field: Field, least: i64, most: i64) -> Result<Option<Vec<i64>>, Refusal> {
        let Some(value) = self.get(field) else {
            return Ok(None);
        };
        let list = value.as_array().ok_or_else(|| self.fault(&TYPE, field, "无法转换为数组类型"))?;
        list.iter()
            .map(|entry| {
                let number =
                    entry.as_i64().ok_or_else(|| self.fault(&TYPE, field, "元素无法转换为整数类型"))?;
                let issue = || self.fault(&RANGE, field, &format!("元素取值须为{least}至{most}"));
                (least..=most).contains(&number).then_some(number).ok_or_else(issue)
            })
            .collect::<Result<_, _>>()
            .map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NAME: Field = Field::new("name", "名称");
    const COUNT: Field = Field::new("count", "数量");

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn null_and_empty_count_as_missing_where_a_text_is_required() {
        for body in [json!({}), json!({"name": null}), json!({"name": ""})] {
            let body = map(body);
            let refusal = Fields::body(&body).required_text(NAME, 5).unwrap_err();
            assert_eq!(refusal.rule, &REQUIRED);
        }
    }

    #[test]
    fn a_fraction_is_no_integer() {
        for value in [json!(1.0), json!("1"), json!(true)] {
            let body = map(json!({"count": value}));
            assert_eq!(Fields::body(&body).integer(COUNT, 0, 9).unwrap_err().rule, &TYPE);
        }
        let body = map(json!({"count": u64::MAX}));
        assert_eq!(Fields::body(&body).integer(COUNT, 0, 9).unwrap_err().rule, &RANGE);
    }

    #[test]
    fn characters_are_counted_not_bytes() {
        let body = map(json!({"name": "一二三四五"}));
        assert_eq!(Fields::body(&body).text(NAME, 5).unwrap(), Some("一二三四五"));
        assert_eq!(Fields::body(&body).text(NAME, 4).unwrap_err().rule, &LENGTH);
    }

    #[test]
    fn nested_faults_carry_the_whole_pointer() {
        let body = map(json!({"outer": {"count": "x"}}));
        let outer = Fields::body(&body).required_object(Field::new("outer", "外")).unwrap();
        let refusal = outer.integer(COUNT, 0, 9).unwrap_err();
        assert_eq!(refusal.detail.unwrap()["field"], "/outer/count");
    }
}
