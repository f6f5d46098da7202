//! What makes two requests "the same content": their parsed JSON, whatever the order of keys.

use aws_lc_rs::digest::{Context, SHA256};
use serde_json::Value;

/// SHA-256 over a form of the JSON in which keys are sorted. `scope` holds what the body does not, such as
/// the user in the path.
pub(crate) fn digest(scope: &str, body: &Value) -> Vec<u8> {
    let mut text = String::with_capacity(256);
    write_text(&mut text, scope);
    write(&mut text, body);
    let mut context = Context::new(&SHA256);
    context.update(text.as_bytes());
    context.finish().as_ref().to_vec()
}

fn write(out: &mut String, value: &Value) {
    match value {
        Value::Object(fields) => {
            let mut keys: Vec<_> = fields.iter().collect();
            keys.sort_unstable_by_key(|(key, _)| key.as_str());
            out.push('{');
            for (key, value) in keys {
                write_text(out, key);
                write(out, value);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for item in items {
                write(out, item);
                out.push(',');
            }
            out.push(']');
        }
        Value::String(text) => write_text(out, text),
        Value::Null | Value::Bool(_) | Value::Number(_) => out.push_str(&value.to_string()),
    }
}

/// Length first, so that no text can look like what follows it.
fn write_text(out: &mut String, text: &str) {
    out.push_str(&text.len().to_string());
    out.push(':');
    out.push_str(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &str) -> Vec<u8> {
        digest("user", &serde_json::from_str(body).unwrap())
    }

    #[test]
    fn blanks_and_the_order_of_keys_do_not_matter() {
        assert_eq!(
            of(r#"{"a":1,"b":{"c":"x","d":[1,2]}}"#),
            of(r#"{ "b":{"d":[1, 2],"c":"\u0078"}, "a":1 }"#)
        );
    }

    #[test]
    fn values_the_order_of_lists_and_the_scope_do() {
        assert_ne!(of(r#"{"a":[1,2]}"#), of(r#"{"a":[2,1]}"#));
        assert_ne!(of(r#"{"a":"1"}"#), of(r#"{"a":1}"#));
        assert_ne!(of(r#"{"a":null}"#), of("{}"));
        assert_ne!(of(r#"["a","b"]"#), of(r#"["ab",""]"#));
        assert_ne!(digest("one", &Value::Null), digest("two", &Value::Null));
    }
}
