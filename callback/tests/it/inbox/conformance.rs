//! What every inbox must do. Each test gets an empty one.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use favor_callback::{Claimed, Delivery, Inbox, InboxId, Receipt, Settled, State, Stored};
use favor_core::Timestamp;
use futures_util::future::BoxFuture;

use super::records::{numbered, of, unknown, used};

pub(crate) const LEASE: Duration = Duration::from_secs(60);

/// An inbox, and power over the time that it goes by.
pub(crate) trait Place: Send + Sync {
    fn inbox(&self) -> Arc<dyn Inbox>;
    /// Lets time pass.
    fn pass(&self, time: Duration) -> BoxFuture<'_, ()>;
    fn now(&self) -> BoxFuture<'_, Timestamp>;
}

/// Declares a test for each of the functions here, in an inbox's own module.
macro_rules! conformance {
    ($place:expr; $($name:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            let place = $place.await;
            crate::inbox::conformance::$name(&place).await;
        }
    )*};
    ($place:expr) => {
        crate::inbox::conformance::conformance! { $place;
            a_notification_comes_back_as_it_was
            repeats_are_known_by_id
            repeats_are_known_by_use
            merchants_do_not_collide
            many_tasks_with_one_notification_give_one_new
            the_oldest_come_first_and_no_more_than_wanted
            what_is_claimed_is_nobody_elses
            a_lease_ends
            a_lease_is_renewed
            a_void_receipt_changes_nothing
            what_is_put_back_waits
            what_is_parked_stays_until_it_is_let_out
            one_is_let_out_and_the_others_stay
            counts_and_lists_agree
            a_list_goes_page_by_page
            handled_ones_are_forgotten_when_they_are_old
            arrivals_wake
            a_repeat_after_its_end_changes_nothing
            long_reasons_are_cut
            many_workers_handle_each_once
        }
    };
}
pub(crate) use conformance;

async fn claim(inbox: &dyn Inbox, most: usize) -> Vec<Delivery> {
    inbox.claim(most, LEASE).await.unwrap().deliveries
}

async fn claim_one(inbox: &dyn Inbox) -> Delivery {
    let mut deliveries = claim(inbox, 1).await;
    assert_eq!(deliveries.len(), 1);
    deliveries.remove(0)
}

async fn nothing_due(inbox: &dyn Inbox) -> Option<Duration> {
    let Claimed { deliveries, next_due, .. } = inbox.claim(10, LEASE).await.unwrap();
    assert!(deliveries.is_empty(), "{deliveries:?}");
    next_due
}

async fn states(inbox: &dyn Inbox) -> Vec<State> {
    inbox.list(None, 1_000).await.unwrap().into_iter().map(|entry| entry.state).collect()
}

fn ids(deliveries: &[Delivery]) -> Vec<InboxId> {
    deliveries.iter().map(|delivery| delivery.receipt.id).collect()
}

pub(crate) async fn a_notification_comes_back_as_it_was(place: &dyn Place) {
    let inbox = place.inbox();
    let before = place.now().await;
    let records = [numbered(1), unknown("EV-2"), of(numbered(3), None)];
    for record in &records {
        assert!(!inbox.store(record.clone()).await.unwrap().is_duplicate());
    }
    let listed = inbox.list(None, 10).await.unwrap();
    assert_eq!(listed.iter().map(|entry| entry.record.clone()).collect::<Vec<_>>(), records);
    for entry in &listed {
        assert_eq!((entry.state, entry.attempts, entry.times_received), (State::Waiting, 0, 1));
        assert_eq!((entry.handled_at, entry.reason.as_deref()), (None, None));
    }
    let deliveries = claim(&*inbox, 10).await;
    for (delivery, record) in deliveries.iter().zip(records) {
        assert_eq!(delivery.notification, record.into_notification().unwrap());
        assert_eq!(delivery.attempt, 1);
        let age = delivery.received_at.signed_duration_since(before);
        assert!((-1..600).contains(&age.num_seconds()), "{age}");
    }
    assert_eq!(deliveries.len(), 3);
}

pub(crate) async fn repeats_are_known_by_id(place: &dyn Place) {
    let inbox = place.inbox();
    let first = inbox.store(unknown("EV-1")).await.unwrap();
    assert_eq!(first, Stored::New(first.id()));
    assert_eq!(inbox.store(unknown("EV-1")).await.unwrap(), Stored::SameId(first.id()));
    // Also when it tells of something else by now, and when something else has that.
    let other = inbox.store(used("EV-2", "C1", "T1")).await.unwrap();
    assert_eq!(inbox.store(used("EV-1", "C1", "T1")).await.unwrap(), Stored::SameId(first.id()));
    assert_eq!(inbox.store(used("EV-2", "C2", "T2")).await.unwrap(), Stored::SameId(other.id()));
    let times: Vec<_> =
        inbox.list(None, 10).await.unwrap().into_iter().map(|entry| entry.times_received).collect();
    assert_eq!(times, [3, 2]);
    assert_eq!(inbox.counts().await.unwrap().duplicates, 3);
}

