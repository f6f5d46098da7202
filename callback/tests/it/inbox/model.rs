//! Random work on an inbox, held against a small model of it in memory.

use std::time::Duration;

use chrono::TimeDelta;
use favor_callback::{Counts, Inbox, InboxId, Receipt, Settled, State, Stored};
use proptest::prelude::*;

use super::conformance::Place;
use super::records::{of, unknown, used};

/// Leases, delays, and what passes are so far apart that it does not matter how long the test itself takes.
const LEASE: Duration = Duration::from_secs(90 * 60);
const DELAY: Duration = Duration::from_secs(150 * 60);
const HOUR: Duration = Duration::from_secs(60 * 60);
/// A moment, so that no two things happen at the same one.
const MOMENT: Duration = Duration::from_millis(1);

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Store { merchant: bool, id: u8, coupon: Option<u8> },
    Claim(usize),
    Settle(Verdict, usize),
    Pass(u32),
    Unpark(Option<usize>),
    Purge(u32),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Verdict {
    Renew,
    Acknowledge,
    PutBack(bool),
    Park,
}

pub(crate) fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let verdict = prop_oneof![
        Just(Verdict::Renew),
        Just(Verdict::Acknowledge),
        any::<bool>().prop_map(Verdict::PutBack),
        Just(Verdict::Park),
    ];
    let step = prop_oneof![
        5 => (any::<bool>(), 0u8..6, proptest::option::of(0u8..4))
            .prop_map(|(merchant, id, coupon)| Step::Store { merchant, id, coupon }),
        4 => (0usize..4).prop_map(Step::Claim),
        6 => (verdict, 0usize..8).prop_map(|(verdict, receipt)| Step::Settle(verdict, receipt)),
        2 => (1u32..4).prop_map(Step::Pass),
        1 => proptest::option::of(0usize..8).prop_map(Step::Unpark),
        1 => (0u32..4).prop_map(Step::Purge),
    ];
    proptest::collection::vec(step, 1..most)
}

/// What the inbox should hold of one notification. Times are since the beginning.
#[derive(Debug)]
struct Row {
    id: InboxId,
    key: (bool, u8),
    coupon: Option<u8>,
    state: State,
    due: Duration,
    fence: i64,
    attempts: u32,
    times: u64,
    handled: Duration,
}

#[derive(Default)]
struct Model {
    now: Duration,
    rows: Vec<Row>,
    receipts: Vec<Receipt>,
}

impl Model {
    fn row(&mut self, id: InboxId) -> Option<&mut Row> {
        self.rows.iter_mut().find(|row| row.id == id)
    }

    fn shown(&self, row: &Row) -> State {
        if row.state == State::Claimed && row.due <= self.now { State::Waiting } else { row.state }
    }

    fn store(&mut self, key: (bool, u8), coupon: Option<u8>, stored: Stored) {
        let same_use = |row: &Row| coupon.is_some() && row.key.0 == key.0 && row.coupon == coupon;
        let expected = match self.rows.iter().find(|row| row.key == key) {
            Some(row) => Stored::SameId(row.id),
            None => match self.rows.iter().find(|row| same_use(row)) {
                Some(row) => Stored::SameUse(row.id),
                None => Stored::New(stored.id()),
            },
        };
        assert_eq!(stored, expected);
        let (id, due) = (stored.id(), self.now);
        match self.row(id) {
            Some(row) => row.times += 1,
            None => {
                assert!(self.rows.last().is_none_or(|last| last.id < id));
                let (state, handled) = (State::Waiting, Duration::MAX);
                self.rows.push(Row { id, key, coupon, state, due, fence: 0, attempts: 0, times: 1, handled });
            }
        }
    }

    /// The next `most` that are due, with what they are settled with.
    fn claim(&mut self, most: usize) -> Vec<(InboxId, u32)> {
        let is_open = |row: &Row| matches!(row.state, State::Waiting | State::Claimed);
        let now = self.now;
        let mut due: Vec<_> = self.rows.iter_mut().filter(|row| is_open(row) && row.due <= now).collect();
        due.sort_by_key(|row| (row.due, row.id));
        due.truncate(most);
        due.into_iter()
            .map(|row| {
                row.state = State::Claimed;
                row.due = now + LEASE;
                row.fence += 1;
                row.attempts += 1;
                (row.id, row.attempts)
            })
            .collect()
    }

