//! Reading what the platform sends in more than one form (spec §8).

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};

/// Reads an integer, or its decimal digits in a string.
///
/// # Errors
/// The deserializer's, for any other form.
pub fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    struct Integer;
    impl Visitor<'_> for Integer {
        type Value = i64;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an integer, or its digits in a string")
        }

        fn visit_i64<E: de::Error>(self, value: i64) -> Result<i64, E> {
            Ok(value)
        }

        fn visit_u64<E: de::Error>(self, value: u64) -> Result<i64, E> {
            i64::try_from(value).map_err(|_| E::custom("the integer is too large"))
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<i64, E> {
            let digits = text.strip_prefix('-').unwrap_or(text);
            if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
                return Err(E::custom("the text is not an integer"));
            }
            text.parse().map_err(|_| E::custom("the integer is too large"))
        }
    }
    deserializer.deserialize_any(Integer)
}

/// Reads a count: an integer not below zero, or its digits in a string.
///
/// # Errors
/// The deserializer's, for any other form.
pub fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    u64::try_from(integer(deserializer)?).map_err(|_| de::Error::custom("a count cannot be negative"))
}

/// [`count`] for a field that may be missing or null.
///
/// # Errors
/// The deserializer's, for any other form.
pub fn optional_count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    #[derive(serde::Deserialize)]
    struct Count(#[serde(deserialize_with = "count")] u64);
    Ok(Option::<Count>::deserialize(deserializer)?.map(|Count(count)| count))
}

/// Reads null like a missing field. Use with `#[serde(default)]`.
///
/// # Errors
/// The deserializer's, when the value is there and of the wrong form.
pub fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads a list of texts, one bare text, null or nothing. Use with `#[serde(default)]`.
///
/// # Errors
/// The deserializer's, for any other form.
pub fn one_or_many<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: for<'a> From<&'a str>,
{
    struct OneOrMany<T>(std::marker::PhantomData<T>);
    impl<'de, T: for<'a> From<&'a str>> Visitor<'de> for OneOrMany<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text or a list of texts")
        }

        fn visit_unit<E: de::Error>(self) -> Result<Vec<T>, E> {
            Ok(Vec::new())
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<T>, E> {
            Ok(vec![T::from(text)])
        }

        fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
            let mut all = Vec::new();
            while let Some(text) = seq.next_element::<String>()? {
                all.push(T::from(&text));
            }
            Ok(all)
        }
    }
    deserializer.deserialize_any(OneOrMany(std::marker::PhantomData))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Row {
        #[serde(deserialize_with = "super::count")]
        total: u64,
        #[serde(default, deserialize_with = "super::optional_count")]
        rest: Option<u64>,
        #[serde(default, deserialize_with = "super::null_is_default")]
        list: Vec<String>,
        #[serde(default, deserialize_with = "super::one_or_many")]
        ways: Vec<String>,
    }

    #[test]
    fn takes_the_forms_seen_in_the_field() {
        let full: Row =
            serde_json::from_str(r#"{"total":"7","rest":"0","list":null,"ways":"CARD"}"#).unwrap();
        assert_eq!(full, Row { total: 7, rest: Some(0), list: vec![], ways: vec!["CARD".into()] });
        let bare: Row = serde_json::from_str(r#"{"total":7,"rest":null,"ways":null}"#).unwrap();
        assert_eq!(bare, Row { total: 7, rest: None, list: vec![], ways: vec![] });
        for bad in [r#"{"total":-1}"#, r#"{"total":"7a"}"#, r#"{"total":null}"#, r#"{"total":7.5}"#] {
            assert!(serde_json::from_str::<Row>(bad).is_err(), "{bad}");
        }
    }
}
