//! What a runner decides. Nothing here waits or calls: it is told what happened and what time it is, and says what to do.

mod keeping;
mod sending;
mod standing;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use favor_core::Timestamp;

use super::breaker::{Reach, Refusals};
use super::chance::Chance;
use super::chunk::Chunk;
use super::job::Job;
use super::meter::Meter;
use super::pulse::{Hold, Pulse};
use super::slots::Slots;
use super::{ChunkReport, Ended, RunError};
use crate::answer::Answer;
use crate::ledger::{
    Campaign, Claim, Claimed, Finish, Lease, LedgerError, Order, OutcomeState, Recorded, Reservation,
    Settlement, Standing,
};
use crate::manifest::Manifest;

/// While the ledger is out of reach, an end is not put off for longer.
const GRACE: Duration = Duration::from_secs(10);

/// What a runner goes by, beside the manifest.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) lease: Duration,
    pub(super) in_flight: u32,
    pub(super) pilot: Option<u32>,
}

/// Something to do; what came of it is told by [`Core::happened`].
#[derive(Debug)]
pub(super) enum Action {
    ReadStanding,
    Order(Order),
    SetRate(u32),
    SlowDown,
    Claim,
    Record(u64, Lease, Vec<Settlement>),
    Finish(u64, Lease, Finish),
    Reserve(u32),
    Send(Job),
}

/// What came of an action.
#[derive(Debug)]
pub(super) enum Event {
    Standing(Result<Standing, LedgerError>),
    Ordered(Result<Standing, LedgerError>),
    RateSet(u32, Result<(), LedgerError>),
    SlowedDown(Result<(), LedgerError>),
    Claimed(Result<Claimed, LedgerError>),
    Recorded(u64, Vec<Settlement>, Result<Recorded, LedgerError>),
    Finished(u64, Finish, Result<Recorded, LedgerError>),
    Reserved(Result<Reservation, LedgerError>),
    Answered(Job, Answer),
}

/// Where a run is heading.
#[derive(Debug)]
enum Course {
    Working,
    /// It ends so once nothing is under way.
    Ending(Ended),
    /// The same, with an error of the ledger.
    Failing(LedgerError),
}

/// The whole of a runner's decisions.
#[derive(Debug)]
pub(super) struct Core {
    manifest: Arc<Manifest>,
    settings: Settings,
    chance: Chance,
    course: Course,
    ending_since: Option<Duration>,
    /// Of [`run_chunk`](super::Runner::run_chunk): nothing is claimed.
    only: Option<ChunkReport>,

    standing: Standing,
    /// When the standing was asked for, and the moment to which its clock belongs.
    standing_asked: Duration,
    standing_at: Duration,
    poll_asked: Option<Duration>,
    poll_at: Duration,
    /// Answers to polls that were asked before tell nothing new.
    polls_count_from: Duration,
    /// An order met a state that is not known here.
    unsure: bool,
    order: Option<Order>,
    ordering: bool,

    rate_set: Option<u32>,
    setting_rate: bool,
    slow_down: bool,
    slowing_down: bool,
    slowed_at: Option<Duration>,

    chunks: BTreeMap<u64, Chunk>,
    next_key: u64,
    claim_asked: Option<Duration>,
    claim_at: Duration,
    all_done: bool,
    calls: BTreeMap<u64, Duration>,
    failures: u32,
    retry_at: Duration,
    writing: u32,
    last_error: Option<LedgerError>,

    ready: VecDeque<Job>,
    waiting: BinaryHeap<Waiting>,
    waiting_number: u64,
    in_flight: u32,
    unrecorded: usize,
    slots: Slots,
    reserve_asked: Option<Duration>,
    sends: Meter,
    ends: Meter,

    reach: Reach,
    refusals: Refusals,
    parked_before: u64,
    pilot: Option<Pilot>,
}

/// A pilot that is not over.
#[derive(Debug)]
struct Pilot {
    target: u64,
    settled: u64,
    /// Coupons that were begun and are not settled.
    begun: u64,
}

/// A person to be tried again.
#[derive(Debug)]
struct Waiting {
    due: Duration,
    /// In the order in which they came, where they are due at once.
    number: u64,
    job: Job,
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.due, other.number).cmp(&(self.due, self.number))
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Waiting {}

impl Core {
    /// A core for a campaign that was read from the ledger between `asked` and `now`.
    pub(super) fn new(
        campaign: &Campaign,
        settings: Settings,
        worker: &str,
        asked: Duration,
        now: Duration,
    ) -> Self {
        let standing = campaign.standing.clone();
        let settled = standing.coupons.saturating_sub(standing.count(OutcomeState::Open));
        let pilot =
            settings.pilot.map(u64::from).filter(|pilot| settled < *pilot && *pilot < standing.coupons);
        Self {
            manifest: Arc::new(campaign.manifest.clone()),
            chance: Chance::of(worker),
            course: Course::Working,
            ending_since: None,
            only: None,
            standing_asked: asked,
            standing_at: asked + now.saturating_sub(asked) / 2,
            poll_asked: None,
            poll_at: now,
            polls_count_from: Duration::ZERO,
            unsure: false,
            order: None,
            ordering: false,
            rate_set: None,
            setting_rate: false,
            slow_down: false,
            slowing_down: false,
            slowed_at: None,
            chunks: BTreeMap::new(),
            next_key: 0,
            claim_asked: None,
            claim_at: now,
            all_done: false,
            calls: BTreeMap::new(),
            failures: 0,
            retry_at: now,
            writing: 0,
            last_error: None,
            ready: VecDeque::new(),
            waiting: BinaryHeap::new(),
            waiting_number: 0,
            in_flight: 0,
            unrecorded: 0,
            slots: Slots::default(),
            reserve_asked: None,
            sends: Meter::default(),
            ends: Meter::default(),
            reach: Reach::default(),
            refusals: Refusals::new(campaign.manifest.policy.pause_when_refused),
            parked_before: standing.count(OutcomeState::Parked),
            pilot: pilot.map(|target| Pilot { target, settled, begun: 0 }),
            settings,
            standing,
        }
    }

