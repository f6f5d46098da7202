//! A campaign, its ledger, its workers and the platform; and what must be true of them in the end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use favor_campaign::{CampaignName, Ended, Fate, ListFacts, Manifest, Order, OutcomeState, RunError, State};
use favor_core::{AppId, Clock as _, MerchantId, OpenId, StockId};

use crate::clock::ModelClock;
use crate::dice::Dice;
use crate::ledger::{ModelLedger, Weather};
use crate::platform::{Habits, Line, Platform};
use crate::worker::{Job, Worker};

/// What a world is made of.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) people: usize,
    pub(crate) slots: u32,
    pub(crate) chunk: u64,
    pub(crate) workers: usize,
    pub(crate) per_second: u32,
    pub(crate) in_flight: u32,
    pub(crate) lease: Duration,
    pub(crate) tries: u32,
    pub(crate) pilot: u32,
    pub(crate) weather: Weather,
    pub(crate) habits: Habits,
    /// Seconds between two blows to workers, on average; none means none.
    pub(crate) blows: Option<u64>,
    /// Whether an operator pauses now and then.
    pub(crate) restless_operator: bool,
    pub(crate) sabotage: Sabotage,
    pub(crate) adjust: fn(&mut Manifest),
    /// What time it is in Beijing at the beginning.
    pub(crate) begins: &'static str,
}

/// What is broken on purpose, to see that the checks notice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Sabotage {
    #[default]
    None,
    /// Each attempt has a number of its own.
    FreshNumbers,
    /// The ledger lets everybody record.
    NoFence,
    /// The ledger forgets a chunk.
    SkippedChunk,
    /// An answer whose signature does not hold counts.
    UnsignedTaken,
    /// The ledger lets everybody send at once.
    NoLimit,
    /// The ledger does not tell of pauses.
    DeafToPauses,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            people: 60,
            slots: 1,
            chunk: 10,
            workers: 3,
            per_second: 50,
            in_flight: 8,
            lease: Duration::from_secs(5),
            tries: 20,
            pilot: 0,
            weather: Weather { slowness: Duration::from_millis(10), ..Weather::default() },
            habits: Habits { slowness: 60, ..Habits::default() },
            blows: None,
            restless_operator: false,
            sabotage: Sabotage::None,
            adjust: |_| (),
            begins: "2026-11-11T10:00:00+08:00",
        }
    }
}

pub(crate) struct World {
    pub(crate) clock: Arc<ModelClock>,
    pub(crate) ledger: Arc<ModelLedger>,
    pub(crate) platform: Arc<Platform>,
    pub(crate) manifest: Manifest,
    pub(crate) people: Vec<OpenId>,
    plan: Plan,
    dice: Dice,
    started: usize,
    /// When an operator paused, and when the campaign went on.
    pauses: Vec<(Duration, Duration)>,
    pub(crate) ends: Vec<Result<Ended, RunError>>,
    pub(crate) reasons: Vec<String>,
}

/// A campaign that takes longer than this does not come to an end.
const LONG: Duration = Duration::from_secs(5 * 24 * 3600);

impl World {
    pub(crate) fn new(plan: Plan, seed: u64) -> Self {
        let clock = Arc::new(ModelClock::at(plan.begins));
        let merchant = MerchantId::new("1900000109").unwrap();
        let mut manifest = Manifest::new(
            CampaignName::new("model").unwrap(),
            merchant.clone(),
            StockId::new("9856000").unwrap(),
            merchant,
            AppId::new("wx0a").unwrap(),
            ListFacts::default(),
            clock.wall(),
        );
        manifest.coupons_per_person = plan.slots;
        manifest.pace.per_second = plan.per_second;
        manifest.pace.in_flight = plan.in_flight;
        manifest.policy.tries = plan.tries;
        (plan.adjust)(&mut manifest);
        let people: Vec<_> =
            (0..plan.people).map(|n| OpenId::new(format!("oPerson{n:06}")).unwrap()).collect();
        let ledger = Arc::new(ModelLedger::new(
            manifest.clone(),
            people.clone(),
            plan.chunk,
            clock.clone(),
            plan.weather.clone(),
            seed ^ 1,
            plan.sabotage,
        ));
        let platform = Arc::new(Platform::new(clock.clone(), plan.habits.clone(), seed ^ 2));
        ledger.command(&Order::Start).unwrap();
        Self {
            clock,
            ledger,
            platform,
            manifest,
            people,
            plan,
            dice: Dice::new(seed ^ 3),
            started: 0,
            pauses: Vec::new(),
            ends: Vec::new(),
            reasons: Vec::new(),
        }
    }

