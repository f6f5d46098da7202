//! JSON as the usual libraries write it.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

/// A value that keeps the order of its keys.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl Node {
    pub(super) fn read(text: &[u8]) -> Option<Self> {
        serde_json::from_slice(text).ok()
    }

    pub(super) fn sorted(&self) -> Self {
        match self {
            Self::List(items) => Self::List(items.iter().map(Self::sorted).collect()),
            Self::Object(items) => {
                let mut items: Vec<_> =
                    items.iter().map(|(key, node)| (key.clone(), node.sorted())).collect();
                items.sort_by(|one, two| one.0.cmp(&two.0));
                Self::Object(items)
            }
            other => other.clone(),
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Number::from_f64(value).map_or(Node::Null, Node::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_entry()? {
            list.push(item);
        }
        Ok(Node::Object(list))
    }
}

/// What of a string is escaped besides what must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escape {
    Nothing,
    /// All but ASCII, as Python and PHP do unless told otherwise.
    Ascii,
    /// Slashes, as PHP does.
    Slashes,
    AsciiAndSlashes,
    /// `<`, `>` and `&`, as Go does.
    Html,
}

/// A way of writing JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) item: &'static str,
    pub(super) colon: &'static str,
    /// One step of indentation; none keeps all on one line.
    pub(super) indent: Option<&'static str>,
    pub(super) escape: Escape,
}

impl Style {
    pub(super) const fn line(item: &'static str, colon: &'static str, escape: Escape) -> Self {
        Self { item, colon, indent: None, escape }
    }

    pub(super) const fn pretty(indent: &'static str, colon: &'static str, escape: Escape) -> Self {
        Self { item: ",", colon, indent: Some(indent), escape }
    }

    pub(super) fn write(&self, node: &Node) -> Vec<u8> {
        let mut out = String::new();
        self.node(node, 0, &mut out);
        out.into_bytes()
    }

    fn node(&self, node: &Node, depth: usize, out: &mut String) {
        match node {
            Node::Null => out.push_str("null"),
            Node::Bool(true) => out.push_str("true"),
            Node::Bool(false) => out.push_str("false"),
            Node::Number(number) => out.push_str(&number.to_string()),
            Node::Text(text) => self.text(text, out),
            Node::List(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    self.before(at, depth + 1, out);
                    self.node(item, depth + 1, out);
                }
                self.close(items.is_empty(), depth, ']', out);
            }
            Node::Object(items) => {
                out.push('{');
                for (at, (key, item)) in items.iter().enumerate() {
                    self.before(at, depth + 1, out);
                    self.text(key, out);
                    out.push_str(self.colon);
                    self.node(item, depth + 1, out);
                }
                self.close(items.is_empty(), depth, '}', out);
            }
        }
    }

    fn before(&self, at: usize, depth: usize, out: &mut String) {
        if at > 0 {
            out.push_str(self.item);
        }
        self.line_break(depth, out);
    }

    fn close(&self, empty: bool, depth: usize, bracket: char, out: &mut String) {
        if !empty {
            self.line_break(depth, out);
        }
        out.push(bracket);
    }

    fn line_break(&self, depth: usize, out: &mut String) {
        if let Some(indent) = self.indent {
            out.push('\n');
            for _ in 0..depth {
                out.push_str(indent);
            }
        }
    }

    fn text(&self, text: &str, out: &mut String) {
        let ascii = matches!(self.escape, Escape::Ascii | Escape::AsciiAndSlashes);
        let slashes = matches!(self.escape, Escape::Slashes | Escape::AsciiAndSlashes);
        let html = self.escape == Escape::Html;
        out.push('"');
        for letter in text.chars() {
            match letter {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\u{8}' => out.push_str("\\b"),
                '\u{c}' => out.push_str("\\f"),
                '/' if slashes => out.push_str("\\/"),
                '<' | '>' | '&' | '\u{2028}' | '\u{2029}' if html => units(letter, out),
                '\0'..='\u{1f}' => units(letter, out),
                '\u{7f}'.. if ascii && !letter.is_ascii() => units(letter, out),
                other => out.push(other),
            }
        }
        out.push('"');
    }
}

fn units(letter: char, out: &mut String) {
    let mut units = [0; 2];
    for unit in letter.encode_utf16(&mut units) {
        out.push_str(&format!("\\u{unit:04x}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: &str = r#"{"b": [1, {}], "a":"茶</é>😀", "c":1.50}"#;

    #[test]
    fn each_library_writes_in_its_way() {
        let node = Node::read(SENT.as_bytes()).unwrap();
        let write = |style: Style| String::from_utf8(style.write(&node)).unwrap();
        assert_eq!(write(Style::line(",", ":", Escape::Nothing)), r#"{"b":[1,{}],"a":"茶</é>😀","c":1.5}"#);
        assert_eq!(
            write(Style::line(", ", ": ", Escape::Ascii)),
            r#"{"b": [1, {}], "a": "\u8336</\u00e9>\ud83d\ude00", "c": 1.5}"#
        );
        assert_eq!(
            write(Style::line(",", ":", Escape::AsciiAndSlashes)),
            r#"{"b":[1,{}],"a":"\u8336<\/\u00e9>\ud83d\ude00","c":1.5}"#
        );
        assert_eq!(
            write(Style::line(",", ":", Escape::Html)),
            r#"{"b":[1,{}],"a":"茶\u003c/é\u003e😀","c":1.5}"#
        );
        assert_eq!(
            write(Style::pretty("  ", ": ", Escape::Nothing)),
            "{\n  \"b\": [\n    1,\n    {}\n  ],\n  \"a\": \"茶</é>😀\",\n  \"c\": 1.5\n}"
        );
        assert_eq!(
            String::from_utf8(Style::line(",", ":", Escape::Nothing).write(&node.sorted())).unwrap(),
            r#"{"a":"茶</é>😀","b":[1,{}],"c":1.5}"#
        );
    }

    #[test]
    fn nonsense_and_bottomless_nesting_are_no_json() {
        assert!(Node::read(b"{").is_none());
        assert!(Node::read("[".repeat(100_000).as_bytes()).is_none());
        assert!(Node::read(b"\xff").is_none());
    }
}
