//! A chunk in work.

use std::time::Duration;

use crate::ledger::{Lease, Settlement};

/// So many outcomes are recorded at once, or more when the ledger is slower than the sends.
const BATCH: usize = 100;
/// No outcome waits longer for its batch.
const LINGER: Duration = Duration::from_millis(200);

/// A chunk in work.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) lease: Lease,
    /// Jobs that are not at their end: ready, waiting or in flight.
    pub(super) jobs: u32,
    pub(super) in_flight: u32,
    /// Coupons that are open.
    pub(super) open: u64,
    /// What became of coupons and is not recorded yet.
    pub(super) batch: Vec<Settlement>,
    batch_since: Duration,
    /// A call about it is under way.
    pub(super) busy: bool,
    /// The lease was last renewed by a call that began then.
    pub(super) renewed_at: Duration,
    /// Nothing more is sent; what is left goes back.
    pub(super) leaving: bool,
    /// Somebody else has it.
    pub(super) lost: bool,
    pub(super) recorded: u64,
    /// When others may go on with it, if it is given back.
    pub(super) give_back_after: Duration,
}

/// What is to be done about a chunk in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Record the batch, which may be empty, and renew the lease.
    Record,
    /// End it.
    Finish,
    /// Nothing before then.
    At(Duration),
    /// Nothing before something else happens.
    Nothing,
}

impl Chunk {
    pub(super) fn new(lease: Lease, claimed_at: Duration) -> Self {
        Self {
            lease,
            jobs: 0,
            in_flight: 0,
            open: 0,
            batch: Vec::new(),
            batch_since: Duration::ZERO,
            busy: false,
            renewed_at: claimed_at,
            leaving: false,
            lost: false,
            recorded: 0,
            give_back_after: Duration::ZERO,
        }
    }

    pub(super) fn settle(&mut self, settlement: Settlement, now: Duration) {
        if self.batch.is_empty() {
            self.batch_since = now;
        }
        self.open = self.open.saturating_sub(1);
        self.batch.push(settlement);
    }

    /// Takes the batch for a call; [`put_back`](Self::put_back) when the call failed.
    pub(super) fn take_batch(&mut self) -> Vec<Settlement> {
        self.busy = true;
        std::mem::take(&mut self.batch)
    }

    pub(super) fn put_back(&mut self, mut batch: Vec<Settlement>) {
        batch.append(&mut self.batch);
        self.batch = batch;
        self.batch_since = Duration::ZERO;
    }

    /// What is due, when its lease lasts for `lease`.
    pub(super) fn due(&self, now: Duration, lease: Duration) -> Due {
        if self.busy || self.lost {
            return Due::Nothing;
        }
        let at_end = self.jobs == 0;
        if at_end && self.batch.is_empty() {
            return Due::Finish;
        }
        let renew_at = self.renewed_at + lease / 3;
        let mut at = renew_at;
        if !self.batch.is_empty() {
            let full = at_end || self.batch.len() >= BATCH;
            at = at.min(if full { now } else { self.batch_since + LINGER });
        }
        if at <= now { Due::Record } else { Due::At(at) }
    }

    /// Until when the lease surely holds, with a margin for what is sent last.
    pub(super) fn holds_until(&self, lease: Duration) -> Duration {
        self.renewed_at + lease / 4 * 3
    }
}
