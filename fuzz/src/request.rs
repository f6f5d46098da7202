//! A request from the bytes of an input.

use http::{HeaderMap, HeaderName, HeaderValue};

/// Headers and a body, as a server hands them over.
#[derive(Debug)]
pub struct Request<'a> {
    /// What stands before the first empty line, as far as a server would take it.
    pub headers: HeaderMap,
    /// All after it.
    pub body: &'a [u8],
}

impl<'a> Request<'a> {
    /// Lines of `name: value`, an empty line, and the body. Lines that no server lets through are left out.
    pub fn read(input: &'a [u8]) -> Self {
        let mut headers = HeaderMap::new();
        let mut rest = input;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let line = &rest[..end];
            rest = &rest[end + 1..];
            if line.is_empty() {
                break;
            }
            // A header map has an end, and servers stop long before it.
            if headers.len() < 100
                && let Some((name, value)) = header(line)
            {
                headers.append(name, value);
            }
        }
        Self { headers, body: rest }
    }
}

fn header(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = HeaderName::from_bytes(&line[..colon]).ok()?;
    Some((name, HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?))
}