pub(crate) async fn repeats_are_known_by_use(place: &dyn Place) {
    let inbox = place.inbox();
    let first = inbox.store(used("EV-1", "C1", "T1")).await.unwrap();
    assert_eq!(inbox.store(used("EV-2", "C1", "T1")).await.unwrap(), Stored::SameUse(first.id()));
    // A refund gives the coupon back; spent again it is another use.
    let again = inbox.store(used("EV-3", "C1", "T2")).await.unwrap();
    assert_eq!(again, Stored::New(again.id()));
    assert!(again.id() > first.id());
    let shared = inbox.store(used("EV-4", "C2", "T2")).await.unwrap();
    assert_eq!(shared, Stored::New(shared.id()), "one payment can spend two coupons");
    // Notifications without a use have no second key.
    for id in ["EV-5", "EV-6"] {
        assert!(!inbox.store(unknown(id)).await.unwrap().is_duplicate());
    }
    assert_eq!(claim(&*inbox, 10).await.len(), 5);
}

pub(crate) async fn merchants_do_not_collide(place: &dyn Place) {
    let inbox = place.inbox();
    for merchant in [Some("1900000109"), Some("1900000110"), None] {
        let stored = inbox.store(of(numbered(1), merchant)).await.unwrap();
        assert_eq!(stored, Stored::New(stored.id()), "{merchant:?}");
        assert_eq!(inbox.store(of(numbered(1), merchant)).await.unwrap(), Stored::SameId(stored.id()));
    }
    let merchants: Vec<_> =
        inbox.list(None, 10).await.unwrap().into_iter().map(|entry| entry.record.merchant_id).collect();
    assert_eq!(merchants.iter().flatten().count(), 2);
    assert_eq!(merchants.len(), 3);
}

pub(crate) async fn many_tasks_with_one_notification_give_one_new(place: &dyn Place) {
    let inbox = place.inbox();
    for round in 0..4 {
        let tasks: Vec<_> = (0..64)
            .map(|task| {
                let inbox = Arc::clone(&inbox);
                // Half of them repeat the id, half the use only.
                let id = if task % 2 == 0 { format!("EV-{round}") } else { format!("EV-{round}-{task}") };
                let record = used(&id, &format!("C{round}"), "T1");
                tokio::spawn(async move { inbox.store(record).await.unwrap() })
            })
            .collect();
        let mut stored = Vec::new();
        for task in tasks {
            stored.push(task.await.unwrap());
        }
        assert_eq!(stored.iter().filter(|stored| !stored.is_duplicate()).count(), 1, "{stored:?}");
        assert_eq!(stored.iter().map(|stored| stored.id()).collect::<HashSet<_>>().len(), 1);
    }
    assert_eq!(inbox.counts().await.unwrap().waiting, 4);
    assert_eq!(inbox.counts().await.unwrap().duplicates, 4 * 63);
}

pub(crate) async fn the_oldest_come_first_and_no_more_than_wanted(place: &dyn Place) {
    let inbox = place.inbox();
    let mut stored = Vec::new();
    for number in 0..7 {
        stored.push(inbox.store(numbered(number)).await.unwrap().id());
    }
    assert!(stored.is_sorted());
    assert!(claim(&*inbox, 0).await.is_empty());
    assert_eq!(ids(&claim(&*inbox, 3).await), stored[..3]);
    assert_eq!(ids(&claim(&*inbox, 3).await), stored[3..6]);
    assert_eq!(ids(&claim(&*inbox, 3).await), stored[6..]);
    nothing_due(&*inbox).await;
}

pub(crate) async fn what_is_claimed_is_nobody_elses(place: &dyn Place) {
    let inbox = place.inbox();
    assert_eq!(nothing_due(&*inbox).await, None);
    inbox.store(numbered(1)).await.unwrap();
    let delivery = claim_one(&*inbox).await;
    let next_due = nothing_due(&*inbox).await.unwrap();
    assert!(next_due <= LEASE && next_due > Duration::ZERO, "{next_due:?}");
    assert_eq!(inbox.acknowledge(&delivery.receipt).await.unwrap(), Settled::Done);
    assert_eq!(nothing_due(&*inbox).await, None);
    assert_eq!(states(&*inbox).await, [State::Handled]);
}

