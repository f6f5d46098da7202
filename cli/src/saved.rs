//! A request or response that somebody saved: read from files or stdin, taken apart without changing its body.

use std::io::Read;
use std::path::Path;

use anyhow::{Context as _, bail};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use crate::args::SavedMessage;

/// Larger than any message of the platform.
const LARGEST: u64 = 16 << 20;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Headers and body as they were saved.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Saved {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Saved {
    pub(crate) fn read(message: &SavedMessage) -> anyhow::Result<Self> {
        let bytes = read(message.file.as_deref())?;
        if message.header.is_empty() && message.headers.is_none() {
            return Self::parse(&bytes).with_context(|| name(message.file.as_deref()));
        }
        let mut headers = HeaderMap::new();
        if let Some(file) = &message.headers {
            let text = read(Some(file))?;
            headers = raw(&text).with_context(|| file.display().to_string())?.headers;
        }
        for (place, line) in message.header.iter().enumerate() {
            let parsed = header(line.as_bytes());
            let (name, value) = parsed.with_context(|| format!("--header, number {}", place + 1))?;
            headers.append(name, value);
        }
        Ok(Self { headers, body: bytes })
    }

    /// Takes apart what holds both headers and body.
    pub(crate) fn parse(bytes: &[u8]) -> anyhow::Result<Self> {
        match json(bytes) {
            Some(value) => of_json(&value)?.context(
                "this is a body without its headers: give them with --header 'Wechatpay-Serial: …' and so on, or \
                 --headers FILE",
            ),
            None => raw(bytes),
        }
    }
}

/// The whole of a file, or of stdin.
pub(crate) fn read(file: Option<&Path>) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let cannot = || format!("cannot read {}", name(file));
    match file.filter(|file| file.as_os_str() != "-") {
        Some(file) => {
            let open = std::fs::File::open(file).with_context(cannot)?;
            open.take(LARGEST + 1).read_to_end(&mut bytes).with_context(cannot)?
        }
        None => std::io::stdin().take(LARGEST + 1).read_to_end(&mut bytes).with_context(cannot)?,
    };
    if u64::try_from(bytes.len()).is_ok_and(|length| length > LARGEST) {
        bail!("{} has more than {} MiB, and no message is that large", name(file), LARGEST >> 20);
    }
    Ok(bytes)
}

pub(crate) fn name(file: Option<&Path>) -> String {
    match file.filter(|file| file.as_os_str() != "-") {
        Some(file) => file.display().to_string(),
        None => "stdin".to_owned(),
    }
}

/// The JSON object that the bytes are, if they are one.
pub(crate) fn json(bytes: &[u8]) -> Option<Value> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    serde_json::from_slice(bytes).ok().filter(Value::is_object)
}

/// A message written as JSON: `headers` and `body` of the object itself or of its `request`.
///
/// None when it has neither.
pub(crate) fn of_json(value: &Value) -> anyhow::Result<Option<Saved>> {
    let message = if value["request"].is_object() { &value["request"] } else { value };
    let (Some(named), body) = (message["headers"].as_object(), &message["body"]) else {
        return Ok(None);
    };
    let Some(body) = body.as_str() else {
        bail!(
            "\"body\" has to be a text: the signature covers its bytes, and JSON within JSON has lost them"
        );
    };
    let mut headers = HeaderMap::new();
    for (name, value) in named {
        let value = value.as_str().with_context(|| format!("the header {name:?} is no text"))?;
        let parsed = header(format!("{name}: {value}").as_bytes());
        let (name, value) = parsed.with_context(|| format!("the header {name:?}"))?;
        headers.append(name, value);
    }
    Ok(Some(Saved { headers, body: body.as_bytes().to_vec() }))
}

