//! Sleeping until a moment rather than for a time.

use std::time::Duration;

use favor_core::Clock;

/// A clock that was moved by more than this between reading it and falling asleep is read again.
const TOLERANCE: Duration = Duration::from_millis(50);

/// Completes when the clock's elapsed time is `until`.
pub(super) async fn sleep_until(clock: &dyn Clock, until: Duration) {
    loop {
        let now = clock.elapsed();
        if now >= until {
            return;
        }
        let asleep = clock.sleep(until - now);
        if clock.elapsed() - now < TOLERANCE {
            return asleep.await;
        }
    }
}