pub(crate) async fn a_lease_ends(place: &dyn Place) {
    let inbox = place.inbox();
    inbox.store(numbered(1)).await.unwrap();
    let first = claim_one(&*inbox).await;
    assert_eq!(states(&*inbox).await, [State::Claimed]);
    place.pass(LEASE).await;
    assert_eq!(states(&*inbox).await, [State::Waiting], "nobody works on it");
    assert_eq!(inbox.counts().await.unwrap().waiting, 1);
    let second = claim_one(&*inbox).await;
    assert_eq!((first.attempt, second.attempt), (1, 2));
    assert_eq!(first.receipt.id, second.receipt.id);
    assert_eq!(inbox.acknowledge(&first.receipt).await.unwrap(), Settled::Void);
    assert_eq!(inbox.acknowledge(&second.receipt).await.unwrap(), Settled::Done);

    // A lease that ended is still good for settling, as long as nobody else has claimed.
    inbox.store(numbered(2)).await.unwrap();
    let late = claim_one(&*inbox).await;
    place.pass(LEASE * 2).await;
    assert_eq!(inbox.acknowledge(&late.receipt).await.unwrap(), Settled::Done);
}

pub(crate) async fn a_lease_is_renewed(place: &dyn Place) {
    let inbox = place.inbox();
    inbox.store(numbered(1)).await.unwrap();
    let delivery = claim_one(&*inbox).await;
    place.pass(LEASE / 2).await;
    assert_eq!(inbox.renew(&delivery.receipt, LEASE * 10).await.unwrap(), Settled::Done);
    place.pass(LEASE * 5).await;
    assert!(nothing_due(&*inbox).await.unwrap() <= LEASE * 5);
    place.pass(LEASE * 5).await;
    claim_one(&*inbox).await;
    assert_eq!(inbox.renew(&delivery.receipt, LEASE).await.unwrap(), Settled::Void);
}

pub(crate) async fn a_void_receipt_changes_nothing(place: &dyn Place) {
    let inbox = place.inbox();
    inbox.store(numbered(1)).await.unwrap();
    let old = claim_one(&*inbox).await.receipt;
    place.pass(LEASE).await;
    let good = claim_one(&*inbox).await.receipt;
    let forged = Receipt { id: InboxId(good.id.0 + 1), fence: good.fence };
    let later = Receipt { id: good.id, fence: good.fence + 1 };
    for void in [old, forged, later] {
        assert_eq!(inbox.renew(&void, LEASE).await.unwrap(), Settled::Void);
        assert_eq!(inbox.acknowledge(&void).await.unwrap(), Settled::Void);
        assert_eq!(inbox.put_back(&void, Duration::ZERO, "no").await.unwrap(), Settled::Void);
        assert_eq!(inbox.park(&void, "no").await.unwrap(), Settled::Void);
    }
    assert_eq!(states(&*inbox).await, [State::Claimed]);
    assert_eq!(inbox.acknowledge(&good).await.unwrap(), Settled::Done);
    assert_eq!(inbox.acknowledge(&good).await.unwrap(), Settled::Void, "it is settled");
    assert_eq!(inbox.put_back(&good, Duration::ZERO, "no").await.unwrap(), Settled::Void);
    assert_eq!(inbox.park(&good, "no").await.unwrap(), Settled::Void);
    let entry = inbox.list(None, 1).await.unwrap().remove(0);
    assert_eq!((entry.state, entry.reason), (State::Handled, None));
}

pub(crate) async fn what_is_put_back_waits(place: &dyn Place) {
    let inbox = place.inbox();
    inbox.store(numbered(1)).await.unwrap();
    inbox.store(numbered(2)).await.unwrap();
    let first = claim_one(&*inbox).await;
    let put = inbox.put_back(&first.receipt, LEASE * 3, "the shop is closed").await.unwrap();
    assert_eq!(put, Settled::Done);
    let second = claim_one(&*inbox).await;
    assert_ne!(first.receipt.id, second.receipt.id);
    inbox.acknowledge(&second.receipt).await.unwrap();
    let next_due = nothing_due(&*inbox).await.unwrap();
    assert!(next_due <= LEASE * 3 && next_due > LEASE, "{next_due:?}");
    let entry = inbox.list(None, 1).await.unwrap().remove(0);
    assert_eq!((entry.state, entry.reason.as_deref()), (State::Waiting, Some("the shop is closed")));

    place.pass(LEASE * 3).await;
    let again = claim_one(&*inbox).await;
    assert_eq!((again.receipt.id, again.attempt), (first.receipt.id, 2));
    inbox.put_back(&again.receipt, Duration::ZERO, "").await.unwrap();
    assert_eq!(claim_one(&*inbox).await.attempt, 3);
}

