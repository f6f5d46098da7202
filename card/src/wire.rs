//! How values are read and written: numbers and texts are used loosely on the platform's side (spec §2.0).

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use favor_core::{AppId, Fen, MerchantId, OpenId, Timestamp, time};
use rust_decimal::Decimal;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::macros::plain;

/// A value that is read in every form seen in the field, and written in the documented one.
pub(crate) trait Wire: Sized {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    /// Whether it says as much as a field that is not there.
    fn is_nothing(&self) -> bool {
        false
    }
}

/// For `#[serde(with = "crate::wire")]`.
pub(crate) fn serialize<T: Wire, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    value.write(serializer)
}

/// For `#[serde(with = "crate::wire")]`.
pub(crate) fn deserialize<'de, T: Wire, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    T::read(deserializer)
}

/// Carries a [`Wire`] through serde's own containers.
struct Wired<T>(T);

impl<'de, T: Wire> Deserialize<'de> for Wired<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(deserializer).map(Self)
    }
}

impl<T: Wire> Serialize for Wired<&T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer)
    }
}

plain!(AppId, MerchantId, serde_json::Value);

/// Nobody is an empty text: the receiver of a gift that nobody took.
impl Wire for OpenId {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Deserialize::deserialize(deserializer)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }

    fn is_nothing(&self) -> bool {
        self.as_str().is_empty()
    }
}

impl<T: Wire> Wire for Option<T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = Option::<Wired<T>>::deserialize(deserializer)?.map(|Wired(value)| value);
        Ok(read.filter(|value| !value.is_nothing()))
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Some(value) => serializer.serialize_some(&Wired(value)),
            None => serializer.serialize_none(),
        }
    }
}

impl<T: Wire> Wire for Box<T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(deserializer).map(Box::new)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_ref().write(serializer)
    }
}

/// A list; null is an empty one.
impl<T: Wire> Wire for Vec<T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List<T>(PhantomData<T>);
        impl<'de, T: Wire> Visitor<'de> for List<T> {
            type Value = Vec<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_unit<E: de::Error>(self) -> Result<Vec<T>, E> {
                Ok(Vec::new())
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
                let mut all = Vec::new();
                while let Some(Wired(value)) = seq.next_element()? {
                    all.push(value);
                }
                Ok(all)
            }
        }
        deserializer.deserialize_any(List(PhantomData))
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Wired))
    }
}

/// What a number, a text or a truth value says, as text.
struct Scalar;

impl Visitor<'_> for Scalar {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a number")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<String, E> {
        Ok(text)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<String, E> {
        Ok(number.to_string())
    }

    /// `5.0` is written as `5`.
    fn visit_f64<E: de::Error>(self, number: f64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<String, E> {
        Ok(flag.to_string())
    }
}

impl Wire for String {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Scalar)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

/// An integer: a number, a number whose fraction is zero, or its digits in a text.
impl Wire for i64 {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        integer(&deserializer.deserialize_any(Scalar)?).ok_or_else(|| de::Error::custom("not an integer"))
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(*self)
    }
}

/// The integer that a text holds.
pub(crate) fn integer(text: &str) -> Option<i64> {
    let text = text.trim();
    let whole = match text.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') => whole,
        Some(_) => return None,
        None => text,
    };
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    whole.parse().ok()
}

/// A truth value: itself, 0 or 1, or either as a text.
impl Wire for bool {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        flag(&deserializer.deserialize_any(Scalar)?)
            .ok_or_else(|| de::Error::custom("neither true nor false"))
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(*self)
    }
}

/// The truth value that a text holds.
pub(crate) fn flag(text: &str) -> Option<bool> {
    let text = text.trim();
    if text == "1" || text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text == "0" || text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// Fen, in each form of an integer.
impl Wire for Fen {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Fen::new(i64::read(deserializer)?).map_err(de::Error::custom)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.get())
    }
}

/// Unix seconds; shown in Beijing time, which is what the platform's people mean.
impl Wire for Timestamp {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        moment(i64::read(deserializer)?).ok_or_else(|| de::Error::custom("the time is out of range"))
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.timestamp())
    }
}

/// The moment of so many Unix seconds.
pub(crate) fn moment(seconds: i64) -> Option<Timestamp> {
    let moment: DateTime<Utc> = DateTime::from_timestamp(seconds, 0)?;
    Some(time::beijing(&moment))
}

/// An amount that may have a fraction, in old answers.
impl Wire for Decimal {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = deserializer.deserialize_any(Scalar)?;
        Decimal::from_str(text.trim()).map_err(|_| de::Error::custom("not a number"))
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.fract().is_zero()
            && let Ok(whole) = i64::try_from(*self)
        {
            return serializer.serialize_i64(whole);
        }
        serializer.serialize_str(&self.normalize().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: Wire>(json: &str) -> Option<T> {
        T::read(&mut serde_json::Deserializer::from_str(json)).ok()
    }

    #[test]
    fn takes_every_form_of_the_field() {
        for json in ["7", "\"7\"", "7.0", "\" 7 \"", "\"7.00\""] {
            assert_eq!(read::<i64>(json), Some(7), "{json}");
        }
        for json in ["7.5", "\"\"", "\"7a\"", "null", "[]", "1e30", "\"--7\"", "\"7.\""] {
            assert_eq!(read::<i64>(json), None, "{json}");
        }
        for json in ["true", "1", "\"true\"", "\"1\"", "\"True\""] {
            assert_eq!(read::<bool>(json), Some(true), "{json}");
        }
        for json in ["false", "0", "\"false\"", "\"0\""] {
            assert_eq!(read::<bool>(json), Some(false), "{json}");
        }
        assert_eq!(read::<bool>("2"), None);
        assert_eq!(read::<String>("12"), Some("12".to_owned()));
        assert_eq!(read::<Option<i64>>("null"), Some(None));
        assert_eq!(read::<Vec<i64>>("null"), Some(vec![]));
        assert_eq!(read::<Vec<i64>>("[1,\"2\"]"), Some(vec![1, 2]));
        assert_eq!(read::<Fen>("-1"), None);
        assert_eq!(read::<Timestamp>("\"1700000000\"").unwrap().to_rfc3339(), "2023-11-15T06:13:20+08:00");
        assert_eq!(read::<Timestamp>("99999999999999999"), None);
        assert_eq!(read::<Decimal>("12.5"), Some(Decimal::new(125, 1)));
    }
}
