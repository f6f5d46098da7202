//! Times on the command line: RFC 3339, or a date of the Beijing calendar.

use std::time::Duration;

use chrono::{NaiveDate, NaiveTime};
use favor_campaign::DailyWindow;
use favor_core::{Timestamp, time};

use crate::args::Begin;

/// Reads `now`, a date (its first second) or an RFC 3339 time.
pub(crate) fn parse_begin(text: &str) -> Result<Begin, String> {
    if text.eq_ignore_ascii_case("now") {
        return Ok(Begin::Now);
    }
    parse_start(text).map(Begin::At)
}

/// Reads a date (its first second) or an RFC 3339 time.
pub(crate) fn parse_start(text: &str) -> Result<Timestamp, String> {
    moment(text, "00:00:00")
}

/// Reads a date (its last second) or an RFC 3339 time.
pub(crate) fn parse_end(text: &str) -> Result<Timestamp, String> {
    moment(text, "23:59:59")
}

fn moment(text: &str, time_of_day: &str) -> Result<Timestamp, String> {
    if NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok() {
        debug_assert!(time_of_day.parse::<NaiveTime>().is_ok());
        return time::from_wire(&format!("{text}T{time_of_day}+08:00")).map_err(|error| error.to_string());
    }
    time::from_wire(text).map_err(|_| {
        "use a date such as 2026-12-01 (Beijing) or a time such as 2026-12-01T10:00:00+08:00".to_owned()
    })
}

/// Reads `90s`, `5m`, `12h`, `30d`, or several of them: `1d12h`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no length of time: write 90s, 5m, 12h or 30d");
    let mut rest = text;
    let mut seconds: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let number: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        let unit = match rest.as_bytes()[digits] {
            b's' => 1,
            b'm' => 60,
            b'h' => 3_600,
            b'd' => 86_400,
            _ => return Err(wrong()),
        };
        let more = number.checked_mul(unit).and_then(|more| seconds.checked_add(more));
        seconds = more.ok_or_else(wrong)?;
        rest = &rest[digits + 1..];
    }
    if text.is_empty() { Err(wrong()) } else { Ok(Duration::from_secs(seconds)) }
}

/// Reads what [`parse_duration`] reads, and `500ms`; more than nothing.
pub(crate) fn parse_interval(text: &str) -> Result<Duration, String> {
    let read = match text.strip_suffix("ms").and_then(|number| number.parse().ok()) {
        Some(milliseconds) => Duration::from_millis(milliseconds),
        None => parse_duration(text)?,
    };
    if read.is_zero() { Err("it has to be more than nothing".to_owned()) } else { Ok(read) }
}

/// Reads `09:00-21:00`; `22:00-06:00` goes over midnight.
pub(crate) fn parse_window(text: &str) -> Result<DailyWindow, String> {
    let time = |text: &str| NaiveTime::parse_from_str(text.trim(), "%H:%M").ok();
    let window = text.split_once('-').and_then(|(from, to)| Some((time(from)?, time(to)?)));
    match window {
        Some((from, to)) if from != to => Ok(DailyWindow { from, to }),
        Some(_) => Err("it ends when it begins; give no window for the whole day".to_owned()),
        None => Err("use times of the day in Beijing, such as 09:00-21:00".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_a_beijing_day_from_its_first_to_its_last_second() {
        let begin = time::from_wire("2026-12-01T00:00:00+08:00").unwrap();
        assert_eq!(parse_begin("2026-12-01"), Ok(Begin::At(begin)));
        assert_eq!(parse_end("2026-12-01"), Ok(time::from_wire("2026-12-01T23:59:59+08:00").unwrap()));
        assert_eq!(parse_begin("2026-11-30T16:00:00Z"), Ok(Begin::At(begin)));
        assert_eq!(parse_begin("NOW"), Ok(Begin::Now));
        for text in ["", "tomorrow", "2026-13-01", "2026-12-01T10:00:00", "20261201", "2026-2-30"] {
            assert!(parse_begin(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_interval_may_be_a_part_of_a_second() {
        assert_eq!(parse_interval("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_interval("1m30s"), Ok(Duration::from_secs(90)));
        assert!(["0s", "0ms", "ms", "-1ms", "1.5s", ""].iter().all(|text| parse_interval(text).is_err()));
    }

    #[test]
    fn a_window_has_two_times_of_the_day() {
        let time = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
        assert_eq!(parse_window("09:00-21:00"), Ok(DailyWindow { from: time(9), to: time(21) }));
        assert_eq!(parse_window("22:00 - 6:00"), Ok(DailyWindow { from: time(22), to: time(6) }));
        for text in ["", "9-21", "09:00", "09:00-24:00", "09:00-09:00", "09:00-21:00-22:00", "21:00:00-22:00"]
        {
            assert!(parse_window(text).is_err(), "{text}");
        }
    }
}
