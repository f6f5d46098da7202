//! The text of a field, which need not be text.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::{Serialize, Serializer};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A field as it stands in a flow file: UTF-8, except where the platform garbled it (old device numbers).
///
/// Display and Serialize write what is not UTF-8 as U+FFFD; [`FlowText::as_bytes`] has it unchanged.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct FlowText<'a>(&'a [u8]);

impl<'a> FlowText<'a> {
    /// The bytes, unchanged.
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// The text; none when it is not UTF-8.
    pub fn as_str(self) -> Option<&'a str> {
        std::str::from_utf8(self.0).ok()
    }

    /// The text, with U+FFFD for what is not UTF-8.
    pub fn to_str_lossy(self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.0)
    }

    /// Whether there is nothing.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// What it says as Base64, with or without padding; none when it is not Base64. In by-day files the device number
    /// is written so (spec §3.20).
    pub fn decode_base64(self) -> Option<Vec<u8>> {
        BASE64.decode(self.0).ok()
    }

    /// A copy of its own.
    pub fn to_buf(self) -> FlowTextBuf {
        FlowTextBuf(self.0.into())
    }
}

impl<'a> From<&'a [u8]> for FlowText<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }
}

impl<'a> From<&'a str> for FlowText<'a> {
    fn from(text: &'a str) -> Self {
        Self(text.as_bytes())
    }
}

impl PartialEq<str> for FlowText<'_> {
    fn eq(&self, text: &str) -> bool {
        self.0 == text.as_bytes()
    }
}

impl PartialEq<&str> for FlowText<'_> {
    fn eq(&self, text: &&str) -> bool {
        self == *text
    }
}

impl fmt::Debug for FlowText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.as_str() {
            Some(text) => write!(f, "{text:?}"),
            None => write!(f, "b\"{}\"", self.0.escape_ascii()),
        }
    }
}

impl fmt::Display for FlowText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.to_str_lossy())
    }
}

impl Serialize for FlowText<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_str_lossy())
    }
}

/// A [`FlowText`] of its own.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct FlowTextBuf(Box<[u8]>);

impl FlowTextBuf {
    /// The text.
    pub fn as_text(&self) -> FlowText<'_> {
        FlowText::from(&*self.0)
    }
}

impl fmt::Debug for FlowTextBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.as_text(), f)
    }
}

impl fmt::Display for FlowTextBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.as_text(), f)
    }
}

impl Serialize for FlowTextBuf {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_text().serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_is_not_text() {
        let garbled = FlowText::from(&b"POS\xFF7"[..]);
        assert_eq!(garbled.as_str(), None);
        assert_eq!(garbled.to_string(), "POS\u{FFFD}7");
        assert_eq!(format!("{garbled:?}"), "b\"POS\\xff7\"");
        assert_eq!(serde_json::to_string(&garbled.to_buf()).unwrap(), "\"POS\u{FFFD}7\"");
        assert_eq!(garbled.to_buf().as_text().as_bytes(), b"POS\xFF7");
        assert_eq!(format!("{:?}", FlowText::from("收\"")), "\"收\\\"\"");
    }

    #[test]
    fn decodes_base64_with_or_without_padding() {
        assert_eq!(FlowText::from("UE9TLTc=").decode_base64().unwrap(), b"POS-7");
        assert_eq!(FlowText::from("UE9TLTc").decode_base64().unwrap(), b"POS-7");
        assert_eq!(FlowText::from("POS-7").decode_base64(), None);
    }
}
