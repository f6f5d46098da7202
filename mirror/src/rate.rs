//! The documented rate limits, counted by merchant and endpoint in fixed windows.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::lock;
use crate::moment::Moment;
use crate::operation::Operation;

/// A merchant's calls of one endpoint.
type Caller = (String, &'static str);

#[derive(Debug, Clone, Copy)]
struct Window {
    number: i64,
    calls: u32,
}

/// Counts calls when switched on.
#[derive(Debug)]
pub(crate) struct RateLimits {
    enforced: bool,
    windows: Mutex<HashMap<Caller, Window>>,
}

impl RateLimits {
    pub(crate) fn new(enforced: bool) -> Self {
        Self { enforced, windows: Mutex::default() }
    }

    /// Counts a call; false when it is one too many.
    pub(crate) fn allows(&self, operation: &'static Operation, mchid: &str, now: Moment) -> bool {
        if !self.enforced {
            return true;
        }
        let (calls, seconds) = operation.rate;
        let number = now.seconds().div_euclid(seconds);
        let mut windows = lock::mutex(&self.windows);
        let window = windows.entry((mchid.to_owned(), operation.name)).or_insert(Window { number, calls: 0 });
        if window.number != number {
            *window = Window { number, calls: 0 };
        }
        if window.calls >= calls {
            return false;
        }
        window.calls += 1;
        true
    }

    pub(crate) fn clear(&self) {
        lock::mutex(&self.windows).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{STOCK_CREATE, STOCK_START};

    const NOW: Moment = Moment::from_millis_const(1_790_000_040_000);

    #[test]
    fn each_merchant_has_its_own_calls_of_each_endpoint() {
        let limits = RateLimits::new(true);
        let allowed = (0..100).filter(|_| limits.allows(&STOCK_CREATE, "1", NOW)).count();
        assert_eq!(allowed, 60);
        assert!(limits.allows(&STOCK_CREATE, "2", NOW));
        assert!(limits.allows(&STOCK_START, "1", NOW));
        assert!(limits.allows(&STOCK_CREATE, "1", NOW.plus_millis(60_000)));
    }

    #[test]
    fn nothing_is_counted_unless_asked() {
        let limits = RateLimits::new(false);
        assert!((0..100).all(|_| limits.allows(&STOCK_CREATE, "1", NOW)));
    }
}