    fn settle(&mut self, verdict: Verdict, receipt: &Receipt, fence: i64) -> Settled {
        let now = self.now;
        let Some(row) = self.row(receipt.id) else { return Settled::Void };
        if row.state != State::Claimed || row.fence != fence {
            return Settled::Void;
        }
        (row.state, row.due) = match verdict {
            Verdict::Renew => (State::Claimed, now + LEASE),
            Verdict::Acknowledge => (State::Handled, Duration::MAX),
            Verdict::PutBack(later) => (State::Waiting, if later { now + DELAY } else { now }),
            Verdict::Park => (State::Parked, Duration::MAX),
        };
        if let Verdict::Acknowledge = verdict {
            row.handled = now;
        }
        Settled::Done
    }

    fn unpark(&mut self, which: Option<InboxId>) -> u64 {
        let now = self.now;
        let parked = self.rows.iter_mut().filter(|row| row.state == State::Parked);
        let chosen = parked.filter(|row| which.is_none_or(|id| id == row.id));
        chosen.map(|row| (row.state, row.due) = (State::Waiting, now)).count().try_into().unwrap()
    }

    fn counts(&self) -> Counts {
        let count =
            |state| self.rows.iter().filter(|row| self.shown(row) == state).count().try_into().unwrap();
        Counts {
            waiting: count(State::Waiting),
            claimed: count(State::Claimed),
            handled: count(State::Handled),
            parked: count(State::Parked),
            duplicates: self.rows.iter().map(|row| row.times - 1).sum(),
        }
    }
}

async fn take(place: &dyn Place, model: &mut Model, step: Step) {
    let inbox = place.inbox();
    model.now += MOMENT;
    place.pass(MOMENT).await;
    match step {
        Step::Store { merchant, id, coupon } => {
            let name = format!("EV-{id}");
            let record = match coupon {
                Some(coupon) => used(&name, &format!("C{}", coupon / 2), &format!("T{}", coupon % 2)),
                None => unknown(&name),
            };
            let record = of(record, merchant.then_some("1900000109"));
            model.store((merchant, id), coupon, inbox.store(record).await.unwrap());
        }
        Step::Claim(most) => {
            let deliveries = inbox.claim(most, LEASE).await.unwrap().deliveries;
            let claimed: Vec<_> = deliveries.iter().map(|one| (one.receipt.id, one.attempt)).collect();
            assert_eq!(claimed, model.claim(most));
            model.receipts.extend(deliveries.into_iter().map(|delivery| delivery.receipt));
        }
        Step::Settle(verdict, back) => {
            let Some(place) = model.receipts.len().checked_sub(back + 1) else { return };
            let receipt = model.receipts[place].clone();
            let settled = settle(&*inbox, verdict, &receipt).await;
            assert_eq!(settled, model.settle(verdict, &receipt, receipt.fence));
        }
        Step::Pass(hours) => {
            model.now += HOUR * hours;
            place.pass(HOUR * hours).await;
        }
        Step::Unpark(which) => {
            let which = which.map(|place| model.rows.get(place).map_or(InboxId(i64::MAX), |row| row.id));
            assert_eq!(inbox.unpark(which).await.unwrap(), model.unpark(which));
        }
        Step::Purge(hours) => {
            let age = HOUR * hours + HOUR / 2;
            let before = place.now().await - TimeDelta::from_std(age).unwrap();
            let (rows, now) = (model.rows.len(), model.now);
            let newest = model.rows.iter().map(|row| row.id).max();
            model.rows.retain(|row| {
                Some(row.id) == newest || row.handled.checked_add(age).is_none_or(|end| end >= now)
            });
            let purged = u64::try_from(rows - model.rows.len()).unwrap();
            assert_eq!(inbox.purge(before).await.unwrap(), purged);
        }
    }
}

async fn settle(inbox: &dyn Inbox, verdict: Verdict, receipt: &Receipt) -> Settled {
    match verdict {
        Verdict::Renew => inbox.renew(receipt, LEASE).await,
        Verdict::Acknowledge => inbox.acknowledge(receipt).await,
        Verdict::PutBack(later) => {
            inbox.put_back(receipt, if later { DELAY } else { Duration::ZERO }, "again").await
        }
        Verdict::Park => inbox.park(receipt, "aside").await,
    }
    .unwrap()
}

/// Takes the steps, and compares all that can be seen after each.
pub(crate) async fn run(place: &dyn Place, steps: Vec<Step>) {
    let (inbox, mut model) = (place.inbox(), Model::default());
    for step in steps {
        take(place, &mut model, step).await;
        let listed = inbox.list(None, 1_000).await.unwrap();
        let listed: Vec<_> =
            listed.iter().map(|one| (one.id, one.state, one.attempts, one.times_received)).collect();
        let expected: Vec<_> =
            model.rows.iter().map(|row| (row.id, model.shown(row), row.attempts, row.times)).collect();
        assert_eq!(listed, expected);
        assert_eq!(inbox.counts().await.unwrap(), model.counts());
    }
}
