//! Messages that get signed by mistake: other lines, other bodies, other ways of putting them together.

use std::collections::HashSet;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::cause::{self, Known};
use super::json_text::{Escape, Node, Style};
use crate::random;

/// Larger bodies are not written anew.
const LARGEST_JSON: usize = 256 * 1024;
/// Query parameters whose every order is tried.
const MOST_PARAMETERS: usize = 4;
const HOSTS: [&str; 2] = ["api.mch.weixin.qq.com", "api2.wechatpay.cn"];
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// One line or body, and what is wrong with it; nothing for the right one.
#[derive(Debug, Clone)]
pub(super) struct Variant<T> {
    pub(super) value: T,
    pub(super) causes: Vec<&'static Known>,
}

/// Variants without repeats, the right one first.
struct Variants<T> {
    list: Vec<Variant<T>>,
    seen: HashSet<T>,
}

impl<T: Clone + Eq + std::hash::Hash> Variants<T> {
    fn of(right: T) -> Self {
        let seen = HashSet::from([right.clone()]);
        Self { list: vec![Variant { value: right, causes: Vec::new() }], seen }
    }

    fn add(&mut self, causes: &[&'static Known], value: T) {
        if self.seen.insert(value.clone()) {
            self.list.push(Variant { value, causes: causes.to_vec() });
        }
    }
}

/// What may stand in the line of path and query.
pub(super) fn targets(target: &str, host: Option<&str>) -> Vec<Variant<String>> {
    let mut found = Variants::of(target.to_owned());
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    found.add(&[&cause::QUERY_MISSING], path.to_owned());
    if let Some(query) = query {
        for order in orders(query) {
            found.add(&[&cause::QUERY_ORDER], format!("{path}?{order}"));
        }
        let decoded = decode(query);
        found.add(&[&cause::QUERY_DECODED], format!("{path}?{decoded}"));
        found.add(&[&cause::QUERY_DECODED], format!("{path}?{}", decode(&query.replace('+', " "))));
        for blank in ["%20", "+"] {
            let encoded = encoded(query, blank);
            found.add(&[&cause::QUERY_ENCODED], format!("{path}?{encoded}"));
            found.add(&[&cause::QUERY_ENCODED], format!("{path}?{}", lower_escapes(&encoded)));
        }
        found.add(&[&cause::QUERY_DECODED], decode(target));
    } else {
        found.add(&[&cause::QUESTION_MARK], format!("{path}?"));
    }
    let rest = &target[path.len()..];
    found.add(&[&cause::PATH_DECODED], format!("{}{rest}", decode(path)));
    let segments: Vec<_> =
        path.split('/').map(|part| utf8_percent_encode(&decode(part), UNRESERVED).to_string()).collect();
    found.add(&[&cause::PATH_ENCODED], format!("{}{rest}", segments.join("/")));
    for host in HOSTS.into_iter().chain(host) {
        for scheme in ["https://", "http://", "//", ""] {
            found.add(&[&cause::HOST_INCLUDED], format!("{scheme}{host}{target}"));
            found.add(&[&cause::HOST_INCLUDED, &cause::QUERY_MISSING], format!("{scheme}{host}{path}"));
        }
    }
    if let Some(short) = target.strip_prefix("/v3") {
        found.add(&[&cause::PATH_PREFIX], short.to_owned());
        found.add(&[&cause::PATH_PREFIX], short.trim_start_matches('/').to_owned());
    }
    found.add(&[&cause::PATH_SLASH], target.trim_start_matches('/').to_owned());
    found.add(&[&cause::PATH_SLASH], format!("{path}/{rest}"));
    found.add(&[&cause::PATH_SLASH], format!("{}{rest}", path.trim_end_matches('/')));
    found.list
}

/// Other orders of a query's parameters, the sorted one first.
fn orders(query: &str) -> Vec<String> {
    let parts: Vec<&str> = query.split('&').collect();
    let mut sorted = parts.clone();
    sorted.sort_unstable();
    let reversed: Vec<_> = parts.iter().rev().copied().collect();
    let mut orders = vec![sorted.join("&"), reversed.join("&")];
    if parts.len() <= MOST_PARAMETERS {
        permute(&mut parts.clone(), 0, &mut orders);
    }
    orders
}

fn permute(parts: &mut Vec<&str>, fixed: usize, orders: &mut Vec<String>) {
    if fixed == parts.len() {
        orders.push(parts.join("&"));
        return;
    }
    for at in fixed..parts.len() {
        parts.swap(fixed, at);
        permute(parts, fixed + 1, orders);
        parts.swap(fixed, at);
    }
}

/// The query with all encoded that can be.
fn encoded(query: &str, blank: &str) -> String {
    let encode = |text: &str| {
        let decoded = percent_decode_str(text).decode_utf8_lossy().into_owned();
        utf8_percent_encode(&decoded, UNRESERVED).to_string().replace("%20", blank)
    };
    let pair = |pair: &str| match pair.split_once('=') {
        Some((name, value)) => format!("{}={}", encode(name), encode(value)),
        None => encode(pair),
    };
    query.split('&').map(pair).collect::<Vec<_>>().join("&")
}

fn lower_escapes(text: &str) -> String {
    let mut parts = text.split('%');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (escape, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        out.push('%');
        out.push_str(&escape.to_lowercase());
        out.push_str(rest);
    }
    out
}

const STYLES: [(Style, &Known); 14] = [
    (Style::line(",", ":", Escape::Nothing), &cause::BODY_COMPACT),
    (Style::line(", ", ": ", Escape::Ascii), &cause::BODY_PYTHON),
    (Style::line(", ", ": ", Escape::Nothing), &cause::BODY_SPACED),
    (Style::line(",", ":", Escape::Ascii), &cause::BODY_ASCII),
    (Style::line(",", ":", Escape::AsciiAndSlashes), &cause::BODY_PHP),
    (Style::line(",", ":", Escape::Slashes), &cause::BODY_PHP),
    (Style::line(",", ":", Escape::Html), &cause::BODY_HTML),
    (Style::pretty("  ", ": ", Escape::Nothing), &cause::BODY_PRETTY),
    (Style::pretty("    ", ": ", Escape::Nothing), &cause::BODY_PRETTY),
    (Style::pretty("    ", ": ", Escape::Ascii), &cause::BODY_PRETTY),
    (Style::pretty("    ", ": ", Escape::AsciiAndSlashes), &cause::BODY_PRETTY),
    (Style::pretty("  ", " : ", Escape::Nothing), &cause::BODY_PRETTY),
    (Style::pretty("\t", ": ", Escape::Nothing), &cause::BODY_PRETTY),
    (Style::pretty("  ", ": ", Escape::Html), &cause::BODY_PRETTY),
];

/// What may stand in the place of the body.
pub(super) fn bodies(signed: &[u8], whole: &[u8]) -> Vec<Variant<Vec<u8>>> {
    let mut found = Variants::of(signed.to_vec());
    found.add(&[&cause::WHOLE_FORM], whole.to_vec());
    found.add(&[&cause::BODY_EMPTY], Vec::new());
    found.add(&[&cause::BODY_LINE_FEED], [signed, b"\n"].concat());
    found.add(&[&cause::BODY_LINE_FEED], signed.trim_ascii_end().to_vec());
    found.add(&[&cause::BODY_LINE_FEED], signed.trim_ascii().to_vec());
    found.add(&[&cause::BODY_LINE_FEED], [b"\xef\xbb\xbf", signed].concat());
    if signed.is_empty() {
        for body in ["{}", "null", "[]", "\"\"", "undefined", "None"] {
            found.add(&[&cause::BODY_NOT_SENT], body.as_bytes().to_vec());
        }
    }
    if signed.len() <= LARGEST_JSON
        && let Some(node) = Node::read(signed)
    {
        let sorted = node.sorted();
        for (style, _) in STYLES {
            // In the way in which it was sent, only the order can be wrong.
            if style.write(&node) == signed {
                found.add(&[&cause::BODY_SORTED], style.write(&sorted));
            }
        }
        for (style, known) in STYLES {
            let text = style.write(&node);
            if style.escape == Escape::Html {
                found.add(&[known], [&text[..], b"\n"].concat());
            }
            found.add(&[known], text);
        }
        for (style, known) in STYLES {
            found.add(&[known, &cause::BODY_SORTED], style.write(&sorted));
        }
    }
    found.list
}

/// The lines of a message and how they are put together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Frame {
    method: String,
    timestamp: String,
    nonce: String,
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Form {
    /// Five lines, each ended by this.
    Lines(&'static str),
    /// The last line without its end.
    Open(&'static str),
    /// With one line end too many.
    ExtraEnd,
    NoBodyLine,
    /// Nonce before timestamp.
    Swapped,
    /// What a server signs.
    Response,
    /// The digest of the message, as bytes and in hexadecimal.
    Hashed,
    HashedHex,
}

impl Frame {
    pub(super) fn message(&self, target: &str, body: &[u8]) -> Vec<u8> {
        let Self { method, timestamp, nonce, form } = self;
        let head = |end: &str| format!("{method}{end}{target}{end}{timestamp}{end}{nonce}{end}").into_bytes();
        match form {
            Form::Lines(end) => [&head(end)[..], body, end.as_bytes()].concat(),
            Form::Open(end) => [&head(end)[..], body].concat(),
            Form::ExtraEnd => [&head("\n")[..], body, b"\n\n"].concat(),
            Form::NoBodyLine => head("\n"),
            Form::Swapped => {
                let head = format!("{method}\n{target}\n{nonce}\n{timestamp}\n");
                [head.as_bytes(), body, b"\n"].concat()
            }
            Form::Response => [format!("{timestamp}\n{nonce}\n").as_bytes(), body, b"\n"].concat(),
            Form::Hashed => super::recover::sha256(&self.right(target, body)).as_ref().to_vec(),
            Form::HashedHex => {
                let digest = super::recover::sha256(&self.right(target, body));
                random::encode_hex(digest.as_ref()).to_lowercase().into_bytes()
            }
        }
    }

    fn right(&self, target: &str, body: &[u8]) -> Vec<u8> {
        Self { form: Form::Lines("\n"), ..self.clone() }.message(target, body)
    }
}

/// Ways of putting a message together.
pub(super) fn frames(method: &str, timestamp: &str, nonce: &str) -> Vec<Variant<Frame>> {
    let right = Frame {
        method: method.to_owned(),
        timestamp: timestamp.to_owned(),
        nonce: nonce.to_owned(),
        form: Form::Lines("\n"),
    };
    let mut found = Variants::of(right.clone());
    let form = |form| Frame { form, ..right.clone() };
    found.add(&[&cause::LAST_LINE_FEED], form(Form::Open("\n")));
    found.add(&[&cause::BODY_LINE_MISSING], form(Form::NoBodyLine));
    found.add(&[&cause::LINE_FEED_TOO_MANY], form(Form::ExtraEnd));
    found.add(&[&cause::CRLF], form(Form::Lines("\r\n")));
    found.add(&[&cause::CRLF, &cause::LAST_LINE_FEED], form(Form::Open("\r\n")));
    found.add(&[&cause::LITERAL_BACKSLASH_N], form(Form::Lines("\\n")));
    found.add(&[&cause::LITERAL_BACKSLASH_N, &cause::LAST_LINE_FEED], form(Form::Open("\\n")));
    found.add(&[&cause::NO_LINE_FEEDS], form(Form::Lines("")));
    found.add(&[&cause::NO_LINE_FEEDS], form(Form::Open(" ")));
    found.add(&[&cause::LINES_SWAPPED], form(Form::Swapped));
    found.add(&[&cause::RESPONSE_FORM], form(Form::Response));
    found.add(&[&cause::HASHED_FIRST], form(Form::Hashed));
    found.add(&[&cause::HASHED_FIRST], form(Form::HashedHex));
    found.add(&[&cause::METHOD_LOWER], Frame { method: method.to_lowercase(), ..right.clone() });
    for other in ["GET", "POST", "PATCH", "PUT", "DELETE"] {
        found.add(&[&cause::METHOD_OTHER], Frame { method: other.to_owned(), ..right.clone() });
    }
    found.add(&[&cause::NONCE_CASE], Frame { nonce: nonce.to_lowercase(), ..right.clone() });
    found.add(&[&cause::NONCE_CASE], Frame { nonce: nonce.to_uppercase(), ..right.clone() });
    found.list
}

/// The same with timestamps that are not those of the header: milliseconds, or read a moment apart.
pub(super) fn other_timestamps(
    method: &str,
    timestamp: i64,
    nonce: &str,
) -> impl Iterator<Item = Variant<Frame>> {
    let near = (-5..=5).map(move |apart| (&cause::TIMESTAMP_OTHER, timestamp.saturating_add(apart)));
    let millis = timestamp.saturating_mul(1_000);
    let millis = (0..1_000).map(move |apart| (&cause::TIMESTAMP_MILLIS_SIGNED, millis.saturating_add(apart)));
    near.chain(millis).map(move |(known, timestamp)| Variant {
        value: Frame {
            method: method.to_owned(),
            timestamp: timestamp.to_string(),
            nonce: nonce.to_owned(),
            form: Form::Lines("\n"),
        },
        causes: vec![known],
    })
}
