//! Chunks, leases and fences.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use favor_campaign::{Books, Claimed, Finish, Order, OutcomeState, Recorded, State};
use futures_util::future::join_all;

use super::{
    LEASE, Place, all_sent, claim, claim_later, done, openid, pause, planned, record, refused, running,
    send_all, sent, states, tallies, worker,
};

pub(crate) async fn chunks_are_claimed_in_their_order_and_each_once(place: &dyn Place) {
    let books = place.books();
    let campaign = running(&*books, "order", 10, 4, 2).await;
    let mut next = 0;
    for (chunk, size) in [(0, 4), (1, 4), (2, 2)] {
        let claim = claim(&*books, campaign, chunk).await;
        assert_eq!((claim.lease.campaign, claim.lease.chunk, claim.lease.fence), (campaign, chunk, 1));
        assert_eq!(claim.tasks.len(), size);
        for task in claim.tasks {
            assert_eq!((task.place, task.openid), (next, openid(next)));
            let open: Vec<_> =
                task.open.iter().map(|open| (open.slot, open.attempts, open.first_tried_at)).collect();
            assert_eq!(open, [(0, 0, None), (1, 0, None)]);
            next += 1;
        }
    }
    let next = claim_later(&*books, campaign).await.unwrap();
    assert!(next > Duration::ZERO && next <= LEASE, "{next:?}");
}

pub(crate) async fn only_a_running_campaign_is_worked_on(place: &dyn Place) {
    let books = place.books();
    let (importing, _) = books.begin(&super::manifest("importing")).await.unwrap();
    books.add_people(importing, &super::people(0..3)).await.unwrap();
    assert_eq!(claim_later(&*books, importing).await, None);
    let campaign = planned(&*books, "other", 3, 1, 1).await;
    assert_eq!(claim_later(&*books, campaign).await, None);
    books.order(campaign, Order::Start).await.unwrap();
    let held = claim(&*books, campaign, 1).await;
    books.order(campaign, pause("lunch", true)).await.unwrap();
    assert_eq!(claim_later(&*books, campaign).await, None);
    // What was under way is written down all the same.
    record(&*books, &held, &all_sent(&held)).await;
    done(&*books, &held).await;
    books.order(campaign, Order::Resume).await.unwrap();
    let held = claim(&*books, campaign, 1).await;
    books.order(campaign, Order::Stop).await.unwrap();
    assert_eq!(claim_later(&*books, campaign).await, None);
    record(&*books, &held, &all_sent(&held)).await;
    done(&*books, &held).await;
    books.order(campaign, Order::Start).await.unwrap();
    send_all(&*books, campaign).await;
    books.order(campaign, Order::Finish).await.unwrap();
    let claimed = books.claim(campaign, &worker(1), LEASE).await.unwrap();
    assert_eq!(claimed, Claimed::AllDone);
}

pub(crate) async fn a_lapsed_lease_goes_to_the_next(place: &dyn Place) {
    let books = place.books();
    let campaign = running(&*books, "lapse", 4, 2, 1).await;
    let first = claim(&*books, campaign, 1).await;
    let second = claim(&*books, campaign, 2).await;
    place.pass(LEASE / 2).await;
    record(&*books, &second, &[]).await;
    assert!(claim_later(&*books, campaign).await.unwrap() <= LEASE / 2, "it tells of the next to lapse");
    place.pass(LEASE / 2).await;
    let again = claim(&*books, campaign, 3).await;
    assert_eq!((again.lease.chunk, again.lease.fence), (first.lease.chunk, 2));
    assert_eq!(again.tasks, first.tasks);
    claim_later(&*books, campaign).await.unwrap();
    place.pass(LEASE / 2).await;
    let again = claim(&*books, campaign, 1).await;
    assert_eq!((again.lease.chunk, again.lease.fence), (second.lease.chunk, 2));
}

pub(crate) async fn a_zombie_changes_nothing(place: &dyn Place) {
    let books = place.books();
    let campaign = running(&*books, "zombie", 2, 2, 1).await;
    let zombie = claim(&*books, campaign, 1).await;
    record(&*books, &zombie, &[refused(0, 0, "FIRST")]).await;
    place.pass(LEASE).await;
    // The same worker cannot use its former lease either.
    let owner = claim(&*books, campaign, 1).await;
    let before = (states(&*books, campaign).await, tallies(&*books, campaign).await);
    for settled in [vec![], vec![sent(0, 0), sent(1, 0)], vec![refused(1, 0, "ZOMBIE")]] {
        assert_eq!(books.record(&zombie.lease, &settled, LEASE * 9).await.unwrap(), Recorded::Lost);
    }
    for how in [Finish::Done, Finish::GiveBack { after: Duration::ZERO }] {
        assert_eq!(books.finish(&zombie.lease, how).await.unwrap(), Recorded::Lost);
    }
    assert_eq!((states(&*books, campaign).await, tallies(&*books, campaign).await), before);
    assert!(claim_later(&*books, campaign).await.unwrap() <= LEASE, "neither freed nor held for longer");
    // A lease that never was is none.
    for (chunk, fence) in [(0, 3), (0, 0), (1, 1)] {
        let lease = favor_campaign::Lease { campaign, chunk, fence };
        assert_eq!(books.record(&lease, &[sent(1, 0)], LEASE).await.unwrap(), Recorded::Lost);
    }
    record(&*books, &owner, &all_sent(&owner)).await;
    done(&*books, &owner).await;
    assert_eq!(states(&*books, campaign).await, [OutcomeState::Refused, OutcomeState::Sent]);
}

