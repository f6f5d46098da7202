//! A ledger in memory that keeps to the contract: leases, fences, shared limit, states.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use favor_campaign::{
    Campaign, CampaignId, CampaignName, Claim, Claimed, Fate, Finish, Lease, Ledger, LedgerError, LimitKey,
    Manifest, OpenSlot, Order, OutcomeState, Recorded, Reservation, Settlement, Standing, State, Tally, Task,
    WorkerId,
};
use favor_core::{Clock as _, OpenId, Timestamp};
use futures_util::future::BoxFuture;

use crate::clock::ModelClock;
use crate::dice::Dice;
use crate::world::Sabotage;

/// How the way to the ledger is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Weather {
    /// The longest time a call takes, one way.
    pub(crate) slowness: Duration,
    /// Calls of a thousand that fail, half of them after they were done.
    pub(crate) failing: u64,
    /// When nothing can be reached.
    pub(crate) outage: Option<(Duration, Duration)>,
    /// When nothing can be written.
    pub(crate) full: Option<(Duration, Duration)>,
}

#[derive(Debug)]
pub(crate) struct ModelLedger {
    books: Mutex<Books>,
    clock: Arc<ModelClock>,
    weather: Weather,
    dice: Dice,
    sabotage: Sabotage,
}

#[derive(Debug)]
pub(crate) struct Books {
    manifest: Manifest,
    pub(crate) state: State,
    pub(crate) reason: Option<String>,
    by_operator: bool,
    until: Option<Timestamp>,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
    pub(crate) people: Vec<OpenId>,
    chunks: Vec<Chunk>,
    pub(crate) outcomes: BTreeMap<(u64, u32), Settlement>,
    tallies: BTreeMap<(OutcomeState, String), u64>,
    limit: Limit,
    pub(crate) mismatches: u32,
    /// Calls of `record` that a fence turned away.
    pub(crate) fenced_off: u32,
    /// When the state changed.
    pub(crate) changes: Vec<(Duration, State)>,
    /// Whether somebody records outcomes of a coupon that has one.
    pub(crate) recorded_twice: u32,
    forgets_a_chunk: bool,
}

#[derive(Debug)]
struct Chunk {
    places: std::ops::Range<u64>,
    is_open: bool,
    owner: Option<WorkerId>,
    fence: i64,
    due: Duration,
}

#[derive(Debug, Default)]
struct Limit {
    per_second: u32,
    factor: u64,
    slowed_at: Duration,
    next_at: Duration,
}

const ID: CampaignId = CampaignId(1);

impl ModelLedger {
    pub(crate) fn new(
        manifest: Manifest,
        people: Vec<OpenId>,
        chunk: u64,
        clock: Arc<ModelClock>,
        weather: Weather,
        seed: u64,
        sabotage: Sabotage,
    ) -> Self {
        let count = u64::try_from(people.len()).unwrap();
        let chunks = (0..count.div_ceil(chunk)).map(|number| Chunk {
            places: number * chunk..((number + 1) * chunk).min(count),
            is_open: true,
            owner: None,
            fence: 0,
            due: Duration::ZERO,
        });
        let books = Books {
            manifest,
            state: State::Planned,
            reason: None,
            by_operator: false,
            until: None,
            started_at: None,
            finished_at: None,
            chunks: chunks.collect(),
            people,
            outcomes: BTreeMap::new(),
            tallies: BTreeMap::new(),
            limit: Limit { factor: 1000, ..Limit::default() },
            mismatches: 0,
            fenced_off: 0,
            changes: Vec::new(),
            recorded_twice: 0,
            forgets_a_chunk: sabotage == Sabotage::SkippedChunk,
        };
        Self { books: Mutex::new(books), clock, weather, dice: Dice::new(seed), sabotage }
    }

