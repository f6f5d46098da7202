//! What a caller did wrong with the time, for the request log.

use crate::moment::Moment;

/// Why a timestamp is outside the window.
pub(crate) fn explain(timestamp: i64, now: Moment) -> String {
    if (timestamp / 1_000).abs_diff(now.seconds()) < 300 {
        return "the timestamp is in milliseconds, it must be in seconds".to_owned();
    }
    let side = if timestamp < now.seconds() { "behind" } else { "ahead of" };
    let apart = timestamp.abs_diff(now.seconds());
    format!("the client's clock is {apart} seconds {side} the server's ({})", now.rfc3339())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_are_recognised() {
        let now = Moment::from_millis_const(1_790_000_000_000);
        assert!(explain(1_790_000_000_123, now).contains("milliseconds"));
        assert!(explain(1_789_999_000, now).contains("1000 seconds behind"));
        assert!(explain(1_790_001_000, now).contains("1000 seconds ahead of"));
    }
}
