//! How long a certificate lasts, and when to say so.

use chrono::{DateTime, Utc};
use favor_core::time;

/// The merchant's own certificate: said this many days before its end, ever more urgently.
pub(crate) const OWN_DAYS: [i64; 3] = [60, 30, 7];

/// Whole days from `now` to `end`; negative once it has passed.
pub(crate) fn days_left(end: DateTime<Utc>, now: DateTime<Utc>) -> i64 {
    (end - now).num_seconds().div_euclid(86_400)
}

/// `3 days`, `1 day`.
pub(crate) fn days(count: i64) -> String {
    if count == 1 { "1 day".to_owned() } else { format!("{count} days") }
}

/// A moment as the merchant console shows it: a Beijing date and time.
pub(crate) fn beijing(moment: DateTime<Utc>) -> String {
    time::beijing(&moment).format("%Y-%m-%d %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_that_has_begun_does_not_count() {
        let end = DateTime::from_timestamp(1_750_000_000, 0).unwrap();
        let before = |seconds| end - chrono::TimeDelta::seconds(seconds);
        assert_eq!(days_left(end, before(86_400)), 1);
        assert_eq!(days_left(end, before(86_399)), 0);
        assert_eq!(days_left(end, before(0)), 0);
        assert_eq!(days_left(end, before(-1)), -1);
    }
}
