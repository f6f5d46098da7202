//! `favor decrypt`: what is sealed with the APIv3 key, opened by hand.

use anyhow::{Context as _, bail};
use favor_core::{ApiV3Key, Sealed};
use serde_json::{Value, json};

use crate::args::{self, Global};
use crate::exit::Exit;
use crate::key_files;
use crate::output::Output;
use crate::profile;
use crate::saved::{self, Saved};

pub(crate) fn run(args: &args::Decrypt, global: &Global, output: &Output) -> anyhow::Result<Exit> {
    let profile = profile::load(global.config.as_deref(), global.profile.as_deref())?;
    let key = key_files::needed_api_v3_key(&profile)?;
    let file = args.file.as_deref();
    let value = value(&saved::read(file)?).with_context(|| saved::name(file))?;
    let found = sealed_in(&value);
    if found.is_empty() {
        bail!(
            "{}: nothing sealed is in it: a notification has a \"resource\", a certificate an \
             \"encrypt_certificate\", each with \"nonce\" and \"ciphertext\"",
            saved::name(file)
        );
    }
    for one in found {
        open(&one, &key, output)?;
    }
    output.talk("opened; whether the platform signed the message around it is for: favor verify");
    Ok(Exit::Done)
}

/// The JSON to look into: the body of a saved message, or the bytes themselves.
fn value(bytes: &[u8]) -> anyhow::Result<Value> {
    let body = match saved::json(bytes) {
        Some(value) => match saved::of_json(&value)? {
            Some(Saved { body, .. }) => body,
            None => return Ok(value),
        },
        // What does not even begin as JSON may be a message with its headers.
        None if bytes.trim_ascii_start().first() == Some(&b'{') => bytes.to_vec(),
        None => Saved::parse(bytes)?.body,
    };
    saved::json(&body).context("this is no JSON object, or not the whole of it")
}

/// A sealed text, and what it is a part of.
struct Found<'a> {
    /// The object that names it: a notification, an entry of the list of certificates, or itself.
    around: &'a Value,
    sealed: &'a Value,
}

fn sealed_in(value: &Value) -> Vec<Found<'_>> {
    let is_sealed = |value: &Value| value["ciphertext"].is_string();
    if is_sealed(value) {
        return vec![Found { around: value, sealed: value }];
    }
    let entries = value["data"].as_array().map(Vec::as_slice).unwrap_or(std::slice::from_ref(value));
    let found = entries.iter().flat_map(|around| {
        ["resource", "encrypt_certificate"].map(|field| Found { around, sealed: &around[field] })
    });
    found.filter(|found| is_sealed(found.sealed)).collect()
}

fn open(found: &Found<'_>, key: &ApiV3Key, output: &Output) -> anyhow::Result<()> {
    let around = |field: &str| found.around[field].as_str();
    let named = around("id").or(around("serial_no")).map(|name| format!("{name}: ")).unwrap_or_default();
    let sealed: Sealed = serde_json::from_value(found.sealed.clone())
        .with_context(|| format!("{named}the sealed text is not whole"))?;
    let plain = key.open(&sealed).with_context(|| format!("{named}cannot be opened"))?;
    let text = String::from_utf8(plain).with_context(|| format!("{named}what was sealed is no text"))?;
    if !output.is_json() {
        return output.line(text.strip_suffix('\n').unwrap_or(&text));
    }
    let content = serde_json::from_str::<Value>(&text).unwrap_or(Value::String(text));
    output.json(&json!({
        "id": around("id"),
        "event_type": around("event_type"),
        "serial_no": around("serial_no"),
        "original_type": found.sealed["original_type"],
        "associated_data": sealed.associated_data,
        "content": content,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_texts_are_found_where_the_platform_puts_them() {
        for (text, count) in [
            (r#"{"ciphertext":"a","nonce":"b"}"#, 1),
            (r#"{"id":"EV-1","resource":{"ciphertext":"a"}}"#, 1),
            (
                r#"{"data":[{"encrypt_certificate":{"ciphertext":"a"}},{"encrypt_certificate":{"ciphertext":"b"}}]}"#,
                2,
            ),
            (r#"{"serial_no":"0A","encrypt_certificate":{"ciphertext":"a"}}"#, 1),
            (r#"{"data":[]}"#, 0),
            (r#"{"ciphertext":5}"#, 0),
            (r#"{"headers":{},"body":"{\"ciphertext\":\"a\"}"}"#, 1),
            ("POST / HTTP/1.1\r\nA: b\r\n\r\n{\"resource\":{\"ciphertext\":\"a\"}}", 1),
        ] {
            assert_eq!(sealed_in(&value(text.as_bytes()).unwrap()).len(), count, "{text}");
        }
        for text in ["", "{", "[]", "A: b\n\n{", "A: b\n\n[1]", "{\"a\":1}{"] {
            assert!(value(text.as_bytes()).is_err(), "{text}");
        }
    }
}
