//! Times and lengths of time in a seed: `now`, `+30d`, `-1d12h`, or RFC 3339.

use std::time::Duration;

use chrono::{DateTime, FixedOffset};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::moment::Moment;

/// A point in time, perhaps counted from the test clock at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    At(DateTime<FixedOffset>),
    /// Milliseconds from now.
    From(i64),
}

impl When {
    pub(crate) const NOW: Self = Self::From(0);

    pub(crate) fn moment(self, now: Moment) -> Moment {
        match self {
            Self::At(time) => time.into(),
            Self::From(millis) => now.plus_millis(millis),
        }
    }

    pub(crate) fn absolute(self) -> Option<DateTime<FixedOffset>> {
        match self {
            Self::At(time) => Some(time),
            Self::From(_) => None,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        if text == "now" {
            return Some(Self::NOW);
        }
        if let Some(rest) = text.strip_prefix('+') {
            return length(rest).map(Self::From);
        }
        if let Some(rest) = text.strip_prefix('-') {
            return length(rest).map(|millis| Self::From(-millis));
        }
        DateTime::parse_from_rfc3339(text).ok().map(Self::At)
    }
}

/// Milliseconds of `30d`, `1d12h`, `90m`, `45s`.
fn length(text: &str) -> Option<i64> {
    let mut rest = text;
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: i64 = rest[..digits].parse().ok()?;
        let seconds = match rest.as_bytes()[digits] {
            b's' => 1,
            b'm' => 60,
            b'h' => 3_600,
            b'd' => 86_400,
            b'w' => 604_800,
            _ => return None,
        };
        total = total.checked_add(number.checked_mul(seconds)?.checked_mul(1_000)?)?;
        rest = &rest[digits + 1..];
    }
    (!text.is_empty()).then_some(total)
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const FORM: &str = "a time is \"now\", \"+30d\", \"-1d12h\" or \"2026-08-10T12:00:00+08:00\"";
        let text = match toml::Value::deserialize(deserializer)? {
            toml::Value::String(text) => text,
            toml::Value::Datetime(time) => time.to_string(),
            _ => return Err(D::Error::custom(FORM)),
        };
        Self::parse(&text).ok_or_else(|| D::Error::custom(FORM))
    }
}

/// A length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Life(Duration);

impl Life {
    pub(crate) fn duration(self) -> Duration {
        self.0
    }
}

impl<'de> Deserialize<'de> for Life {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        length(&text)
            .and_then(|millis| u64::try_from(millis).ok())
            .map(|millis| Self(Duration::from_millis(millis)))
            .ok_or_else(|| D::Error::custom("a length of time is written as \"60s\", \"5m\" or \"1h30m\""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_relative_or_absolute() {
        let now = Moment::from_millis_const(1_790_000_000_000);
        let at = |text| When::parse(text).map(|when| when.moment(now).millis() - now.millis());
        assert_eq!(at("now"), Some(0));
        assert_eq!(at("+30d"), Some(30 * 86_400_000));
        assert_eq!(at("-1d12h"), Some(-36 * 3_600_000));
        assert_eq!(at("+1w2d3h4m5s"), Some((9 * 86_400 + 3 * 3_600 + 4 * 60 + 5) * 1_000));
        assert!(matches!(When::parse("2026-08-10T12:00:00+08:00"), Some(When::At(_))));
        for bad in ["", "+", "+d", "+3", "+3x", "3d", "tomorrow", "+99999999999999999999d", "+9999999999999w"]
        {
            assert_eq!(When::parse(bad), None, "{bad}");
        }
    }
}
