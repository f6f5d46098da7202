//! One point in time, in milliseconds, and the Beijing calendar.

use std::time::Duration;

use chrono::{DateTime, Datelike, FixedOffset, SecondsFormat, TimeZone};

const SECOND: i64 = 1_000;
const DAY: i64 = 24 * 60 * 60 * SECOND;
const BEIJING_OFFSET: i64 = 8 * 60 * 60 * SECOND;
/// 0001-01-02 and 9999-12-30: inside what both chrono and RFC 3339 can write.
const MIN: i64 = -62_135_510_400_000;
const MAX: i64 = 253_402_128_000_000;

/// Milliseconds since the Unix epoch, always printable as RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(i64);

impl Moment {
    pub(crate) fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(MIN, MAX))
    }

    #[cfg(test)]
    pub(crate) const fn from_millis_const(millis: i64) -> Self {
        assert!(millis >= MIN && millis <= MAX);
        Self(millis)
    }

    pub(crate) fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub(crate) fn seconds(self) -> i64 {
        self.0.div_euclid(SECOND)
    }

    pub(crate) fn plus(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        self.plus_millis(millis)
    }

    pub(crate) fn plus_millis(self, millis: i64) -> Self {
        Self::from_millis(self.0.saturating_add(millis))
    }

    pub(crate) fn plus_days(self, days: i64) -> Self {
        self.plus_millis(days.saturating_mul(DAY))
    }

    /// Number of the Beijing day, counted from 1970-01-01.
    pub(crate) fn beijing_day(self) -> i64 {
        (self.0 + BEIJING_OFFSET).div_euclid(DAY)
    }

    /// 00:00 Beijing time of the following day.
    pub(crate) fn next_beijing_midnight(self) -> Self {
        Self::from_millis((self.beijing_day() + 1) * DAY - BEIJING_OFFSET)
    }

    /// 00:00 Beijing time of the first day of this month.
    pub(crate) fn beijing_month_start(self) -> Self {
        let day_of_month = i64::from(self.date_time().day0());
        Self::from_millis((self.beijing_day() - day_of_month) * DAY - BEIJING_OFFSET)
    }

    /// The same point in time, at UTC+08:00.
    pub(crate) fn date_time(self) -> DateTime<FixedOffset> {
        beijing()
            .timestamp_millis_opt(self.0)
            .single()
            .expect("a moment is clamped to what a calendar can show")
    }

    /// RFC 3339 at +08:00 with whole seconds, as production writes it.
    pub(crate) fn rfc3339(self) -> String {
        self.date_time().to_rfc3339_opts(SecondsFormat::Secs, false)
    }

    /// The form of the `Date` header.
    pub(crate) fn http_date(self) -> String {
        self.date_time().to_utc().format("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }
}

impl<Tz: TimeZone> From<DateTime<Tz>> for Moment {
    fn from(time: DateTime<Tz>) -> Self {
        Self::from_millis(time.timestamp_millis())
    }
}

fn beijing() -> FixedOffset {
    FixedOffset::east_opt(8 * 60 * 60).expect("eight hours is a valid offset")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Moment {
        DateTime::parse_from_rfc3339(text).unwrap().into()
    }

    #[test]
    fn a_beijing_day_starts_at_sixteen_hundred_utc() {
        let before = at("2026-03-31T15:59:59Z");
        let after = at("2026-03-31T16:00:00Z");
        assert_eq!(before.beijing_day() + 1, after.beijing_day());
        assert_eq!(before.next_beijing_midnight(), after);
        assert_eq!(after.beijing_month_start(), after);
        assert_eq!(before.beijing_month_start(), at("2026-03-01T00:00:00+08:00"));
    }

    #[test]
    fn it_prints_as_production_does() {
        let moment = at("2026-07-30T02:00:00.123Z");
        assert_eq!(moment.rfc3339(), "2026-07-30T10:00:00+08:00");
        assert_eq!(moment.http_date(), "Thu, 30 Jul 2026 02:00:00 GMT");
    }

    #[test]
    fn far_away_times_stay_printable() {
        assert!(Moment::from_millis(i64::MAX).rfc3339().starts_with("9999-"));
        assert!(Moment::from_millis(i64::MIN).rfc3339().starts_with("0001-"));
        assert_eq!(Moment::from_millis(0).plus(Duration::MAX), Moment::from_millis(MAX));
    }
}
