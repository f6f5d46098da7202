//! The query of a pushed message.

use percent_encoding::percent_decode_str;

use super::rejection::Rejection;

/// The parameters that count.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn read(query: &str) -> Self {
        let pairs = query.split('&').take(64).filter_map(|pair| pair.split_once('='));
        Self(pairs.map(|(name, value)| (name.to_owned(), decode(value))).collect())
    }

    /// A parameter that may be missing, and must not be there twice.
    pub(crate) fn optional(&self, name: &'static str) -> Result<Option<&str>, Rejection> {
        let mut found = self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        match (found.next(), found.next()) {
            (first, None) => Ok(first.filter(|value| !value.is_empty())),
            _ => Err(Rejection::Query { name }),
        }
    }

    pub(crate) fn required(&self, name: &'static str) -> Result<&str, Rejection> {
        self.optional(name)?.ok_or(Rejection::Query { name })
    }
}

fn decode(value: &str) -> String {
    percent_decode_str(&value.replace('+', " ")).decode_utf8_lossy().into_owned()
}
