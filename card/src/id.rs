//! Identifiers of cards and of what users hold.

use std::fmt;

use favor_core::id;
use serde::{Deserialize, Serialize};

use crate::macros::plain;

id! {
    /// A card id: one kind of card with a stock (卡券ID).
    pub struct CardId: "the card id", "1 to 32 visible ASCII characters",
    |t| (1..=32).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_graphic()), plain
}
id! {
    /// A code: one user's copy of a card (Code码). Calls take at most 20 bytes, a new code may have 64.
    pub struct Code: "the code", "1 to 64 bytes of UTF-8 without control characters and blanks",
    |t| (1..=64).contains(&t.len()) && !t.chars().any(|c| c.is_control() || c.is_whitespace()), plain
}

plain!(CardId, Code);

/// A text about a person, such as a telephone number. Debug does not show it.
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Personal(String);

impl Personal {
    /// Takes the text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Personal {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Personal {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Personal(****)")
    }
}

impl crate::wire::Wire for Personal {
    fn read<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <String as crate::wire::Wire>::read(deserializer).map(Self)
    }

    fn write<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}
