//! Waking those who wait for notifications.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;

/// Counts what may have become due, and how much of it the claims have seen.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    count: watch::Sender<u64>,
    seen: AtomicU64,
}

impl Arrivals {
    /// Something may have become due.
    pub(crate) fn announce(&self) {
        // Waking is not for free. Whoever subscribes from now on sees the new count.
        self.count.send_if_modified(|count| {
            *count += 1;
            self.count.receiver_count() > 0
        });
    }

    /// To be asked before a claim, and handed to [`exhausted`](Self::exhausted) after it.
    pub(crate) fn count(&self) -> u64 {
        *self.count.borrow()
    }

    /// A claim that began at this count took everything that was due.
    pub(crate) fn exhausted(&self, count: u64) {
        self.seen.fetch_max(count, Ordering::AcqRel);
    }

    /// Completes when something was announced that no exhausting claim can have seen.
    pub(crate) async fn next(&self) {
        let mut count = self.count.subscribe();
        // The sender lives as long as `self`.
        count.wait_for(|count| *count > self.seen.load(Ordering::Acquire)).await.ok();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn what_no_claim_has_seen_wakes() {
        let arrivals = Arrivals::default();
        assert_eq!(arrivals.next().now_or_never(), None);
        arrivals.announce();
        assert_eq!(arrivals.next().now_or_never(), Some(()));
        let before = arrivals.count();
        arrivals.announce();
        arrivals.exhausted(before);
        assert_eq!(arrivals.next().now_or_never(), Some(()), "it came after the claim began");
        arrivals.exhausted(arrivals.count());
        assert_eq!(arrivals.next().now_or_never(), None);
    }
}
