//! How the campaign stands, what is ordered, and at what rate.

use std::time::Duration;

use super::{Action, Core, Course};
use crate::ledger::{LedgerError, Order, OutcomeState, Standing, State};
use crate::runner::Ended;
use crate::runner::breaker::Reach;
use crate::runner::reason;

const POLL: Duration = Duration::from_millis(250);
/// What was read longer ago does not count: a pause would not be noticed.
const STALE: Duration = Duration::from_millis(900);
/// While the platform says "too fast", the ramp does not climb.
const RAMP_RESTS: Duration = Duration::from_secs(5);

impl Core {
    pub(super) fn read_standing(&mut self, now: Duration) -> Option<Action> {
        if self.poll_asked.is_some() || self.poll_at > now {
            return None;
        }
        self.poll_asked = Some(now);
        self.poll_at = now + POLL;
        Some(Action::ReadStanding)
    }

    pub(super) fn standing_read(&mut self, read: Result<Standing, LedgerError>, now: Duration) {
        let asked = self.poll_asked.take().unwrap_or(now);
        match read {
            Ok(standing) if asked >= self.polls_count_from => self.apply(standing, asked, now),
            Ok(_) => self.poll_at = now,
            Err(error) if error.is_temporary() => {
                tracing::debug!(%error, "the campaign's state cannot be read");
                self.last_error = Some(error);
            }
            Err(error) => self.fail(error),
        }
    }

    /// Whether what is known of the state is fresh enough to send.
    pub(super) fn state_is_fresh(&self, now: Duration) -> bool {
        now < self.standing_asked + STALE
    }

    fn apply(&mut self, standing: Standing, asked: Duration, now: Duration) {
        let resumed = self.standing.state != State::Running && standing.state == State::Running;
        self.standing = standing;
        self.standing_asked = asked;
        self.standing_at = asked + now.saturating_sub(asked) / 2;
        self.unsure = false;
        let parked = self.standing.count(OutcomeState::Parked);
        if resumed {
            self.parked_before = parked;
            self.refusals.reset();
            self.reach = Reach::default();
            self.claim_at = now;
        }
        if let Some(pilot) = &mut self.pilot {
            let settled = self.standing.coupons.saturating_sub(self.standing.count(OutcomeState::Open));
            pilot.settled = pilot.settled.max(settled);
        }
        match self.standing.state {
            State::Running => {
                // Opening parked coupons again lowers the count.
                self.parked_before = self.parked_before.min(parked);
                let new = parked - self.parked_before;
                let policy = &self.manifest.policy;
                let limit = policy.pause_when_parked.max(self.standing.coupons / 1000);
                if policy.pause_when_parked > 0 && new >= limit {
                    self.pause(reason::parked(new));
                }
                self.end_pilot();
            }
            State::Paused => {}
            State::Finished => self.end(Ended::Finished),
            State::Stopped | State::Importing | State::Planned => self.end(Ended::Stopped),
        }
    }

    pub(super) fn end_pilot(&mut self) {
        if let Some(settled) = self.pilot.as_ref().filter(|pilot| pilot.settled >= pilot.target) {
            let reason = reason::pilot(settled.settled);
            self.pilot = None;
            self.pause(reason);
        }
    }

    fn end(&mut self, how: Ended) {
        if matches!(self.course, Course::Working) {
            self.course = Course::Ending(how);
        }
    }

    pub(super) fn fail(&mut self, error: LedgerError) {
        tracing::error!(%error, "the ledger cannot be worked with");
        if !matches!(self.course, Course::Failing(_)) {
            self.course = Course::Failing(error);
        }
    }

    pub(super) fn pause(&mut self, reason: String) {
        self.pause_until(reason, None);
    }

    /// Orders a pause; nothing is sent from now on.
    pub(super) fn pause_until(&mut self, reason: String, until: Option<favor_core::Timestamp>) {
        if !matches!(self.order, Some(Order::Pause { .. })) && !self.ordering {
            tracing::warn!(reason, "pausing the campaign");
            self.order = Some(Order::Pause { reason, until, by_operator: false });
        }
    }

    pub(super) fn place_order(&mut self) -> Option<Action> {
        if self.all_done && self.order.is_none() && self.chunks.is_empty() && self.in_flight == 0 {
            self.all_done = false;
            if matches!(self.course, Course::Working) {
                self.order = Some(Order::Finish);
            }
        }
        if self.ordering {
            return None;
        }
        let order = self.order.clone()?;
        self.ordering = true;
        self.writing += 1;
        Some(Action::Order(order))
    }

    pub(super) fn ordered(&mut self, ordered: Result<Standing, LedgerError>, now: Duration) {
        self.ordering = false;
        match ordered {
            Ok(standing) => {
                self.written(Ok(()), now);
                self.order = None;
                self.polls_count_from = now;
                self.apply(standing, now, now);
            }
            Err(LedgerError::NotNow { state, .. }) => {
                self.written(Ok(()), now);
                tracing::debug!(%state, "the state has changed meanwhile");
                self.order = None;
                self.unsure = true;
                self.polls_count_from = now;
                self.poll_at = now;
            }
            Err(error) => self.written(Err(error), now),
        }
    }

    pub(super) fn keep_rate(&mut self, now: Duration) -> Option<Action> {
        if self.slow_down && !self.slowing_down {
            (self.slow_down, self.slowing_down) = (false, true);
            self.writing += 1;
            return Some(Action::SlowDown);
        }
        if self.setting_rate {
            return None;
        }
        let now_wall = self.wall(now);
        let started = self.standing.started_at.unwrap_or(now_wall);
        let rate = self.manifest.pace.rate_after((now_wall - started).to_std().unwrap_or_default());
        let resting = self.slowed_at.is_some_and(|at| now < at + RAMP_RESTS);
        if self.rate_set == Some(rate) || (self.rate_set.is_some() && resting) {
            return None;
        }
        self.setting_rate = true;
        self.writing += 1;
        Some(Action::SetRate(rate))
    }

    pub(super) fn rate_was_set(&mut self, rate: u32, set: Result<(), LedgerError>, now: Duration) {
        self.setting_rate = false;
        if set.is_ok() {
            self.rate_set = Some(rate);
        }
        self.written(set, now);
    }

    /// The platform says "too fast".
    pub(super) fn too_fast(&mut self, now: Duration) {
        // The ledger lowers the rate once a second at most, so asking more often is in vain.
        if self.slowed_at.is_none_or(|at| at + Duration::from_millis(250) <= now) {
            self.slow_down = true;
            self.slowed_at = Some(now);
        }
    }

    pub(super) fn slowed_down(&mut self, slowed: Result<(), LedgerError>, now: Duration) {
        self.slowing_down = false;
        if slowed.is_ok() {
            self.slots.clear();
        }
        self.written(slowed, now);
    }
}