pub(crate) async fn what_is_parked_stays_until_it_is_let_out(place: &dyn Place) {
    let inbox = place.inbox();
    inbox.store(numbered(1)).await.unwrap();
    let delivery = claim_one(&*inbox).await;
    assert_eq!(inbox.park(&delivery.receipt, "no such order").await.unwrap(), Settled::Done);
    place.pass(LEASE * 1_000).await;
    assert_eq!(nothing_due(&*inbox).await, None);
    let entry = inbox.list(None, 1).await.unwrap().remove(0);
    assert_eq!((entry.state, entry.reason.as_deref()), (State::Parked, Some("no such order")));
    assert_eq!(inbox.store(numbered(1)).await.unwrap(), Stored::SameId(delivery.receipt.id));
    assert_eq!(nothing_due(&*inbox).await, None, "a repeat does not let it out");
    assert_eq!(inbox.unpark(None).await.unwrap(), 1);
    assert_eq!(inbox.unpark(None).await.unwrap(), 0);
    assert_eq!(inbox.acknowledge(&delivery.receipt).await.unwrap(), Settled::Void);
    assert_eq!(claim_one(&*inbox).await.attempt, 2);
}

pub(crate) async fn one_is_let_out_and_the_others_stay(place: &dyn Place) {
    let inbox = place.inbox();
    for number in 0..3 {
        inbox.store(numbered(number)).await.unwrap();
    }
    for delivery in claim(&*inbox, 2).await {
        inbox.park(&delivery.receipt, "later").await.unwrap();
    }
    let entries = inbox.list(None, 10).await.unwrap();
    assert_eq!(inbox.unpark(Some(entries[2].id)).await.unwrap(), 0, "it is not parked");
    assert_eq!(inbox.unpark(Some(InboxId(i64::MAX))).await.unwrap(), 0);
    assert_eq!(inbox.unpark(Some(entries[1].id)).await.unwrap(), 1);
    assert_eq!(states(&*inbox).await, [State::Parked, State::Waiting, State::Waiting]);
}

pub(crate) async fn counts_and_lists_agree(place: &dyn Place) {
    let inbox = place.inbox();
    assert_eq!(inbox.counts().await.unwrap(), favor_callback::Counts::default());
    for number in 0..10 {
        inbox.store(numbered(number)).await.unwrap();
    }
    inbox.store(numbered(3)).await.unwrap();
    let deliveries = claim(&*inbox, 6).await;
    inbox.acknowledge(&deliveries[0].receipt).await.unwrap();
    inbox.acknowledge(&deliveries[1].receipt).await.unwrap();
    inbox.park(&deliveries[2].receipt, "").await.unwrap();
    inbox.put_back(&deliveries[3].receipt, LEASE, "").await.unwrap();
    let counts = inbox.counts().await.unwrap();
    assert_eq!((counts.waiting, counts.claimed), (5, 2));
    assert_eq!((counts.handled, counts.parked, counts.duplicates), (2, 1, 1));
    let states = states(&*inbox).await;
    let count = |wanted| states.iter().filter(|state| **state == wanted).count();
    assert_eq!((count(State::Waiting), count(State::Claimed)), (5, 2));
    assert_eq!((count(State::Handled), count(State::Parked)), (2, 1));
}

pub(crate) async fn a_list_goes_page_by_page(place: &dyn Place) {
    let inbox = place.inbox();
    for number in 0..7 {
        inbox.store(numbered(number)).await.unwrap();
    }
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let page = inbox.list(after, 3).await.unwrap();
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 3);
        after = Some(last.id);
        seen.extend(page.into_iter().map(|entry| entry.record));
    }
    assert_eq!(seen, (0..7).map(numbered).collect::<Vec<_>>());
    assert!(inbox.list(None, 0).await.unwrap().is_empty());
    assert!(inbox.list(Some(InboxId(i64::MAX)), 3).await.unwrap().is_empty());
}

