//! Who is sent to, and what follows from an answer.

use std::time::Duration;

use super::{Action, Core, Waiting};
use crate::answer::Answer;
use crate::ledger::{Fate, LedgerError, Reservation};
use crate::pace::next_day;
use crate::runner::job::{Job, Next};
use crate::runner::reason;

/// Slots are reserved so far ahead.
const AHEAD: Duration = Duration::from_millis(60);

impl Core {
    pub(super) fn send(&mut self, now: Duration) -> Option<Action> {
        if !self.may_send(now) {
            return None;
        }
        let key = self.ready.front()?.chunk;
        let holds = |chunk: &super::Chunk| now < chunk.holds_until(self.settings.lease);
        if !self.chunks.get(&key).is_some_and(holds) || !self.slots.take(now) {
            return None;
        }
        let wall = self.wall(now);
        let mut job = self.ready.pop_front()?;
        let chunk = self.chunks.get_mut(&key)?;
        chunk.in_flight += 1;
        if let Some(pilot) = self.pilot.as_mut().filter(|_| !job.has_begun()) {
            pilot.begun += 1;
        }
        job.begin(wall, self.reach.sending());
        self.in_flight += 1;
        self.sends.count(now);
        Some(Action::Send(job))
    }

    fn may_send(&self, now: Duration) -> bool {
        self.failures == 0 && self.could_send(now)
    }

    /// Whether it may send once the ledger can be written, if it cannot now.
    pub(super) fn could_send(&self, now: Duration) -> bool {
        let in_pilot = || match (&self.pilot, self.ready.front()) {
            (Some(pilot), Some(job)) => job.has_begun() || pilot.settled + pilot.begun < pilot.target,
            _ => true,
        };
        self.in_flight < self.settings.in_flight
            && !self.ready.is_empty()
            && self.reach.lets_through(now)
            && in_pilot()
            && self.ledger_keeps_up(now)
            && self.working(now).is_ok()
    }

    /// When [`send`](Self::send) has something to do without another event.
    pub(super) fn send_due(&self, now: Duration) -> Option<Duration> {
        if !self.reach.lets_through(now) {
            return self.reach.probe_at().filter(|_| !self.ready.is_empty());
        }
        if !self.may_send(now) {
            return None;
        }
        let reserve = self.slots.end().map(|end| end.saturating_sub(AHEAD));
        let reserve = reserve.filter(|_| self.reserve_asked.is_none());
        [self.slots.next(), reserve].into_iter().flatten().min()
    }

    pub(super) fn reserve(&mut self, now: Duration) -> Option<Action> {
        if self.reserve_asked.is_some() || self.rate_set.is_none() || !self.could_send(now) {
            return None;
        }
        self.slots.forget_passed(now);
        if self.slots.end().is_some_and(|end| end > now + AHEAD) {
            return None;
        }
        let wanted = self.wanted(now).saturating_sub(self.slots.left());
        if wanted == 0 {
            return None;
        }
        self.reserve_asked = Some(now);
        self.writing += 1;
        Some(Action::Reserve(wanted))
    }

    /// How many slots can be used soon: what is reserved and not used is lost to all.
    fn wanted(&mut self, now: Duration) -> u32 {
        if self.reach.is_open() {
            return 1;
        }
        let in_block = |a_second: u32| {
            let calls = u128::from(a_second) * self.slots.block().as_millis();
            u32::try_from(calls.div_ceil(1000)).unwrap_or(u32::MAX)
        };
        let block = in_block(self.manifest.pace.per_second);
        let room = (self.settings.in_flight - self.in_flight).saturating_add(in_block(self.ends.total(now)));
        let mut people = u64::try_from(self.ready.len()).unwrap_or(u64::MAX);
        if let Some(pilot) = &self.pilot {
            people = people.min(pilot.target.saturating_sub(pilot.settled + pilot.begun).max(1));
        }
        block.min(room).min(u32::try_from(people).unwrap_or(u32::MAX))
    }