    pub(crate) fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap()
    }

    /// Changes the state at once, as an operator does.
    pub(crate) fn command(&self, order: &Order) -> Result<Standing, LedgerError> {
        self.books().order(order, self.clock.wall(), self.clock.elapsed())
    }

    async fn call<T>(
        &self,
        writes: bool,
        act: impl FnOnce(&mut Books, Timestamp, Duration) -> Result<T, LedgerError> + Send,
    ) -> Result<T, LedgerError> {
        let within = |span: &Option<(Duration, Duration)>| {
            span.is_some_and(|(from, to)| (from..to).contains(&self.clock.elapsed()))
        };
        let gone = |what: &str| Err(LedgerError::Unavailable(what.to_owned().into()));
        let fails = self.dice.thousandths(self.weather.failing);
        let before = fails && self.dice.thousandths(500);
        self.travel().await;
        if within(&self.weather.outage) {
            tokio::time::sleep(Duration::from_millis(300)).await;
            return gone("no connection");
        }
        if writes && within(&self.weather.full) {
            return gone("the disk is full");
        }
        if before {
            return gone("the connection broke");
        }
        let done = act(&mut self.books(), self.clock.wall(), self.clock.elapsed());
        self.travel().await;
        if fails { gone("the connection broke, and it was done") } else { done }
    }

    async fn travel(&self) {
        let most = u64::try_from(self.weather.slowness.as_micros()).unwrap();
        if most > 0 {
            tokio::time::sleep(Duration::from_micros(self.dice.below(most))).await;
        }
    }
}

impl Books {
    fn effective_state(&self, now: Timestamp) -> State {
        match (self.state, self.until) {
            (State::Paused, Some(until)) if until <= now => State::Running,
            (state, _) => state,
        }
    }

    fn standing(&self, now: Timestamp) -> Standing {
        let people = u64::try_from(self.people.len()).unwrap();
        let coupons = people * u64::from(self.manifest.coupons_per_person);
        let mut standing = Standing::new(self.effective_state(now), people, coupons, now);
        standing.reason.clone_from(&self.reason);
        standing.paused_by_operator = self.by_operator;
        standing.paused_until = self.until;
        standing.started_at = self.started_at;
        standing.finished_at = self.finished_at;
        let tally = |((state, code), count): (&(OutcomeState, String), &u64)| Tally {
            state: *state,
            code: code.clone(),
            count: *count,
        };
        standing.tallies = self.tallies.iter().map(tally).collect();
        standing
    }

    fn order(&mut self, order: &Order, now: Timestamp, at: Duration) -> Result<Standing, LedgerError> {
        let state = self.effective_state(now);
        let not = |wanted| Err(LedgerError::NotNow { state, wanted });
        let next = match (order, state) {
            (Order::Start, State::Planned | State::Stopped | State::Running) => State::Running,
            (Order::Start, _) => return not("started"),
            (Order::Pause { reason, until, by_operator }, State::Running | State::Paused) => {
                if state == State::Running || !self.by_operator {
                    (self.reason, self.until, self.by_operator) =
                        (Some(reason.clone()), *until, *by_operator);
                }
                State::Paused
            }
            (Order::Pause { .. }, _) => return not("paused"),
            (Order::Resume, State::Paused) => State::Running,
            (Order::Resume, _) => return not("resumed"),
            (Order::Stop, State::Running | State::Paused) => State::Stopped,
            (Order::Stop, _) => return not("stopped"),
            (Order::Finish, State::Running) if self.open() == 0 || self.forgets_a_chunk => State::Finished,
            (Order::Finish, _) => return not("finished"),
        };
        if next != State::Paused {
            (self.reason, self.until, self.by_operator) = (None, None, false);
        }
        if next == State::Running {
            self.started_at.get_or_insert(now);
        }
        if next == State::Finished {
            self.finished_at = Some(now);
        }
        self.state = next;
        self.changes.push((at, next));
        Ok(self.standing(now))
    }

    /// Whether it is paused until a time.
    pub(crate) fn goes_on_by_itself(&self) -> bool {
        self.until.is_some()
    }

    fn slots(&self) -> u32 {
        self.manifest.coupons_per_person
    }

    pub(crate) fn open(&self) -> usize {
        self.people.len() * usize::try_from(self.slots()).unwrap() - self.outcomes.len()
    }

    /// Counts the rows anew.
    pub(crate) fn counts_of_rows(&self) -> BTreeMap<(OutcomeState, String), u64> {
        let mut counts = BTreeMap::new();
        for row in self.outcomes.values() {
            *counts.entry((row.fate.state(), row.code.clone().unwrap_or_default())).or_default() += 1;
        }
        counts
    }

