//! Durations in settings: `"90s"`, `"15m"`, `"1h"`, `"2d"`.

use std::time::Duration;

use serde::Deserialize as _;

/// Reads a duration in whole seconds.
pub(super) fn seconds<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).ok_or_else(|| {
        serde::de::Error::custom("a duration must look like \"90s\", \"15m\", \"1h\" or \"2d\"")
    })
}

fn parse(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    // A year is longer than anything here, and sums of such stay far from any limit.
    number.checked_mul(seconds).filter(|seconds| *seconds <= 366 * 86_400).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_whole_numbers_with_a_unit() {
        for (text, seconds) in [("90s", 90), ("15m", 900), ("1h", 3600), ("2d", 172_800), ("0s", 0)] {
            assert_eq!(parse(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for wrong in ["", "h", "1", "-1s", "1.5h", "1 h", "99999999999999999999s", "400d", "1分"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
