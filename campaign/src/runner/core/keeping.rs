//! Chunks and the ledger: claiming, recording, giving back, and what to do while it cannot be written.

use std::time::Duration;

use super::{Action, Core, Course};
use crate::ledger::{Claim, Claimed, Finish, LedgerError, Recorded, Settlement};
use crate::runner::chunk::{Chunk, Due};
use crate::runner::job::Job;

/// Chunks open at once: those with a few slow people must not hold up the rest.
const MOST_CHUNKS: usize = 256;
/// People that are put off, beyond which no more are claimed.
const MOST_WAITING: usize = 5000;
/// How long until the ledger is asked again whether there is something to claim.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// When a chunk may be claimed again whose people still have requests under way.
const REST: Duration = Duration::from_secs(1);
const FIRST_RETRY: Duration = Duration::from_millis(100);
const LONGEST_RETRY: Duration = Duration::from_secs(5);

impl Core {
    /// The next call that changes the ledger. After a failure there is one at a time, after a pause.
    pub(super) fn write(&mut self, now: Duration) -> Option<Action> {
        if self.failures > 0 && (self.writing > 0 || now < self.retry_at) {
            return None;
        }
        self.place_order()
            .or_else(|| self.keep_chunk(now))
            .or_else(|| self.keep_rate(now))
            .or_else(|| self.claim(now))
            .or_else(|| self.reserve(now))
    }

    /// When [`write`](Self::write) has something to do without another event.
    pub(super) fn write_due(&self, now: Duration) -> Option<Duration> {
        let of = |chunk: &Chunk| match chunk.due(now, self.settings.lease) {
            Due::At(at) => Some(at),
            Due::Record | Due::Finish => Some(now),
            Due::Nothing => None,
        };
        let chunk = self.chunks.values().filter_map(of).min();
        let claim = self.wants_chunks(now).then_some(self.claim_at);
        let due = [chunk, claim].into_iter().flatten().min();
        if self.failures == 0 {
            return due;
        }
        let more = self.order.is_some() || self.slow_down || self.rate_set.is_none() || self.could_send(now);
        let due = if more { Some(now) } else { due };
        due.filter(|_| self.writing == 0).map(|due| due.max(self.retry_at))
    }

    /// What came of a call that changes the ledger, whatever else it brought.
    pub(super) fn written(&mut self, result: Result<(), LedgerError>, now: Duration) {
        self.writing = self.writing.saturating_sub(1);
        match result {
            Ok(()) => {
                if self.failures > 0 {
                    tracing::info!("the ledger can be written again");
                }
                self.failures = 0;
            }
            Err(error) if error.is_temporary() => {
                if self.failures == 0 {
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::warn!(%error, cause, "nothing is sent until it is back");
                }
                if self.failures == 0 || self.retry_at <= now {
                    self.failures = self.failures.saturating_add(1);
                    self.retry_at = now + self.chance.back_off(self.failures, FIRST_RETRY, LONGEST_RETRY);
                }
                self.last_error = Some(error);
            }
            Err(error) => self.fail(error),
        }
    }

    /// Whether outcomes can be recorded and the state is known, so that sends make sense.
    pub(super) fn ledger_serves(&self, now: Duration) -> bool {
        self.failures == 0 && self.ledger_keeps_up(now)
    }

    /// The same as far as it is known without another attempt to write.
    pub(super) fn ledger_keeps_up(&self, now: Duration) -> bool {
        let most = usize::try_from(self.settings.in_flight).unwrap_or(usize::MAX).saturating_mul(4).max(4000);
        self.unrecorded < most && self.state_is_fresh(now)
    }

    fn keep_chunk(&mut self, now: Duration) -> Option<Action> {
        let lease = self.settings.lease;
        let (key, due) = self.chunks.iter().find_map(|(key, chunk)| {
            let due = chunk.due(now, lease);
            matches!(due, Due::Record | Due::Finish).then_some((*key, due))
        })?;
        let chunk = self.chunks.get_mut(&key)?;
        self.writing += 1;
        self.calls.insert(key, now);
        let batch = chunk.take_batch();
        if due == Due::Record {
            return Some(Action::Record(key, chunk.lease.clone(), batch));
        }
        let how = match chunk.open {
            0 => Finish::Done,
            _ => Finish::GiveBack { after: chunk.give_back_after },
        };
        Some(Action::Finish(key, chunk.lease.clone(), how))
    }

    pub(super) fn recorded(
        &mut self,
        key: u64,
        batch: Vec<Settlement>,
        recorded: Result<Recorded, LedgerError>,
        now: Duration,
    ) {
        let asked = self.calls.remove(&key).unwrap_or(now);
        let Some(chunk) = self.chunks.get_mut(&key) else {
            self.unrecorded -= batch.len();
            return self.written(recorded.map(drop), now);
        };
        chunk.busy = false;
        match recorded {
            Ok(Recorded::Done) => {
                chunk.renewed_at = asked;
                let count = batch.len();
                self.unrecorded -= count;
                chunk.recorded += u64::try_from(count).unwrap_or(u64::MAX);
                self.written(Ok(()), now);
            }
            Ok(Recorded::Lost) => {
                chunk.put_back(batch);
                self.written(Ok(()), now);
                self.lose(key);
            }
            Err(error) => {
                let temporary = error.is_temporary();
                chunk.put_back(batch);
                self.written(Err(error), now);
                if !temporary {
                    self.lose(key);
                }
            }
        }
    }