    pub(crate) fn tallies(&self) -> &BTreeMap<(OutcomeState, String), u64> {
        &self.tallies
    }

    fn claim(&mut self, worker: &WorkerId, lease: Duration, now: Timestamp, at: Duration) -> Claimed {
        if self.effective_state(now) != State::Running {
            return Claimed::Later { next: None };
        }
        let (slots, outcomes) = (self.slots(), &self.outcomes);
        let Some((number, chunk)) =
            self.chunks.iter_mut().enumerate().find(|(_, chunk)| chunk.is_open && chunk.due <= at)
        else {
            let next = self.chunks.iter().filter(|chunk| chunk.is_open).map(|chunk| chunk.due - at).min();
            return if next.is_some() { Claimed::Later { next } } else { Claimed::AllDone };
        };
        chunk.fence += 1;
        chunk.owner = Some(worker.clone());
        chunk.due = at + lease;
        let task = |place| {
            let open = (0..slots).filter(|slot| !outcomes.contains_key(&(place, *slot)));
            let open: Vec<_> =
                open.map(|slot| OpenSlot { slot, attempts: 0, first_tried_at: None }).collect();
            let openid = self.people[usize::try_from(place).unwrap()].clone();
            (!open.is_empty()).then_some(Task { place, openid, open })
        };
        let lease = Lease { campaign: ID, chunk: u32::try_from(number).unwrap(), fence: chunk.fence };
        Claimed::Chunk(Claim { lease, tasks: chunk.places.clone().filter_map(task).collect() })
    }

    fn holder(&mut self, lease: &Lease, unfenced: bool) -> Option<&mut Chunk> {
        let chunk = &mut self.chunks[usize::try_from(lease.chunk).unwrap()];
        (unfenced || (chunk.fence == lease.fence && chunk.owner.is_some())).then_some(chunk)
    }

    fn record(
        &mut self,
        lease: &Lease,
        settled: &[Settlement],
        extend: Duration,
        at: Duration,
        unfenced: bool,
    ) -> Recorded {
        let Some(chunk) = self.holder(lease, unfenced) else {
            self.fenced_off += 1;
            return Recorded::Lost;
        };
        chunk.due = at + extend;
        let places = chunk.places.clone();
        for settlement in settled {
            assert!(places.contains(&settlement.place), "an outcome of another chunk");
            let key = (settlement.place, settlement.slot);
            let former = self.outcomes.get(&key);
            if let Some(former) = former {
                self.recorded_twice += 1;
                if matches!(former.fate, Fate::Sent { .. }) {
                    let other =
                        matches!(settlement.fate, Fate::Sent { .. }) && former.fate != settlement.fate;
                    self.mismatches += u32::from(other);
                    continue;
                }
                let tally = (former.fate.state(), former.code.clone().unwrap_or_default());
                *self.tallies.get_mut(&tally).unwrap() -= 1;
            }
            let tally = (settlement.fate.state(), settlement.code.clone().unwrap_or_default());
            *self.tallies.entry(tally).or_default() += 1;
            self.outcomes.insert(key, settlement.clone());
        }
        Recorded::Done
    }

    fn finish(&mut self, lease: &Lease, how: Finish, at: Duration, unfenced: bool) -> Recorded {
        let (slots, forgets) = (self.slots(), self.forgets_a_chunk);
        let outcomes = std::mem::take(&mut self.outcomes);
        let found = self.holder(lease, unfenced).map(|chunk| {
            let settled = |place| (0..slots).all(|slot| outcomes.contains_key(&(place, slot)));
            chunk.owner = None;
            let forgotten = forgets && chunk.places.start > 0;
            chunk.is_open = !forgotten && !chunk.places.clone().all(settled);
            chunk.due = match how {
                Finish::Done => at,
                Finish::GiveBack { after } => at + after,
            };
        });
        self.outcomes = outcomes;
        if found.is_some() { Recorded::Done } else { Recorded::Lost }
    }
}