    pub(super) fn reserved(&mut self, reserved: Result<Reservation, LedgerError>, now: Duration) {
        let asked = self.reserve_asked.take().unwrap_or(now);
        if let Ok(reservation) = &reserved {
            self.slots.add(asked, now, reservation);
        }
        self.written(reserved.map(drop), now);
    }

    pub(super) fn answered(&mut self, mut job: Job, answer: Answer, now: Duration) {
        self.in_flight -= 1;
        self.ends.count(now);
        let closed = !self.reach.is_open();
        self.reach.ended(job.sign(&answer), job.probe, now, &mut self.chance);
        self.give_up_on_internal_errors(&answer);
        let wall = self.wall(now);
        let Some(chunk) = self.chunks.get_mut(&job.chunk) else {
            return;
        };
        chunk.in_flight -= 1;
        if chunk.lost {
            self.drop_job(&job);
            if self.chunks.get(&job.chunk).is_some_and(|chunk| chunk.in_flight == 0) {
                self.chunks.remove(&job.chunk);
            }
            return;
        }
        let manifest = self.manifest.clone();
        match job.after(answer, &manifest.policy, closed, wall, &mut self.chance) {
            Next::Settle(settlement) => {
                let refused = settlement.fate == Fate::Refused;
                let unknown = settlement.fate == Fate::Unknown;
                chunk.settle(settlement, now);
                self.unrecorded += 1;
                if let Some(pilot) = &mut self.pilot {
                    pilot.settled += 1;
                }
                if !unknown && self.refusals.note(refused) {
                    let (count, of) = self.refusals.counts();
                    self.pause(reason::refused(count, of));
                }
                if job.turn_to_next() {
                    self.forget_begun(1);
                    self.put_off(job, now, Duration::ZERO);
                } else {
                    self.drop_job(&job);
                }
                self.end_pilot();
            }
            Next::Wait(pause) => self.put_off(job, now, pause),
            Next::SlowDown(pause) => {
                self.too_fast(now);
                self.put_off(job, now, pause);
            }
            Next::Pause(trouble, request_id) => {
                self.pause(reason::stop(&trouble, request_id.as_deref()));
                self.put_off(job, now, Duration::ZERO);
            }
            Next::Tomorrow(trouble, request_id) => {
                let until = manifest.policy.wait_for_next_day.then(|| next_day(wall));
                self.pause_until(reason::daily_budget(&trouble, request_id.as_deref(), until), until);
                self.put_off(job, now, Duration::ZERO);
            }
        }
    }

    /// Internal errors and nothing else for long are not the weather: somebody has to look.
    fn give_up_on_internal_errors(&mut self, answer: &Answer) {
        let probes = self.reach.answered_probes();
        if let Err(trouble) = &answer.result
            && probes >= self.manifest.policy.tries
        {
            self.pause(reason::no_sense(probes, trouble));
        }
    }

    /// Puts a person back, unless the chunk is being left.
    fn put_off(&mut self, job: Job, now: Duration, pause: Duration) {
        if self.chunks.get(&job.chunk).is_none_or(|chunk| chunk.leaving) {
            return self.drop_job(&job);
        }
        if pause.is_zero() {
            return self.ready.push_front(job);
        }
        self.waiting_number += 1;
        self.waiting.push(Waiting { due: now + pause, number: self.waiting_number, job });
    }

    /// A person is done with here: settled, given back or lost.
    fn drop_job(&mut self, job: &Job) {
        if let Some(chunk) = self.chunks.get_mut(&job.chunk) {
            chunk.jobs -= 1;
        }
        self.forget_begun(u64::from(job.has_begun()));
    }

    pub(super) fn forget_begun(&mut self, coupons: u64) {
        if let Some(pilot) = &mut self.pilot {
            pilot.begun = pilot.begun.saturating_sub(coupons);
        }
    }
}
