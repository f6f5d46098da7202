//! The values of fields: amounts and times.

use chrono::{DateTime, FixedOffset, NaiveDate};
use favor_core::{Fen, Timestamp};

const BEIJING: FixedOffset = match FixedOffset::east_opt(8 * 3600) {
    Some(offset) => offset,
    None => panic!("eight hours are a valid offset"),
};

/// An amount in yuan: digits, a point, and exactly two digits. Whole numbers only, never a float.
pub(super) fn amount(text: &[u8]) -> Option<Fen> {
    let (yuan, fen) = match text {
        [yuan @ .., b'.', tens, ones] => (yuan, [*tens, *ones]),
        _ => return None,
    };
    // 16 digits of yuan and two of fen fit an i64; what is no digit may wrap.
    if yuan.is_empty() || yuan.len() > 16 {
        return None;
    }
    let (mut sum, mut all_digits) = (0_i64, true);
    for byte in yuan.iter().chain(&fen) {
        let digit = byte.wrapping_sub(b'0');
        all_digits &= digit < 10;
        sum = sum.wrapping_mul(10).wrapping_add(i64::from(digit));
    }
    if !all_digits {
        return None;
    }
    Fen::new(sum).ok()
}

/// Reads moments on a Beijing clock. Most rows are of the same day as the row before, so that day is kept.
#[derive(Clone, Debug, Default)]
pub(super) struct BeijingClock {
    day: Option<Day>,
}

/// A day in Beijing, which begins at 16:00 UTC the day before.
#[derive(Clone, Copy, Debug)]
struct Day {
    text: [u8; 10],
    date: NaiveDate,
    before: NaiveDate,
}

impl BeijingClock {
    /// A moment `yyyy-MM-dd HH:mm:ss`.
    #[inline]
    pub(super) fn read(&mut self, text: &[u8]) -> Option<Timestamp> {
        let (day, time) = text.split_first_chunk()?;
        let [b' ', h1, h2, b':', m1, m2, b':', s1, s2] = *time else { return None };
        let day = match self.day {
            Some(known) if known.text == *day => known,
            _ => *self.day.insert(Day::read(*day)?),
        };
        let (date, hour) = match two(h1, h2)? {
            hour @ 0..8 => (day.before, hour + 16),
            hour => (day.date, if hour < 24 { hour - 8 } else { return None }),
        };
        let moment = date.and_hms_opt(hour, two(m1, m2)?, two(s1, s2)?)?;
        Some(DateTime::from_naive_utc_and_offset(moment, BEIJING))
    }
}

impl Day {
    fn read(text: [u8; 10]) -> Option<Self> {
        let date = date(text)?;
        Some(Self { text, date, before: date.pred_opt()? })
    }
}

/// A day `yyyy-MM-dd`.
fn date(text: [u8; 10]) -> Option<NaiveDate> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else { return None };
    let year = i32::try_from(two(y1, y2)? * 100 + two(y3, y4)?).ok()?;
    NaiveDate::from_ymd_opt(year, two(m1, m2)?, two(d1, d2)?)
}

#[inline]
fn two(tens: u8, ones: u8) -> Option<u32> {
    Some(u32::from(digit(tens)? * 10 + digit(ones)?))
}

#[inline]
fn digit(byte: u8) -> Option<u8> {
    let digit = byte.wrapping_sub(b'0');
    (digit < 10).then_some(digit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDateTime;
    use favor_core::time::from_wire;
    use proptest::prelude::*;
    use rust_decimal::Decimal;

    #[test]
    fn an_amount_has_exactly_two_decimals() {
        assert_eq!(amount(b"1.00"), Fen::new(100).ok());
        assert_eq!(amount(b"0.01"), Fen::new(1).ok());
        assert_eq!(amount(b"9999999999999999.99"), Fen::new(999_999_999_999_999_999).ok());
        assert_eq!(amount(&[&[0xFF; 16][..], b".00"].concat()), None);
        for bad in [
            "",
            "1",
            "1.",
            "1.0",
            "1.000",
            ".00",
            "-1.00",
            "+1.00",
            " 1.00",
            "1.00 ",
            "1,000.00",
            "1_0.00",
            "1e2.00",
            "1.0x",
            "１.00",
            "`1.00",
            "99999999999999999999.00",
            "1..00",
            "NaN",
        ] {
            assert_eq!(amount(bad.as_bytes()), None, "{bad:?}");
        }
    }

    fn time(text: &[u8]) -> Option<Timestamp> {
        BeijingClock::default().read(text)
    }

    #[test]
    fn a_time_is_beijing_time() {
        assert_eq!(time(b"2026-11-27 16:23:05"), from_wire("2026-11-27T16:23:05+08:00").ok());
        assert_eq!(time(b"2024-02-29 00:00:00"), from_wire("2024-02-29T00:00:00+08:00").ok());
        for bad in [
            "",
            "2026-11-27",
            "2026-11-27T16:23:05",
            "2026-11-27 16:23:05 ",
            "2026-11-27 16:23:05+08:00",
            "2026-02-29 00:00:00",
            "2026-13-01 00:00:00",
            "2026-11-27 24:00:00",
            "2026-11-27 00:00:60",
            "2026-11-2x 00:00:00",
            "2026/11/27 00:00:00",
        ] {
            assert_eq!(time(bad.as_bytes()), None, "{bad:?}");
        }
    }

    #[test]
    fn a_day_is_not_kept_for_another() {
        let mut clock = BeijingClock::default();
        for text in
            ["2026-11-27 00:00:00", "2026-11-27 07:59:59", "2026-02-31 08:00:00", "2026-11-28 23:59:59"]
        {
            assert_eq!(clock.read(text.as_bytes()), time(text.as_bytes()), "{text}");
        }
        assert_eq!(BeijingClock::default().read(b"\0\0\0\0\0\0\0\0\0\0 00:00:00"), None);
    }

    proptest! {
        #[test]
        fn amounts_are_those_of_a_decimal_library(text in "[0-9]{1,16}\\.[0-9]{2}") {
            let decimal: Decimal = text.parse().unwrap();
            prop_assert_eq!(amount(text.as_bytes()), Fen::from_yuan(decimal).ok());
        }

        #[test]
        fn times_are_those_of_a_general_parser(text in "[0-9]{4}-[01][0-9]-[0-3][0-9] [0-2][0-9]:[0-6][0-9]:[0-5][0-9]") {
            let general = NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S").ok();
            prop_assert_eq!(time(text.as_bytes()).map(|time| time.naive_local()), general);
        }

        #[test]
        fn anything_else_is_neither(bytes in prop::collection::vec(any::<u8>(), 0..24)) {
            if let Some(fen) = amount(&bytes) {
                let written = format!("{}.{:02}", fen.get() / 100, fen.get() % 100);
                prop_assert!(bytes.ends_with(written.as_bytes()));
            }
            if let Some(time) = time(&bytes) {
                prop_assert_eq!(time.format("%Y-%m-%d %H:%M:%S").to_string().into_bytes(), bytes);
            }
        }
    }
}