impl Limit {
    fn thousandths(&self, at: Duration) -> u64 {
        let climbed = u64::try_from(at.saturating_sub(self.slowed_at).as_millis()).unwrap() / 100;
        (self.factor + climbed).min(1000)
    }

    fn reserve(&mut self, most: u32, at: Duration) -> Reservation {
        let spacing =
            Duration::from_secs(1000) / self.per_second / u32::try_from(self.thousandths(at)).unwrap();
        let first = self.next_at.max(at);
        self.next_at = first + spacing * most;
        Reservation { calls: most, first_in: first - at, spacing }
    }

    fn slow_down(&mut self, at: Duration) {
        if self.factor == 1000 || at >= self.slowed_at + Duration::from_secs(1) {
            self.factor = (self.thousandths(at) * 7 / 10).max(10);
            self.slowed_at = at;
        }
    }
}

impl Ledger for ModelLedger {
    fn campaign<'a>(&'a self, name: &'a CampaignName) -> BoxFuture<'a, Result<Campaign, LedgerError>> {
        Box::pin(self.call(false, move |books, now, _| {
            if books.manifest.name != *name {
                return Err(LedgerError::NoCampaign(name.as_str().to_owned()));
            }
            Ok(Campaign::new(ID, books.manifest.clone(), books.standing(now)))
        }))
    }

    fn claim<'a>(
        &'a self,
        _: CampaignId,
        worker: &'a WorkerId,
        lease: Duration,
    ) -> BoxFuture<'a, Result<Claimed, LedgerError>> {
        Box::pin(self.call(true, move |books, now, at| Ok(books.claim(worker, lease, now, at))))
    }

    fn record<'a>(
        &'a self,
        lease: &'a Lease,
        settled: &'a [Settlement],
        extend: Duration,
    ) -> BoxFuture<'a, Result<Recorded, LedgerError>> {
        let unfenced = self.sabotage == Sabotage::NoFence;
        Box::pin(self.call(true, move |books, _, at| Ok(books.record(lease, settled, extend, at, unfenced))))
    }

    fn finish<'a>(&'a self, lease: &'a Lease, how: Finish) -> BoxFuture<'a, Result<Recorded, LedgerError>> {
        let unfenced = self.sabotage == Sabotage::NoFence;
        Box::pin(self.call(true, move |books, _, at| Ok(books.finish(lease, how, at, unfenced))))
    }

    fn set_rate<'a>(&'a self, _: &'a LimitKey, per_second: u32) -> BoxFuture<'a, Result<(), LedgerError>> {
        Box::pin(self.call(true, move |books, _, at| {
            if books.limit.per_second != per_second {
                books.limit = Limit { per_second, factor: 1000, slowed_at: at, next_at: books.limit.next_at };
            }
            Ok(())
        }))
    }

    fn reserve<'a>(&'a self, _: &'a LimitKey, most: u32) -> BoxFuture<'a, Result<Reservation, LedgerError>> {
        let unlimited = self.sabotage == Sabotage::NoLimit;
        Box::pin(self.call(true, move |books, _, at| {
            let reservation = books.limit.reserve(most, at);
            let at_once = Reservation { first_in: Duration::ZERO, ..reservation };
            Ok(if unlimited { at_once } else { reservation })
        }))
    }

    fn slow_down<'a>(&'a self, _: &'a LimitKey) -> BoxFuture<'a, Result<(), LedgerError>> {
        Box::pin(self.call(true, move |books, _, at| {
            books.limit.slow_down(at);
            Ok(())
        }))
    }

    fn standing(&self, _: CampaignId) -> BoxFuture<'_, Result<Standing, LedgerError>> {
        let deaf = self.sabotage == Sabotage::DeafToPauses;
        Box::pin(self.call(false, move |books, now, _| {
            let mut standing = books.standing(now);
            if deaf && standing.state == State::Paused {
                standing.state = State::Running;
            }
            Ok(standing)
        }))
    }

    fn order(&self, _: CampaignId, order: Order) -> BoxFuture<'_, Result<Standing, LedgerError>> {
        Box::pin(self.call(true, move |books, now, at| books.order(&order, now, at)))
    }
}
