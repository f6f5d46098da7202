//! `hours` of a stock: the days of the week and the time of day at which its coupons can be used.

use chrono::{NaiveTime, Timelike as _};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

/// Days and hours, in Beijing.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HoursEntry {
    /// 0 is Sunday; none means all.
    week_days: Option<Vec<i64>>,
    from: Option<Time>,
    to: Option<Time>,
}

impl HoursEntry {
    /// `fix_available_time` as a client would send it.
    pub(super) fn body(&self) -> Value {
        let mut body = json!({ "begin_time": self.from.map_or(0, |time| time.0) });
        if let Some(days) = &self.week_days {
            body["available_week_day"] = json!(days);
        }
        if let Some(to) = self.to {
            body["end_time"] = json!(to.0);
        }
        body
    }
}

/// A second of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Time(u32);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let time = NaiveTime::parse_from_str(&text, "%H:%M:%S")
            .or_else(|_| NaiveTime::parse_from_str(&text, "%H:%M"));
        time.map(|time| Self(time.num_seconds_from_midnight()))
            .map_err(|_| D::Error::custom("a time of day is written as \"10:00\" or \"21:59:59\""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &str) -> Result<Value, toml::de::Error> {
        toml::from_str::<HoursEntry>(text).map(|hours| hours.body())
    }

    #[test]
    fn hours_become_seconds_of_the_day() {
        assert_eq!(body("").unwrap(), json!({"begin_time": 0}));
        assert_eq!(
            body("week_days = [0, 6]\nfrom = \"10:00\"\nto = \"21:59:59\"").unwrap(),
            json!({"begin_time": 36_000, "end_time": 79_199, "available_week_day": [0, 6]})
        );
    }

    #[test]
    fn other_times_are_refused() {
        for bad in ["from = \"24:00\"", "from = \"10\"", "to = \"10:61\"", "from = 10", "until = \"10:00\""] {
            assert!(body(bad).is_err(), "{bad}");
        }
    }
}
