//! When a notification that was not acknowledged is delivered again.

use std::time::Duration;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const MINUTE: Duration = seconds(60);

/// The platform's general schedule: how long after each failed delivery the next one follows. 15 repeats within 24
/// hours and 4 minutes, on the test clock.
pub const GENERAL_RETRIES: [Duration; 15] = [
    seconds(15),
    seconds(15),
    seconds(30),
    seconds(3 * 60),
    seconds(10 * 60),
    seconds(20 * 60),
    seconds(30 * 60),
    seconds(30 * 60),
    seconds(30 * 60),
    seconds(60 * 60),
    seconds(3 * 60 * 60),
    seconds(3 * 60 * 60),
    seconds(3 * 60 * 60),
    seconds(6 * 60 * 60),
    seconds(6 * 60 * 60),
];

/// What one page of the documentation says of coupons instead: once a minute, nine times.
pub const MINUTE_RETRIES: [Duration; 9] = [MINUTE; 9];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_a_day_and_four_minutes() {
        assert_eq!(GENERAL_RETRIES.iter().sum::<Duration>(), seconds(24 * 60 * 60 + 4 * 60));
    }
}