/// Header lines, a blank line and the body. Lines may end by LF or CRLF; the body is left as it is.
fn raw(bytes: &[u8]) -> anyhow::Result<Saved> {
    let mut rest = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let mut saved = Saved::default();
    let mut lines: Vec<(usize, Vec<u8>)> = Vec::new();
    let mut number = 0;
    while !rest.is_empty() {
        number += 1;
        let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1);
        let (line, after) = rest.split_at(end);
        rest = after;
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match (line, lines.last_mut()) {
            // A proxy's answer or a 100 goes before the true one, as curl -i shows them.
            ([], _) if rest.starts_with(b"HTTP/") => lines.clear(),
            ([], None) => continue,
            ([], Some(_)) => break,
            // Long lines are folded by some tools.
            ([b' ' | b'\t', ..], Some((_, before))) => before.extend(line.trim_ascii()),
            _ if is_start_line(line) => lines.clear(),
            _ => lines.push((number, line.to_vec())),
        }
    }
    for (number, line) in lines {
        let (name, value) = header(&line).with_context(|| format!("line {number}"))?;
        saved.headers.append(name, value);
    }
    saved.body = rest.to_vec();
    Ok(saved)
}

fn is_start_line(line: &[u8]) -> bool {
    let request = line.windows(6).any(|part| part == b" HTTP/") && line.first() != Some(&b' ');
    line.starts_with(b"HTTP/") || request
}

fn header(line: &[u8]) -> anyhow::Result<(HeaderName, HeaderValue)> {
    let colon = line.iter().position(|byte| *byte == b':');
    let Some((name, value)) = colon.map(|colon| (&line[..colon], &line[colon + 1..])) else {
        bail!("no header: it has the form Name: value, and a blank line ends the headers");
    };
    let name = HeaderName::from_bytes(name.trim_ascii()).ok().context("this is no name of a header")?;
    let value = HeaderValue::from_bytes(value.trim_ascii()).ok().context("this is no value of a header")?;
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Saved {
        Saved::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn the_body_stays_as_it_is_whatever_ends_the_header_lines() {
        for head in [
            "POST /x HTTP/1.1\r\nHost: h\r\nWechatpay-Nonce: n\r\n\r\n",
            "HTTP/1.1 200 OK\nHost: h\nWechatpay-Nonce: n\n\n",
            "host:h\nWECHATPAY-NONCE:  n \n\n",
            "\u{feff}\n\nHost: h\nWechatpay-Nonce: n\n\n",
            "HTTP/1.1 200 Connection established\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nHost: h\r\nWechatpay-Nonce: n\r\n\r\n",
        ] {
            let saved = parse(&format!("{head}{{\"a\":1}}\r\n\n"));
            assert_eq!(saved.body, b"{\"a\":1}\r\n\n", "{head:?}");
            assert_eq!(saved.headers.len(), 2, "{head:?}");
            assert_eq!(saved.headers["wechatpay-nonce"], "n", "{head:?}");
        }
        let folded = parse("Wechatpay-Signature: abc\r\n def\n\tghi=\n\nbody");
        assert_eq!(folded.headers["wechatpay-signature"], "abcdefghi=");
    }

    #[test]
    fn json_holds_headers_and_body_as_a_text() {
        for text in [
            r#"{"headers":{"Wechatpay-Nonce":"n"},"body":"{\"a\":1}\n"}"#,
            r#"{"id":"EV-1","request":{"headers":{"wechatpay-nonce":"n"},"body":"{\"a\":1}\n"}}"#,
        ] {
            let saved = parse(text);
            assert_eq!(saved.body, b"{\"a\":1}\n");
            assert_eq!(saved.headers["wechatpay-nonce"], "n");
        }
    }

    #[test]
    fn what_is_no_message_is_said() {
        for (text, words) in [
            (r#"{"id":"EV-1"}"#, "without its headers"),
            (r#"{"headers":{},"body":{"a":1}}"#, "has to be a text"),
            (r#"{"headers":{"a":1},"body":""}"#, "\"a\" is no text"),
            (r#"{"headers":{"a b":"c"},"body":""}"#, "no name of a header"),
            ("Host: h\nnonsense\n\nbody", "line 2: no header"),
            ("Host: h\nA: \u{1}\n\n", "line 2: this is no value"),
        ] {
            let error = format!("{:#}", Saved::parse(text.as_bytes()).unwrap_err());
            assert!(error.contains(words), "{text}: {error}");
        }
        assert_eq!(parse(""), Saved::default());
    }
}
