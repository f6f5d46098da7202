//! Counters for a monitoring system. On the way of a request they cost an addition each.

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crate::lock;

/// What happened to coupons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Happening {
    Sent,
    Redeemed,
    Refunded,
}

/// Counts of one mirror, from its start on. Those of requests are kept by the request log.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    sent: AtomicU64,
    redeemed: AtomicU64,
    refunded: AtomicU64,
    callbacks: Mutex<Vec<(&'static str, u64)>>,
    connections: AtomicI64,
}

impl Metrics {
    pub(crate) fn count(&self, what: Happening, times: u64) {
        self.of(what).fetch_add(times, Ordering::Relaxed);
    }

    pub(crate) fn happened(&self, what: Happening) -> u64 {
        self.of(what).load(Ordering::Relaxed)
    }

    fn of(&self, what: Happening) -> &AtomicU64 {
        match what {
            Happening::Sent => &self.sent,
            Happening::Redeemed => &self.redeemed,
            Happening::Refunded => &self.refunded,
        }
    }

    /// Counts one attempt to deliver a notification, by how it ended: `delivered`, `refused`, `failed`.
    pub(crate) fn count_callback(&self, result: &'static str) {
        let mut counts = lock::mutex(&self.callbacks);
        match counts.iter_mut().find(|(known, _)| *known == result) {
            Some((_, count)) => *count += 1,
            None => counts.push((result, 1)),
        }
    }

    pub(crate) fn callbacks(&self) -> Vec<(&'static str, u64)> {
        lock::mutex(&self.callbacks).clone()
    }

    /// Counts a connection as open until what this returns is dropped.
    pub(crate) fn connection(&self) -> OpenConnection<'_> {
        self.connections.fetch_add(1, Ordering::Relaxed);
        OpenConnection(&self.connections)
    }

    pub(crate) fn connections(&self) -> i64 {
        self.connections.load(Ordering::Relaxed)
    }
}

/// An open connection.
#[derive(Debug)]
pub(crate) struct OpenConnection<'a>(&'a AtomicI64);

impl Drop for OpenConnection<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What the writer did.
#[derive(Debug, Default)]
pub(crate) struct WriterCounts {
    batches: AtomicU64,
    jobs: AtomicU64,
    largest: AtomicU64,
}

impl WriterCounts {
    pub(crate) fn count(&self, jobs: usize) {
        let jobs = u64::try_from(jobs).unwrap_or(u64::MAX);
        if jobs > 0 {
            self.batches.fetch_add(1, Ordering::Relaxed);
            self.jobs.fetch_add(jobs, Ordering::Relaxed);
            self.largest.fetch_max(jobs, Ordering::Relaxed);
        }
    }

    /// Transactions, jobs in them, and the most jobs in one.
    pub(crate) fn read(&self) -> (u64, u64, u64) {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (of(&self.batches), of(&self.jobs), of(&self.largest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_add_up() {
        let metrics = Metrics::default();
        metrics.count(Happening::Sent, 2);
        metrics.count(Happening::Refunded, 1);
        assert_eq!(metrics.happened(Happening::Sent), 2);
        assert_eq!(metrics.happened(Happening::Redeemed), 0);
        for result in ["delivered", "failed", "delivered"] {
            metrics.count_callback(result);
        }
        assert_eq!(metrics.callbacks(), [("delivered", 2), ("failed", 1)]);
        let open = metrics.connection();
        assert_eq!(metrics.connections(), 1);
        drop(open);
        assert_eq!(metrics.connections(), 0);
        let writer = WriterCounts::default();
        [3, 0, 5].into_iter().for_each(|jobs| writer.count(jobs));
        assert_eq!(writer.read(), (2, 8, 5));
    }
}
