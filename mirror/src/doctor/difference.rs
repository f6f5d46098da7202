//! Where two messages differ, by words.

use std::time::Duration;

use serde::Serialize;
use similar::{Algorithm, ChangeTag, TextDiff};

/// Time after which a difference is told coarsely.
const PATIENCE: Duration = Duration::from_millis(50);
/// Bytes shown before the first difference.
const BEFORE: usize = 1_024;

/// A piece of text, and in which of two messages it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "in", content = "text")]
pub enum DifferencePart {
    /// In both.
    Both(String),
    /// Only in the server's.
    Server(String),
    /// Only in the client's.
    Client(String),
}

impl DifferencePart {
    /// The piece.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Both(text) | Self::Server(text) | Self::Client(text) => text,
        }
    }

    fn of(tag: ChangeTag, text: String) -> Self {
        match tag {
            ChangeTag::Equal => Self::Both(text),
            ChangeTag::Delete => Self::Server(text),
            ChangeTag::Insert => Self::Client(text),
        }
    }
}

/// The pieces of both messages, in order.
pub(super) fn between(server: &str, client: &str) -> Vec<DifferencePart> {
    let (ours, theirs) = (words(server), words(client));
    let diff =
        TextDiff::configure().algorithm(Algorithm::Myers).timeout(PATIENCE).diff_slices(&ours, &theirs);
    let mut parts: Vec<(ChangeTag, String)> = Vec::new();
    for change in diff.iter_all_changes() {
        match parts.last_mut() {
            Some((tag, text)) if *tag == change.tag() => text.push_str(change.value()),
            _ => parts.push((change.tag(), change.value().to_owned())),
        }
    }
    parts.into_iter().map(|(tag, text)| DifferencePart::of(tag, text)).collect()
}

/// Runs of letters and digits; every other character by itself.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut begin = None;
    for (at, letter) in text.char_indices() {
        if letter.is_alphanumeric() {
            begin.get_or_insert(at);
            continue;
        }
        if let Some(begin) = begin.take() {
            words.push(&text[begin..at]);
        }
        words.push(&text[at..at + letter.len_utf8()]);
    }
    if let Some(begin) = begin {
        words.push(&text[begin..]);
    }
    words
}

/// Both messages as text. Long ones are cut to what is around their first difference.
pub(super) fn window(one: &[u8], two: &[u8], most: usize) -> (String, String) {
    let same = one.iter().zip(two).take_while(|(one, two)| one == two).count();
    let begin = if one.len().max(two.len()) <= most || same == one.len() && same == two.len() {
        0
    } else {
        same.saturating_sub(BEFORE)
    };
    (cut(one, begin, most), cut(two, begin, most))
}

fn cut(message: &[u8], begin: usize, most: usize) -> String {
    let begin = boundary(message, begin.min(message.len()));
    let end = boundary(message, message.len().min(begin + most));
    let text = String::from_utf8_lossy(&message[begin..end]);
    let before = if begin > 0 { "…" } else { "" };
    let after = if end < message.len() { "…" } else { "" };
    format!("{before}{text}{after}")
}

/// The beginning of the character at this place.
fn boundary(message: &[u8], mut at: usize) -> usize {
    let continues = |at: usize| message.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
    for _ in 0..3 {
        if at > 0 && continues(at) {
            at -= 1;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::DifferencePart::{Both, Client, Server};
    use super::*;

    #[test]
    fn words_are_compared_and_everything_is_there() {
        let parts = between("GET\n/v3/a?b=茶\n1\n", "GET\n/v3/a\n1\n");
        assert_eq!(parts, [Both("GET\n/v3/a".into()), Server("?b=茶".into()), Both("\n1\n".into())]);
        let parts = between("{\"a\":1}", "{\"a\": 1}");
        assert_eq!(parts, [Both("{\"a\":".into()), Client(" ".into()), Both("1}".into())]);
        assert_eq!(between("", "x"), [Client("x".into())]);
        assert!(between("", "").is_empty());
    }

    #[test]
    fn long_messages_are_cut_around_the_difference() {
        let mut one = "茶".repeat(10_000);
        let two = format!("{one}x");
        one.push_str(&"y".repeat(9_000));
        let (one, two) = window(one.as_bytes(), two.as_bytes(), 4_096);
        assert!(one.starts_with("…茶") && one.ends_with("y…") && one.len() < 4_200, "{}", one.len());
        assert!(two.ends_with("茶x"));
        assert_eq!(window(b"ab", b"ac", 10), ("ab".to_owned(), "ac".to_owned()));
        let same = "z".repeat(5_000);
        let (same, _) = window(same.as_bytes(), same.as_bytes(), 4_096);
        assert!(same.starts_with('z') && same.ends_with('…'));
    }
}