    /// The same for one chunk, which was claimed before.
    pub(super) fn only(mut self, claim: Claim, now: Duration) -> Self {
        self.only = Some(ChunkReport::default());
        self.take_in(claim, now);
        self
    }

    /// The next thing to do now; none when there is nothing before [`wake_at`](Self::wake_at) or another event.
    pub(super) fn next(&mut self, now: Duration) -> Option<Action> {
        self.turn(now);
        self.read_standing(now).or_else(|| self.write(now)).or_else(|| self.send(now))
    }

    /// Takes in what happened.
    pub(super) fn happened(&mut self, event: Event, now: Duration) {
        match event {
            Event::Standing(read) => self.standing_read(read, now),
            Event::Ordered(ordered) => self.ordered(ordered, now),
            Event::RateSet(rate, set) => self.rate_was_set(rate, set, now),
            Event::SlowedDown(slowed) => self.slowed_down(slowed, now),
            Event::Claimed(claimed) => self.claimed(claimed, now),
            Event::Recorded(key, batch, recorded) => self.recorded(key, batch, recorded, now),
            Event::Finished(key, how, finished) => self.finished(key, how, finished, now),
            Event::Reserved(reserved) => self.reserved(reserved, now),
            Event::Answered(job, answer) => self.answered(job, answer, now),
        }
    }

    /// Nothing more is sent; what is under way comes to its end.
    pub(super) fn interrupt(&mut self) {
        if matches!(self.course, Course::Working) {
            self.course = Course::Ending(Ended::Interrupted);
        }
    }

    /// When to ask for the [`next`](Self::next) thing to do, if nothing happens before.
    pub(super) fn wake_at(&self, now: Duration) -> Duration {
        let mut at = if self.poll_asked.is_none() { self.poll_at } else { Duration::MAX };
        let mut sooner = |moment: Option<Duration>| at = at.min(moment.unwrap_or(Duration::MAX));
        sooner(self.waiting.peek().map(|waiting| waiting.due));
        sooner(self.write_due(now));
        sooner(self.send_due(now));
        sooner(self.ending_since.map(|since| since + GRACE));
        at.max(now + Duration::from_millis(1))
    }

    /// How it ended, once it has.
    pub(super) fn ended(&mut self, now: Duration) -> Option<Result<Ended, RunError>> {
        let quiet = self.in_flight == 0
            && self.chunks.is_empty()
            && self.claim_asked.is_none()
            && self.order.is_none()
            && self.writing == 0;
        match &self.course {
            Course::Working => (self.only.is_some() && quiet).then_some(Ok(Ended::Finished)),
            Course::Ending(how) if quiet => Some(Ok(*how)),
            Course::Ending(_) => {
                let since = *self.ending_since.get_or_insert(now);
                let given_up = self.in_flight == 0 && self.failures > 0 && since + GRACE <= now;
                let error = given_up.then(|| self.last_error.take()).flatten()?;
                Some(Err(RunError::Ledger(error)))
            }
            Course::Failing(_) => {
                let since = *self.ending_since.get_or_insert(now);
                if !quiet && (self.in_flight > 0 || since + GRACE > now) {
                    return None;
                }
                match std::mem::replace(&mut self.course, Course::Working) {
                    Course::Failing(error) => Some(Err(RunError::Ledger(error))),
                    _ => None,
                }
            }
        }
    }

    /// What became of the one chunk.
    pub(super) fn report(&self) -> ChunkReport {
        self.only.clone().unwrap_or_default()
    }

    /// How it is doing.
    pub(super) fn pulse(&mut self, now: Duration) -> Pulse {
        let held_by = match self.working(now) {
            Err(hold) => Some(hold),
            Ok(()) if !self.ledger_serves(now) => Some(Hold::Ledger),
            Ok(()) if self.reach.is_open() => Some(Hold::Platform),
            Ok(()) => None,
        };
        Pulse {
            sends: self.sends.total(now),
            in_flight: self.in_flight,
            rate: self.slots.rate(),
            chunks: u32::try_from(self.chunks.len()).unwrap_or(u32::MAX),
            held_by,
        }
    }

    /// The ledger's time.
    fn wall(&self, now: Duration) -> Timestamp {
        let passed = chrono::TimeDelta::from_std(now.saturating_sub(self.standing_at)).unwrap_or_default();
        self.standing.now + passed
    }

    /// Whether anything may be sent at all, the ledger and the platform's reach apart.
    fn working(&self, now: Duration) -> Result<(), Hold> {
        if !matches!(self.course, Course::Working) {
            return Err(Hold::Ending);
        }
        let pausing = self.unsure || matches!(self.order, Some(Order::Pause { .. }));
        if self.standing.state != crate::ledger::State::Running || pausing {
            return Err(Hold::Paused);
        }
        match self.manifest.pace.closed_until(self.wall(now)) {
            Some(until) => Err(Hold::Window { until }),
            None => Ok(()),
        }
    }

    /// What follows from time alone.
    fn turn(&mut self, now: Duration) {
        while self.waiting.peek().is_some_and(|waiting| waiting.due <= now) {
            let due = self.waiting.pop().map(|waiting| waiting.job);
            due.into_iter().for_each(|job| self.ready.push_front(job));
        }
        if self.working(now).is_err() {
            self.leave_chunks();
        }
    }
}