    pub(crate) fn hire(&mut self) -> Worker {
        self.started += 1;
        let line = Line::new(self.platform.clone(), self.plan.sabotage);
        Worker::start(Job {
            ledger: self.ledger.clone(),
            sender: Arc::new(line),
            clock: self.clock.clone(),
            name: format!("worker-{}", self.started),
            lease: self.plan.lease,
            pilot: self.plan.pilot,
        })
    }

    /// Until the campaign is finished, through whatever the plan holds.
    pub(crate) async fn play(&mut self) {
        let mut workers: Vec<_> = (0..self.plan.workers).map(|_| self.hire()).collect();
        let mut next_blow = self.next_blow();
        let mut next_whim = self.next_whim();
        while self.ledger.books().state != State::Finished {
            let now = self.clock.elapsed();
            assert!(now < LONG, "it does not come to an end; {}", self.summary());
            if next_blow.is_some_and(|at| at <= now) {
                self.strike(&mut workers);
                next_blow = self.next_blow();
            }
            if next_whim.is_some_and(|at| at <= now) {
                self.operator_pauses().await;
                next_whim = self.next_whim();
            }
            self.operator_resumes().await;
            self.replace_the_fallen(&mut workers).await;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        for worker in workers {
            worker.freeze(Duration::ZERO);
            let ended = tokio::time::timeout(Duration::from_secs(60), worker.end()).await;
            self.ends.extend(ended.expect("a worker does not end"));
        }
    }

    fn next_blow(&self) -> Option<Duration> {
        let seconds = self.plan.blows?;
        Some(self.clock.elapsed() + self.dice.millis(1, seconds * 2000))
    }

    fn next_whim(&self) -> Option<Duration> {
        self.plan.restless_operator.then(|| self.clock.elapsed() + self.dice.millis(100, 6000))
    }

    fn strike(&self, workers: &mut [Worker]) {
        let count = u64::try_from(workers.len()).unwrap();
        let struck = &workers[usize::try_from(self.dice.below(count)).unwrap()];
        let lease = u64::try_from(self.plan.lease.as_millis()).unwrap();
        match self.dice.below(4) {
            0 => struck.freeze(self.dice.millis(10, lease)),
            1 => struck.freeze(self.dice.millis(lease, lease * 3)),
            2 => struck.stop(),
            _ => struck.kill(),
        }
    }

    async fn operator_pauses(&mut self) {
        let pause = Order::Pause { reason: "a whim".to_owned(), until: None, by_operator: true };
        if self.ledger.command(&pause).is_err() {
            return;
        }
        let from = self.clock.elapsed();
        tokio::time::sleep(self.dice.millis(100, 8000)).await;
        self.pauses.push((from, self.clock.elapsed()));
        self.ledger.command(&Order::Resume).unwrap();
    }

    async fn operator_resumes(&mut self) {
        let standing = {
            let books = self.ledger.books();
            (books.state == State::Paused && !books.goes_on_by_itself()).then(|| books.reason.clone())
        };
        let Some(reason) = standing else {
            return;
        };
        self.reasons.extend(reason);
        tokio::time::sleep(self.dice.millis(100, 20_000)).await;
        self.ledger.command(&Order::Resume).unwrap();
    }

    async fn replace_the_fallen(&mut self, workers: &mut [Worker]) {
        for worker in workers {
            if worker.is_over() {
                let fallen = std::mem::replace(worker, self.hire());
                self.ends.extend(fallen.end().await);
            }
        }
    }

    /// What must be true whatever happened.
    pub(crate) fn check(&self) {
        let books = self.ledger.books();
        let given = self.platform.given();
        let numbers = self.manifest.numbers();
        let slots = self.manifest.coupons_per_person;
        let mut by_person: BTreeMap<&str, usize> = BTreeMap::new();
        for (openid, _) in given.coupons.values() {
            *by_person.entry(openid.as_str()).or_default() += 1;
        }
        for (place, openid) in (0..).zip(&self.people) {
            let person = openid.as_str();
            let has = by_person.remove(person).unwrap_or(0);
            assert!(has <= usize::try_from(slots).unwrap(), "{person} has {has} coupons");
            let asked = given.asked.get(person).map_or(0, std::collections::BTreeSet::len);
            assert!(asked <= usize::try_from(slots).unwrap(), "{person} was sent to under {asked} numbers");
            for slot in 0..slots {
                let number = numbers.of(openid, slot);
                let coupon = given.coupons.get(number.as_str());
                let row = books.outcomes.get(&(place, slot));
                let row = row.unwrap_or_else(|| panic!("{person} was lost"));
                match (&row.fate, coupon) {
                    (Fate::Sent { coupon_id }, Some((_, id))) => assert_eq!(coupon_id, id, "{person}"),
                    (Fate::Sent { .. }, None) => panic!("{person} is down as sent, and has nothing"),
                    (Fate::Refused | Fate::Parked, Some(_)) => panic!("{person} is down as {:?}", row.fate),
                    (Fate::Refused | Fate::Parked | Fate::Unknown, _) => {}
                }
                assert!(row.first_tried_at <= row.settled_at && row.attempts > 0, "{row:?}");
            }
        }
        assert!(by_person.is_empty(), "coupons for people who are not on the list");
        assert_eq!(books.tallies(), &books.counts_of_rows(), "counters and rows");
        assert_eq!(books.mismatches, 0, "recorded as sent with two coupons");
        if self.plan.weather.failing == 0 {
            assert_eq!(books.recorded_twice, 0, "somebody recorded what was another's");
        }
        for (from, to) in &self.pauses {
            let allowed = *from + Duration::from_secs(1);
            let late = given.left.iter().filter(|left| (allowed..*to).contains(*left)).count();
            assert_eq!(late, 0, "sends during a pause from {from:?} to {to:?}");
        }
        drop(given);
        drop(books);
        let (busiest, allowed) = (self.busiest_second(), self.most_in_a_second());
        assert!(busiest <= allowed, "{busiest} sends within a second, and {allowed} are allowed");
    }

    /// The rate, and what may come late: a slot is used for 20 ms, and the way to the ledger shifts the clocks.
    fn most_in_a_second(&self) -> usize {
        let late = Duration::from_millis(25) + self.plan.weather.slowness;
        let shifted = late.as_micros() * u128::from(self.plan.per_second) / 1_000_000;
        usize::try_from(self.plan.per_second).unwrap() + usize::try_from(shifted).unwrap() + 2
    }

    /// The most requests that left within a second.
    pub(crate) fn busiest_second(&self) -> usize {
        let mut left = self.platform.given().left.clone();
        left.sort();
        let in_second = |(first, from): (usize, &Duration)| {
            left[first..].iter().take_while(|at| **at < *from + Duration::from_secs(1)).count()
        };
        left.iter().enumerate().map(in_second).max().unwrap_or(0)
    }

    pub(crate) fn count(&self, state: OutcomeState) -> u64 {
        self.ledger.books().tallies().iter().filter(|((of, _), _)| *of == state).map(|(_, count)| count).sum()
    }

    pub(crate) fn summary(&self) -> String {
        let books = self.ledger.books();
        let state = (books.state, &books.reason, books.open(), books.tallies());
        format!("{state:?} at {:?}, {} sends", self.clock.elapsed(), self.platform.given().left.len())
    }
}