pub(crate) async fn handled_ones_are_forgotten_when_they_are_old(place: &dyn Place) {
    let inbox = place.inbox();
    for number in 0..4 {
        inbox.store(numbered(number)).await.unwrap();
    }
    let deliveries = claim(&*inbox, 3).await;
    inbox.acknowledge(&deliveries[0].receipt).await.unwrap();
    inbox.park(&deliveries[1].receipt, "").await.unwrap();
    place.pass(LEASE * 100).await;
    inbox.acknowledge(&deliveries[2].receipt).await.unwrap();
    let long_ago = place.now().await - LEASE * 200;
    assert_eq!(inbox.purge(long_ago).await.unwrap(), 0);
    let recently = place.now().await - LEASE * 50;
    assert_eq!(inbox.purge(recently).await.unwrap(), 1, "only what is handled, and long enough ago");
    assert_eq!(inbox.purge(recently).await.unwrap(), 0);
    assert_eq!(states(&*inbox).await, [State::Parked, State::Handled, State::Waiting]);
    let newest = inbox.list(None, 10).await.unwrap().last().unwrap().id;
    let again = inbox.store(numbered(0)).await.unwrap();
    assert_eq!(again, Stored::New(again.id()), "what was forgotten is new");
    assert!(again.id() > newest);
}

pub(crate) async fn arrivals_wake(place: &dyn Place) {
    let inbox = place.inbox();
    nothing_due(&*inbox).await;
    let arrival = inbox.arrival();
    inbox.store(numbered(1)).await.unwrap();
    arrival.await;
    // What arrived before anybody waited counts too.
    inbox.arrival().await;
    let delivery = claim_one(&*inbox).await;
    nothing_due(&*inbox).await;
    inbox.park(&delivery.receipt, "").await.unwrap();
    let arrival = inbox.arrival();
    inbox.unpark(None).await.unwrap();
    arrival.await;
    let delivery = claim_one(&*inbox).await;
    nothing_due(&*inbox).await;
    let arrival = inbox.arrival();
    inbox.put_back(&delivery.receipt, Duration::ZERO, "").await.unwrap();
    arrival.await;
    // A claim that left something for others has not seen all.
    for number in 2..6 {
        inbox.store(numbered(number)).await.unwrap();
    }
    claim(&*inbox, 2).await;
    inbox.arrival().await;
}

pub(crate) async fn a_repeat_after_its_end_changes_nothing(place: &dyn Place) {
    let inbox = place.inbox();
    let stored = inbox.store(numbered(1)).await.unwrap();
    let delivery = claim_one(&*inbox).await;
    assert_eq!(inbox.store(numbered(1)).await.unwrap(), Stored::SameId(stored.id()));
    inbox.acknowledge(&delivery.receipt).await.unwrap();
    assert_eq!(inbox.store(numbered(1)).await.unwrap(), Stored::SameId(stored.id()));
    assert_eq!(inbox.store(used("EV-other", "C1", "T1")).await.unwrap(), Stored::SameUse(stored.id()));
    assert_eq!(nothing_due(&*inbox).await, None);
    assert_eq!(states(&*inbox).await, [State::Handled]);
    assert_eq!(inbox.counts().await.unwrap().duplicates, 3);
}

pub(crate) async fn long_reasons_are_cut(place: &dyn Place) {
    let inbox = place.inbox();
    inbox.store(numbered(1)).await.unwrap();
    let delivery = claim_one(&*inbox).await;
    let long = format!("a\0b{}", "券".repeat(10_000));
    inbox.park(&delivery.receipt, &long).await.unwrap();
    let reason = inbox.list(None, 1).await.unwrap().remove(0).reason.unwrap();
    assert!(reason.starts_with('a') && reason.ends_with('券') && reason.chars().count() == 1_000);
}

pub(crate) async fn many_workers_handle_each_once(place: &dyn Place) {
    const ALL: usize = 300;
    let inbox = place.inbox();
    let stores: Vec<_> = (0..ALL)
        .map(|number| {
            let inbox = Arc::clone(&inbox);
            tokio::spawn(async move { inbox.store(numbered(number)).await.unwrap() })
        })
        .collect();
    let workers: Vec<_> = (0..6)
        .map(|_| {
            let inbox = Arc::clone(&inbox);
            tokio::spawn(async move {
                let mut handled = Vec::new();
                // Ends when every notification is there and handled.
                while usize::try_from(inbox.counts().await.unwrap().handled).unwrap() < ALL {
                    for delivery in claim(&*inbox, 7).await {
                        assert_eq!(inbox.acknowledge(&delivery.receipt).await.unwrap(), Settled::Done);
                        handled.push(delivery.receipt.id);
                    }
                }
                handled
            })
        })
        .collect();
    for store in stores {
        assert!(!store.await.unwrap().is_duplicate());
    }
    let mut handled = Vec::new();
    for worker in workers {
        handled.extend(worker.await.unwrap());
    }
    assert_eq!(handled.len(), ALL);
    assert_eq!(handled.into_iter().collect::<HashSet<_>>().len(), ALL);
}
