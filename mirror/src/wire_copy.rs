//! What went over the wire, for display: headers and the beginning of a body.

use std::borrow::Cow;

use http::{HeaderMap, HeaderValue, header};

use crate::doctor::shorten_signature;

/// How much of the headers and of a body is kept, in bytes each.
const KEPT: usize = 8 * 1024;
const SIGNATURE: &str = "signature=\"";

/// Headers and body of a request or an answer, both cut at 8 KiB.
///
/// A signature of the caller is shortened, so that the request cannot be repeated with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WireCopy {
    /// One header per line, `name: value`.
    headers: Box<str>,
    body: Box<[u8]>,
    body_bytes: u64,
}

impl WireCopy {
    pub(crate) fn of_headers(headers: &HeaderMap) -> Self {
        let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
        let mut text = String::with_capacity(size.min(KEPT));
        for (name, value) in headers {
            if text.len() + name.as_str().len() + value.len() + 3 > KEPT {
                break;
            }
            text.push_str(name.as_str());
            text.push_str(": ");
            if name == header::AUTHORIZATION {
                push_authorization(value, &mut text);
            } else {
                push(value, &mut text);
            }
            text.push('\n');
        }
        Self { headers: text.into_boxed_str(), ..Self::default() }
    }

    pub(crate) fn with_body(mut self, body: &[u8]) -> Self {
        self.body = body[..body.len().min(KEPT)].into();
        self.body_bytes = u64::try_from(body.len()).unwrap_or(u64::MAX);
        self
    }

    /// The body was this long and is not kept.
    pub(crate) fn with_body_bytes(mut self, bytes: u64) -> Self {
        self.body_bytes = bytes;
        self
    }

    /// Names and values, in order.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.lines().filter_map(|line| line.split_once(": "))
    }

    /// The beginning of the body, at most 8 KiB.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Length of the whole body.
    #[must_use]
    pub fn body_bytes(&self) -> u64 {
        self.body_bytes
    }

    /// Memory it takes.
    pub(crate) fn weight(&self) -> usize {
        self.headers.len() + self.body.len()
    }
}

/// A value on one line: what is not ASCII is escaped.
fn push(value: &HeaderValue, text: &mut String) {
    match value.to_str() {
        Ok(value) => text.push_str(value),
        Err(_) => text.push_str(&value.as_bytes().escape_ascii().to_string()),
    }
}

fn push_authorization(value: &HeaderValue, text: &mut String) {
    let value = match value.to_str() {
        Ok(value) => Cow::Borrowed(value),
        Err(_) => {
            let escaped = value.as_bytes().escape_ascii().to_string();
            Cow::Owned(escaped.replace("\\\"", "\"").replace("\\'", "'"))
        }
    };
    match value.split_once(SIGNATURE) {
        Some((before, rest)) => {
            let (signature, after) = rest.split_once('"').unwrap_or((rest, ""));
            text.push_str(before);
            text.push_str(SIGNATURE);
            text.push_str(&shorten_signature(signature));
            text.push('"');
            // A second signature would be a whole one.
            text.push_str(after.split(SIGNATURE).next().unwrap_or_default());
        }
        // Some other credential.
        None => text.push_str(&shorten_signature(&value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(list: &[(&'static str, &[u8])]) -> HeaderMap {
        list.iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_bytes(value).unwrap()))
            .collect()
    }

    #[test]
    fn a_signature_cannot_be_used_again() {
        let signature = "S".repeat(172);
        let authorization = format!(
            "WECHATPAY2-SHA256-RSA2048 mchid=\"1\",signature=\"{signature}\",serial_no=\"A\",signature=\"{signature}\""
        );
        let copy = WireCopy::of_headers(&headers(&[
            ("accept", b"application/json"),
            ("authorization", authorization.as_bytes()),
            ("x-odd", b"\xff: \xfe"),
        ]));
        let list: Vec<_> = copy.headers().collect();
        assert_eq!(list[0], ("accept", "application/json"));
        assert_eq!(
            list[1],
            (
                "authorization",
                "WECHATPAY2-SHA256-RSA2048 mchid=\"1\",signature=\"SSSSSSSSSSSS…SSSSSS\",serial_no=\"A\","
            )
        );
        assert_eq!(list[2], ("x-odd", "\\xff: \\xfe"));
        let basic = WireCopy::of_headers(&headers(&[("authorization", b"Basic c2VjcmV0OnNlY3JldA==")]));
        assert!(!basic.headers.contains("c2VjcmV0OnNlY3JldA"));
    }

    #[test]
    fn bodies_are_cut() {
        let copy = WireCopy::default().with_body(&[b'x'; 10_000]);
        assert_eq!((copy.body().len(), copy.body_bytes()), (8_192, 10_000));
        assert_eq!(copy.weight(), 8_192);
    }
}
