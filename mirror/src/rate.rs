//! The documented rate limits: calls of an endpoint by merchant, by address and in total, counted in fixed windows
//! of the wire clock. A minute's window is a minute of the clock, a second's a second.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

use crate::lock;
use crate::moment::Moment;
use crate::operation::Operation;

/// Whose calls a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CountedBy {
    /// Those of one merchant.
    Merchant,
    /// Those from one address.
    Address,
    /// Those of all merchants together.
    Total,
}

/// So many calls in so many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Limit {
    pub(crate) by: CountedBy,
    pub(crate) calls: u32,
    pub(crate) seconds: i64,
}

impl Limit {
    /// The limit in words.
    pub(crate) fn words(&self) -> String {
        let whose = match self.by {
            CountedBy::Merchant => "by one merchant",
            CountedBy::Address => "from one address",
            CountedBy::Total => "by all merchants together",
        };
        format!("{} calls in {} seconds {whose}", self.calls, self.seconds)
    }
}

/// Who calls.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller<'a> {
    pub(crate) mchid: &'a str,
    pub(crate) address: Option<IpAddr>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Who {
    Merchant(String),
    Address(IpAddr),
    All,
}

impl Who {
    fn of(by: CountedBy, caller: Caller<'_>) -> Option<Self> {
        match by {
            CountedBy::Merchant => Some(Self::Merchant(caller.mchid.to_owned())),
            CountedBy::Address => caller.address.map(Self::Address),
            CountedBy::Total => Some(Self::All),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Window {
    number: i64,
    calls: u32,
}

/// Counts calls when switched on.
#[derive(Debug)]
pub(crate) struct RateLimits {
    enforced: AtomicBool,
    windows: Mutex<HashMap<(&'static str, Who), Window>>,
}

impl RateLimits {
    pub(crate) fn new(enforced: bool) -> Self {
        Self { enforced: AtomicBool::new(enforced), windows: Mutex::default() }
    }

    pub(crate) fn are_enforced(&self) -> bool {
        self.enforced.load(Ordering::Relaxed)
    }

    /// Switches counting on, from nothing, or off.
    pub(crate) fn enforce(&self, enforced: bool) {
        self.clear();
        self.enforced.store(enforced, Ordering::Relaxed);
    }

    /// Counts a call, or names the limit that it would exceed; then it counts for none.
    pub(crate) fn admit(
        &self,
        operation: &'static Operation,
        caller: Caller<'_>,
        now: Moment,
    ) -> Result<(), &'static Limit> {
        if !self.are_enforced() {
            return Ok(());
        }
        let mut windows = lock::mutex(&self.windows);
        let mut counted = Vec::with_capacity(operation.limits.len());
        for limit in operation.limits {
            let Some(who) = Who::of(limit.by, caller) else { continue };
            let key = (operation.name, who);
            let number = now.seconds().div_euclid(limit.seconds);
            let calls = windows.get(&key).filter(|window| window.number == number).map_or(0, |w| w.calls);
            if calls >= limit.calls {
                return Err(limit);
            }
            counted.push((key, Window { number, calls: calls + 1 }));
        }
        windows.extend(counted);
        Ok(())
    }

    pub(crate) fn clear(&self) {
        lock::mutex(&self.windows).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{CALLBACK_SET, STOCK_CREATE, STOCK_START, STOCK_STOP};

    const NOW: Moment = Moment::from_millis_const(1_790_000_040_000);

    fn caller(mchid: &str) -> Caller<'_> {
        Caller { mchid, address: Some(IpAddr::from([127, 0, 0, 1])) }
    }

    #[test]
    fn each_merchant_has_its_own_calls_of_each_endpoint() {
        let limits = RateLimits::new(true);
        let allows = |operation, mchid, now| limits.admit(operation, caller(mchid), now).is_ok();
        assert_eq!((0..100).filter(|_| allows(&STOCK_CREATE, "1", NOW)).count(), 60);
        assert!(allows(&STOCK_CREATE, "2", NOW));
        assert!(allows(&STOCK_START, "1", NOW));
        assert!(allows(&STOCK_CREATE, "1", NOW.plus_millis(60_000)));
    }

    #[test]
    fn an_address_and_all_together_have_limits_of_their_own() {
        let limits = RateLimits::new(true);
        let merchants: Vec<_> = (0..20).map(|n| n.to_string()).collect();
        let given: usize = merchants
            .iter()
            .map(|mchid| (0..100).filter(|_| limits.admit(&STOCK_CREATE, caller(mchid), NOW).is_ok()).count())
            .sum();
        assert_eq!(given, 1_000);
        let over = limits.admit(&STOCK_CREATE, caller("new"), NOW).unwrap_err();
        assert_eq!(over.words(), "1000 calls in 60 seconds by all merchants together");

        for mchid in ["1", "2", "3", "4", "5"] {
            assert!(limits.admit(&CALLBACK_SET, caller(mchid), NOW).is_ok());
        }
        assert_eq!(limits.admit(&CALLBACK_SET, caller("6"), NOW).unwrap_err().by, CountedBy::Address);
        let elsewhere = Caller { mchid: "6", address: Some(IpAddr::from([10, 0, 0, 1])) };
        assert!(limits.admit(&CALLBACK_SET, elsewhere, NOW).is_ok());
    }

    #[test]
    fn what_is_not_documented_is_not_limited() {
        let limits = RateLimits::new(true);
        assert!((0..5_000).all(|_| limits.admit(&STOCK_STOP, caller("1"), NOW).is_ok()));
    }

    #[test]
    fn nothing_is_counted_unless_asked() {
        let limits = RateLimits::new(false);
        let allowed = |limits: &RateLimits| {
            (0..100).filter(|_| limits.admit(&STOCK_CREATE, caller("1"), NOW).is_ok()).count()
        };
        assert_eq!(allowed(&limits), 100);
        limits.enforce(true);
        assert_eq!(allowed(&limits), 60);
        limits.enforce(false);
        assert_eq!(allowed(&limits), 100);
    }
}