    pub(super) fn finished(
        &mut self,
        key: u64,
        how: Finish,
        finished: Result<Recorded, LedgerError>,
        now: Duration,
    ) {
        self.calls.remove(&key);
        if let Some(chunk) = self.chunks.get_mut(&key) {
            chunk.busy = false;
        }
        match finished {
            Ok(Recorded::Done) => {
                self.written(Ok(()), now);
                let chunk = self.chunks.remove(&key);
                if let (Some(report), Some(chunk)) = (&mut self.only, chunk) {
                    (report.settled, report.left_open) = (chunk.recorded, chunk.open);
                }
                if how == Finish::Done {
                    // It may have been the last.
                    self.claim_at = self.claim_at.min(now);
                }
            }
            Ok(Recorded::Lost) => {
                self.written(Ok(()), now);
                self.lose(key);
            }
            Err(error) => {
                let temporary = error.is_temporary();
                self.written(Err(error), now);
                if !temporary {
                    self.lose(key);
                }
            }
        }
    }

    /// Somebody else has the chunk: what is not recorded is the other's to find out again.
    fn lose(&mut self, key: u64) {
        self.drop_jobs(|chunk| chunk == key);
        let Some(chunk) = self.chunks.get_mut(&key) else {
            return;
        };
        tracing::info!(chunk = chunk.lease.chunk, "another worker has taken over a chunk");
        self.unrecorded -= chunk.batch.len();
        if let Some(pilot) = &mut self.pilot {
            let lost = u64::try_from(chunk.batch.len()).unwrap_or_default();
            pilot.settled = pilot.settled.saturating_sub(lost);
        }
        chunk.batch.clear();
        chunk.lost = true;
        if let Some(report) = &mut self.only {
            (report.settled, report.left_open, report.lost) = (chunk.recorded, chunk.open, true);
        }
        if chunk.in_flight == 0 {
            self.chunks.remove(&key);
        }
    }

    /// Gives up all that is not in flight.
    pub(super) fn leave_chunks(&mut self) {
        self.slots.clear();
        if self.chunks.values().all(|chunk| chunk.leaving) {
            return;
        }
        self.drop_jobs(|_| true);
        self.chunks.values_mut().for_each(|chunk| chunk.leaving = true);
    }

    /// Drops the jobs of some chunks that are not in flight.
    fn drop_jobs(&mut self, of: impl Fn(u64) -> bool) {
        let ready = std::mem::take(&mut self.ready);
        let waiting = std::mem::take(&mut self.waiting);
        let (mut dropped, mut begun) = (Vec::new(), 0);
        let mut keep = |job: &Job| {
            if !of(job.chunk) {
                return true;
            }
            dropped.push(job.chunk);
            begun += u64::from(job.has_begun());
            false
        };
        self.ready = ready.into_iter().filter(|job| keep(job)).collect();
        self.waiting = waiting.into_iter().filter(|waiting| keep(&waiting.job)).collect();
        for key in dropped {
            if let Some(chunk) = self.chunks.get_mut(&key) {
                chunk.jobs -= 1;
            }
        }
        self.forget_begun(begun);
    }

    fn wants_chunks(&self, now: Duration) -> bool {
        let in_flight = self.settings.in_flight;
        let enough = usize::try_from(in_flight.max(self.manifest.pace.per_second / 2)).unwrap_or(usize::MAX);
        self.only.is_none()
            && self.claim_asked.is_none()
            && self.order.is_none()
            && !self.reach.is_open()
            && self.ready.len() < enough
            && self.waiting.len() < MOST_WAITING
            && self.chunks.len() < MOST_CHUNKS
            && self.ledger_keeps_up(now)
            && self.working(now).is_ok()
    }

    fn claim(&mut self, now: Duration) -> Option<Action> {
        if self.claim_at > now || !self.wants_chunks(now) {
            return None;
        }
        self.claim_asked = Some(now);
        self.writing += 1;
        Some(Action::Claim)
    }

    pub(super) fn claimed(&mut self, claimed: Result<Claimed, LedgerError>, now: Duration) {
        let asked = self.claim_asked.take().unwrap_or(now);
        match claimed {
            Ok(Claimed::Chunk(claim)) => self.take_in(claim, asked),
            Ok(Claimed::Later { next }) => {
                let next = next.unwrap_or(ASK_AGAIN);
                self.claim_at = now + next.clamp(Duration::from_millis(20), ASK_AGAIN);
            }
            Ok(Claimed::AllDone) => {
                self.all_done = true;
                self.claim_at = now + ASK_AGAIN;
            }
            Err(error) => return self.written(Err(error), now),
        }
        self.written(Ok(()), now);
    }

    pub(super) fn take_in(&mut self, claim: Claim, asked: Duration) {
        // The chunk may have been this runner's own, until its lease lapsed.
        let former = self.chunks.iter().find(|(_, chunk)| chunk.lease.chunk == claim.lease.chunk);
        let former = former.map(|(key, _)| *key);
        former.into_iter().for_each(|key| self.lose(key));
        let key = self.next_key;
        self.next_key += 1;
        let mut chunk = Chunk::new(claim.lease, asked);
        let mut working = matches!(self.course, Course::Working);
        if former.is_some_and(|former| self.chunks.contains_key(&former)) {
            // Requests to its people are still under way, and no person may have two.
            working = false;
            chunk.give_back_after = REST;
        }
        for job in claim.tasks.into_iter().filter_map(|task| Job::new(key, task)) {
            chunk.open += job.open();
            if working {
                chunk.jobs += 1;
                self.ready.push_back(job);
            }
        }
        chunk.leaving = !working;
        self.chunks.insert(key, chunk);
    }
}