pub(crate) async fn a_lapsed_lease_that_nobody_wanted_still_holds(place: &dyn Place) {
    let books = place.books();
    let campaign = running(&*books, "late", 1, 1, 1).await;
    let held = claim(&*books, campaign, 1).await;
    place.pass(LEASE * 3).await;
    record(&*books, &held, &[]).await;
    claim_later(&*books, campaign).await.unwrap();
    record(&*books, &held, &all_sent(&held)).await;
    done(&*books, &held).await;
    assert_eq!(states(&*books, campaign).await, [OutcomeState::Sent]);
}

pub(crate) async fn recording_makes_a_lease_last(place: &dyn Place) {
    let books = place.books();
    let campaign = running(&*books, "last", 2, 2, 1).await;
    let held = claim(&*books, campaign, 1).await;
    for settled in [vec![], vec![sent(0, 0)], vec![]] {
        place.pass(LEASE * 3 / 4).await;
        record(&*books, &held, &settled).await;
        let next = claim_later(&*books, campaign).await.unwrap();
        assert!(next > LEASE / 2 && next <= LEASE, "{next:?}");
    }
    // Also to an earlier end.
    assert_eq!(books.record(&held.lease, &[], LEASE / 10).await.unwrap(), Recorded::Done);
    place.pass(LEASE / 10).await;
    assert_eq!(claim(&*books, campaign, 2).await.lease.fence, 2);
}

pub(crate) async fn what_is_given_back_is_due_later(place: &dyn Place) {
    let books = place.books();
    let campaign = running(&*books, "back", 2, 1, 1).await;
    let (first, second) = (claim(&*books, campaign, 1).await, claim(&*books, campaign, 1).await);
    let after = Finish::GiveBack { after: Duration::from_secs(300) };
    assert_eq!(books.finish(&first.lease, after).await.unwrap(), Recorded::Done);
    let next = claim_later(&*books, campaign).await.unwrap();
    assert!(next > Duration::from_secs(100) && next <= Duration::from_secs(300), "{next:?}");
    let now = Finish::GiveBack { after: Duration::ZERO };
    assert_eq!(books.finish(&second.lease, now).await.unwrap(), Recorded::Done);
    place.pass(Duration::from_millis(1)).await;
    let again = claim(&*books, campaign, 2).await;
    assert_eq!((again.lease.chunk, again.lease.fence), (second.lease.chunk, 2));
    place.pass(Duration::from_secs(300)).await;
    let again = claim(&*books, campaign, 2).await;
    assert_eq!((again.lease.chunk, again.lease.fence), (first.lease.chunk, 2));
    assert_eq!(again.tasks, first.tasks);
}

pub(crate) async fn done_with_open_coupons_gives_back(place: &dyn Place) {
    let books = place.books();
    let campaign = running(&*books, "open", 2, 2, 2).await;
    let held = claim(&*books, campaign, 1).await;
    record(&*books, &held, &[sent(0, 0), sent(0, 1), sent(1, 1)]).await;
    done(&*books, &held).await;
    place.pass(Duration::from_millis(1)).await;
    let again = claim(&*books, campaign, 2).await;
    assert_eq!(again.lease.fence, 2);
    let open: Vec<_> =
        again.tasks.iter().map(|task| (task.place, task.open[0].slot, task.open.len())).collect();
    assert_eq!(open, [(1, 0, 1)]);
    record(&*books, &again, &[refused(1, 0, "X")]).await;
    done(&*books, &again).await;
    assert_eq!(books.claim(campaign, &worker(1), LEASE).await.unwrap(), Claimed::AllDone);
}

