//! Times as the platform writes them: RFC 3339, Beijing time (spec §2.3).

use chrono::{DateTime, FixedOffset, NaiveDate, SecondsFormat, TimeZone};

/// A moment with its offset. Written at +08:00, read with any offset.
pub type Timestamp = DateTime<FixedOffset>;

const BEIJING: FixedOffset = match FixedOffset::east_opt(8 * 3600) {
    Some(offset) => offset,
    None => panic!("eight hours are a valid offset"),
};

/// The same moment on a Beijing clock (UTC+08:00, no daylight saving).
pub fn beijing<Tz: TimeZone>(moment: &DateTime<Tz>) -> Timestamp {
    moment.with_timezone(&BEIJING)
}

/// The Beijing day a moment falls on; daily budgets and flow files count by it.
pub fn beijing_day<Tz: TimeZone>(moment: &DateTime<Tz>) -> NaiveDate {
    beijing(moment).date_naive()
}

/// The wire form: RFC 3339 at +08:00, with milliseconds only when there are any.
pub fn to_wire<Tz: TimeZone>(moment: &DateTime<Tz>) -> String {
    let moment = beijing(moment);
    let format =
        if moment.timestamp_subsec_millis() == 0 { SecondsFormat::Secs } else { SecondsFormat::Millis };
    moment.to_rfc3339_opts(format, false)
}

/// Reads any RFC 3339 form: any offset, with or without a fraction.
///
/// # Errors
/// chrono's, when the text is not RFC 3339.
pub fn from_wire(text: &str) -> Result<Timestamp, chrono::ParseError> {
    DateTime::parse_from_rfc3339(text.trim())
}

/// Serde form of a [`Timestamp`]: `#[serde(with = "favor_core::time::rfc3339")]`.
pub mod rfc3339 {
    use super::{Timestamp, from_wire, to_wire};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes RFC 3339 at +08:00.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(moment: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&to_wire(moment))
    }

    /// Reads any RFC 3339 form.
    ///
    /// # Errors
    /// The deserializer's, when the text is not RFC 3339.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        from_wire(&text).map_err(|error| D::Error::custom(format_args!("not an RFC 3339 time: {error}")))
    }
}

/// Serde form of an `Option<Timestamp>`; null, missing and `""` are `None`. Use with `#[serde(default)]`.
pub mod rfc3339_option {
    use super::{Timestamp, from_wire, to_wire};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes RFC 3339 at +08:00, or null.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(moment: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
        match moment {
            Some(moment) => serializer.serialize_some(&to_wire(moment)),
            None => serializer.serialize_none(),
        }
    }

    /// Reads any RFC 3339 form.
    ///
    /// # Errors
    /// The deserializer's, when there is a text that is not RFC 3339.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
        match Option::<std::borrow::Cow<'de, str>>::deserialize(deserializer)? {
            None => Ok(None),
            Some(text) if text.trim().is_empty() => Ok(None),
            Some(text) => from_wire(&text)
                .map(Some)
                .map_err(|error| D::Error::custom(format_args!("not an RFC 3339 time: {error}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_beijing_time_and_reads_any_offset() {
        let moment = from_wire("2026-05-19T16:00:00Z").unwrap();
        assert_eq!(to_wire(&moment), "2026-05-20T00:00:00+08:00");
        assert_eq!(
            to_wire(&from_wire("2026-05-20T00:00:00.120+08:00").unwrap()),
            "2026-05-20T00:00:00.120+08:00"
        );
        assert_eq!(beijing_day(&moment), NaiveDate::from_ymd_opt(2026, 5, 20).unwrap());
        assert_eq!(
            from_wire("2026-05-20T00:00:00-07:00").unwrap(),
            from_wire("2026-05-20T07:00:00Z").unwrap()
        );
        assert!(from_wire("2026-05-20 00:00").is_err());
        assert!(from_wire("2026-05-20T00:00:00").is_err(), "without an offset the moment is not known");
    }
}
