//! The link to a flow file, as the platform gives it (spec §3.16, §3.20).

use std::fmt;

use favor_core::lenient;
use serde::Deserialize;

/// A link to a flow file. It lives 30 s.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Wire")]
#[non_exhaustive]
pub struct FlowLink {
    /// Where the file is. The link itself gives access, so Debug does not show it.
    pub url: String,
    /// SHA-1 of the file, lower-case hexadecimal.
    pub sha1: String,
    /// How many records the file holds; by-day links only.
    pub count: Option<u64>,
}

impl fmt::Debug for FlowLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlowLink")
            .field("sha1", &self.sha1)
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

/// The shapes of all four links: a whole stock's, and by day with its own names for use and refund.
#[derive(Deserialize)]
struct Wire {
    url: String,
    #[serde(alias = "stock_useflow_hash", alias = "stock_refundflow_hash")]
    hash_value: String,
    #[serde(default)]
    hash_type: Option<String>,
    #[serde(default, alias = "stock_refundflow_count", deserialize_with = "lenient::optional_count")]
    stock_useflow_count: Option<u64>,
}

impl TryFrom<Wire> for FlowLink {
    type Error = &'static str;

    fn try_from(wire: Wire) -> Result<Self, Self::Error> {
        let kind = wire.hash_type.as_deref().map(str::trim).unwrap_or_default();
        if !(kind.is_empty() || kind.eq_ignore_ascii_case("sha1")) {
            return Err("the file's hash is of a kind other than SHA-1");
        }
        let sha1 = wire.hash_value.trim().to_ascii_lowercase();
        if sha1.len() != 40 || !sha1.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err("the file's hash is not a SHA-1 in hexadecimal");
        }
        Ok(Self { url: wire.url, sha1, count: wire.stock_useflow_count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA1: &str = "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709";

    fn read(json: &str) -> Result<FlowLink, serde_json::Error> {
        serde_json::from_str(&json.replace("SHA", SHA1))
    }

    #[test]
    fn all_shapes_of_a_link_are_read() {
        let whole = read(r#"{"url":"https://a/b","hash_value":"SHA","hash_type":"sha1"}"#).unwrap();
        assert_eq!((whole.sha1, whole.count), (SHA1.to_lowercase(), None));
        let by_day = read(r#"{"url":"u","stock_useflow_hash":"SHA","stock_useflow_count":"12"}"#).unwrap();
        assert_eq!(by_day.count, Some(12));
        let by_day =
            read(r#"{"url":"u","stock_refundflow_hash":"SHA","stock_refundflow_count":12}"#).unwrap();
        assert_eq!(by_day.count, Some(12));
    }

    #[test]
    fn a_hash_that_cannot_be_checked_is_refused() {
        assert!(read(r#"{"url":"u","hash_value":"SHA","hash_type":"SM3"}"#).is_err());
        assert!(read(r#"{"url":"u","hash_value":"abc","hash_type":"SHA1"}"#).is_err());
        assert!(read(r#"{"url":"u","hash_type":"SHA1"}"#).is_err());
    }

    #[test]
    fn debug_does_not_show_the_link() {
        let link = read(r#"{"url":"https://a/b?token=secret","hash_value":"SHA"}"#).unwrap();
        assert!(!format!("{link:?}").contains("secret"));
    }
}