pub(crate) async fn ending_twice_does_no_harm(place: &dyn Place) {
    let books = place.books();
    let campaign = running(&*books, "twice", 2, 1, 1).await;
    let held = claim(&*books, campaign, 1).await;
    record(&*books, &held, &all_sent(&held)).await;
    for _ in 0..2 {
        done(&*books, &held).await;
    }
    let held = claim(&*books, campaign, 1).await;
    for _ in 0..2 {
        let back = Finish::GiveBack { after: Duration::ZERO };
        assert_eq!(books.finish(&held.lease, back).await.unwrap(), Recorded::Done);
    }
    place.pass(Duration::from_millis(1)).await;
    let owner = claim(&*books, campaign, 2).await;
    // Somebody else has it now.
    assert_eq!(books.finish(&held.lease, Finish::Done).await.unwrap(), Recorded::Lost);
    record(&*books, &owner, &all_sent(&owner)).await;
    done(&*books, &owner).await;
    assert_eq!(books.claim(campaign, &worker(1), LEASE).await.unwrap(), Claimed::AllDone);
}

pub(crate) async fn a_chunk_whose_coupons_are_settled_is_not_claimed(place: &dyn Place) {
    let books = place.books();
    let campaign = running(&*books, "settled", 3, 1, 1).await;
    for fate in [sent(0, 0), refused(1, 0, "X"), super::settled(2, 0, favor_campaign::Fate::Unknown, None)] {
        let held = claim(&*books, campaign, 1).await;
        record(&*books, &held, &[fate]).await;
        done(&*books, &held).await;
    }
    assert_eq!(books.claim(campaign, &worker(1), LEASE).await.unwrap(), Claimed::AllDone);
    place.pass(LEASE * 2).await;
    assert_eq!(books.claim(campaign, &worker(1), LEASE).await.unwrap(), Claimed::AllDone);
    assert_eq!(books.standing(campaign).await.unwrap().state, State::Running, "until somebody says so");
}

pub(crate) async fn what_a_dead_worker_settled_is_not_done_again(place: &dyn Place) {
    let books = place.books();
    let campaign = running(&*books, "dead", 3, 3, 2).await;
    let dead = claim(&*books, campaign, 1).await;
    let settled = [
        sent(0, 0),
        sent(0, 1),
        refused(1, 1, "X"),
        super::settled(2, 0, favor_campaign::Fate::Parked, None),
    ];
    record(&*books, &dead, &settled).await;
    place.pass(LEASE).await;
    let heir = claim(&*books, campaign, 2).await;
    let open: Vec<_> =
        heir.tasks.iter().flat_map(|task| task.open.iter().map(|open| (task.place, open.slot))).collect();
    assert_eq!(open, [(1, 0), (2, 1)]);
    record(&*books, &heir, &all_sent(&heir)).await;
    // It dies between recording and ending: the next one finds nothing to do.
    place.pass(LEASE).await;
    let heir = claim(&*books, campaign, 3).await;
    assert!(heir.tasks.is_empty(), "{:?}", heir.tasks);
    done(&*books, &heir).await;
    assert_eq!(books.claim(campaign, &worker(1), LEASE).await.unwrap(), Claimed::AllDone);
}

pub(crate) async fn workers_are_counted(place: &dyn Place) {
    let books = place.books();
    let campaign = running(&*books, "workers", 5, 1, 1).await;
    let count = async || books.standing(campaign).await.unwrap().workers;
    assert_eq!(count().await, 0);
    let first = claim(&*books, campaign, 1).await;
    claim(&*books, campaign, 1).await;
    let third = claim(&*books, campaign, 2).await;
    assert_eq!(count().await, 2);
    let later = Finish::GiveBack { after: LEASE * 2 };
    assert_eq!(books.finish(&third.lease, later).await.unwrap(), Recorded::Done);
    assert_eq!(count().await, 1);
    place.pass(LEASE / 2).await;
    record(&*books, &first, &[]).await;
    place.pass(LEASE / 2).await;
    assert_eq!(count().await, 1, "one lease lapsed");
    place.pass(LEASE / 2).await;
    assert_eq!(count().await, 0);
}

pub(crate) async fn many_tasks_claim_each_chunk_once(place: &dyn Place) {
    let books = place.books();
    let campaign = running(&*books, "many", 200, 2, 1).await;
    let tasks = (0..8).map(|number| {
        let books: Arc<dyn Books> = Arc::clone(&books);
        tokio::spawn(async move {
            let mut places = Vec::new();
            while let Claimed::Chunk(claim) = books.claim(campaign, &worker(number), LEASE).await.unwrap() {
                places.extend(claim.tasks.iter().map(|task| task.place));
                record(&*books, &claim, &all_sent(&claim)).await;
                done(&*books, &claim).await;
            }
            places
        })
    });
    let mut times = BTreeMap::new();
    for place in join_all(tasks).await.into_iter().flat_map(Result::unwrap) {
        *times.entry(place).or_insert(0) += 1;
    }
    assert!(times.len() == 200 && times.values().all(|times| *times == 1), "{times:?}");
    assert_eq!(books.claim(campaign, &worker(1), LEASE).await.unwrap(), Claimed::AllDone);
    let standing = books.order(campaign, Order::Finish).await.unwrap();
    assert_eq!((standing.state, standing.count(OutcomeState::Sent)), (State::Finished, 200));
}
