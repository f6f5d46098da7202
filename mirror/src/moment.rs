//! One point in time, in milliseconds, and the Beijing calendar.

use std::time::Duration;

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, SecondsFormat, TimeZone, Timelike};

const SECOND: i64 = 1_000;
const HOUR: i64 = 60 * 60 * SECOND;
const DAY: i64 = 24 * HOUR;
const BEIJING_OFFSET: i64 = 8 * HOUR;
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

    /// This hour of the following Beijing day.
    pub(crate) fn next_beijing_day_at(self, hour: i64) -> Self {
        self.next_beijing_midnight().plus_millis(hour * HOUR)
    }

    /// 0 is Sunday, 6 is Saturday.
    pub(crate) fn beijing_weekday(self) -> i64 {
        // 1970-01-01 was a Thursday.
        (self.beijing_day() + 4).rem_euclid(7)
    }

    /// Seconds since 00:00 Beijing time.
    pub(crate) fn beijing_second(self) -> i64 {
        (self.0 + BEIJING_OFFSET).rem_euclid(DAY) / SECOND
    }

    /// `yyyyMMdd` in Beijing.
    pub(crate) fn beijing_date(self) -> String {
        self.date_time().format("%Y%m%d").to_string()
    }

    /// `yyyy-MM-dd HH:mm:ss` in Beijing, as flow files write it.
    pub(crate) fn beijing_text(self) -> String {
        let time = self.date_time();
        format!(
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
            time.year(),
            time.month(),
            time.day(),
            time.hour(),
            time.minute(),
            time.second()
        )
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

/// The number of a Beijing day written as `yyyy-MM-dd`, counted from 1970-01-01.
pub(crate) fn day_number(text: &str) -> Option<i64> {
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    // Parsing takes one-digit months and blanks; the form has neither.
    let is_plain = date.format("%Y-%m-%d").to_string() == text;
    is_plain.then(|| date.signed_duration_since(NaiveDate::default()).num_days())
}

/// 00:00 Beijing time of a day.
pub(crate) fn day_start(day: i64) -> Moment {
    Moment::from_millis(day.saturating_mul(DAY).saturating_sub(BEIJING_OFFSET))
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
    fn days_have_numbers_and_hours() {
        let moment = at("2026-08-10T23:59:58.999+08:00");
        assert_eq!(day_number("2026-08-10"), Some(moment.beijing_day()));
        assert_eq!(day_number("1970-01-01"), Some(0));
        for bad in ["2026-8-10", "20260810", "2026-02-30", " 2026-08-10", "2026-08-10 ", "today"] {
            assert_eq!(day_number(bad), None, "{bad}");
        }
        assert_eq!(day_start(moment.beijing_day()), at("2026-08-10T00:00:00+08:00"));
        assert_eq!(moment.next_beijing_day_at(10), at("2026-08-11T10:00:00+08:00"));
        assert_eq!((moment.beijing_weekday(), moment.beijing_second()), (1, 86_398));
        assert_eq!(at("1969-12-28T00:00:00+08:00").beijing_weekday(), 0);
        assert_eq!(
            (moment.beijing_date(), moment.beijing_text().as_str()),
            ("20260810".to_owned(), "2026-08-10 23:59:58")
        );
    }

    #[test]
    fn far_away_times_stay_printable() {
        assert!(Moment::from_millis(i64::MAX).rfc3339().starts_with("9999-"));
        assert!(Moment::from_millis(i64::MIN).rfc3339().starts_with("0001-"));
        assert_eq!(Moment::from_millis(0).plus(Duration::MAX), Moment::from_millis(MAX));
    }
}
