//! States, and the orders that change them.

use std::time::Duration;

use chrono::TimeDelta;
use favor_campaign::{Books, CampaignId, Claimed, LedgerError, Order, OutcomeState, State};

use super::{
    LEASE, Place, assert_not_now, claim, claim_later, done, manifest, pause, planned, record, refused,
    running, send_all, state, worker,
};

/// A campaign in a state.
async fn in_state(books: &dyn Books, name: &str, wanted: State) -> CampaignId {
    if wanted == State::Importing {
        return books.begin(&manifest(name)).await.unwrap().0;
    }
    let campaign = planned(books, name, 2, 2, 1).await;
    let orders: &[Order] = match wanted {
        State::Planned => &[],
        State::Paused => &[Order::Start, pause("a reason", false)],
        State::Stopped => &[Order::Start, Order::Stop],
        _ => &[Order::Start],
    };
    for order in orders {
        books.order(campaign, order.clone()).await.unwrap();
    }
    if wanted == State::Finished {
        send_all(books, campaign).await;
        books.order(campaign, Order::Finish).await.unwrap();
    }
    campaign
}

pub(crate) async fn every_order_in_every_state(place: &dyn Place) {
    use State::{Finished, Paused, Planned, Running, Stopped};
    let books = place.books();
    // What comes of start, pause, resume, stop and finish; on finish, two coupons are open but for the last.
    let table = [
        (State::Importing, [None, None, None, None, None]),
        (Planned, [Some(Running), None, None, None, None]),
        (Running, [Some(Running), Some(Paused), None, Some(Stopped), None]),
        (Paused, [None, Some(Paused), Some(Running), Some(Stopped), None]),
        (Stopped, [Some(Running), None, None, None, None]),
        (Finished, [None, None, None, None, None]),
    ];
    assert_eq!(table.map(|(state, _)| state), State::ALL);
    for (from, outcomes) in table {
        let orders = [Order::Start, pause("another reason", true), Order::Resume, Order::Stop, Order::Finish];
        for (number, (order, outcome)) in orders.into_iter().zip(outcomes).enumerate() {
            let campaign = in_state(&*books, &format!("{from}-{number}"), from).await;
            let before = books.standing(campaign).await.unwrap();
            assert_eq!(before.state, from);
            let history = books.history(campaign).await.unwrap();
            let given = books.order(campaign, order.clone()).await;
            let after = books.standing(campaign).await.unwrap();
            match outcome {
                Some(wanted) => {
                    let given = given.unwrap();
                    assert_eq!((given.state, after.state), (wanted, wanted), "{order:?} when {from}");
                    assert_eq!(given.reason, after.reason);
                }
                None => {
                    assert_not_now(given, from);
                    assert_eq!((after.state, &after.reason), (from, &before.reason), "{order:?} when {from}");
                    assert_eq!(books.history(campaign).await.unwrap(), history);
                }
            }
            assert_eq!(after.paused_by_operator, after.reason.as_deref() == Some("another reason"));
            if after.state != Paused {
                assert_eq!((&after.reason, after.paused_until), (&None, None), "{order:?} when {from}");
            }
        }
    }
}

pub(crate) async fn a_pause_says_why(place: &dyn Place) {
    let books = place.books();
    let campaign = running(&*books, "why", 2, 2, 1).await;
    let standing = books.order(campaign, pause("the budget is used up", false)).await.unwrap();
    assert_eq!((standing.state, standing.reason.as_deref()), (State::Paused, Some("the budget is used up")));
    assert_eq!((standing.paused_by_operator, standing.paused_until), (false, None));
    // The newer one counts.
    let until = place.now().await + TimeDelta::hours(1);
    let newer = Order::Pause { reason: "'daily' 额度".to_owned(), until: Some(until), by_operator: false };
    let standing = books.order(campaign, newer).await.unwrap();
    assert_eq!(standing.reason.as_deref(), Some("'daily' 额度"));
    let off = standing.paused_until.unwrap().signed_duration_since(until).num_milliseconds();
    assert!(off.abs() <= 1, "{off}");
    let standing = books.order(campaign, pause("forever", false)).await.unwrap();
    assert_eq!((standing.reason.as_deref(), standing.paused_until), (Some("forever"), None));
    let standing = books.order(campaign, Order::Resume).await.unwrap();
    assert_eq!((standing.state, standing.reason), (State::Running, None));
    let told: Vec<_> = books.history(campaign).await.unwrap().into_iter().map(|entry| entry.detail).collect();
    assert!(told.contains(&Some("the budget is used up".to_owned())), "{told:?}");
}

pub(crate) async fn a_pause_by_a_person_is_not_overridden(place: &dyn Place) {
    let books = place.books();
    let campaign = running(&*books, "person", 2, 2, 1).await;
    books.order(campaign, pause("a worker's reason", false)).await.unwrap();
    books.order(campaign, pause("lunch", true)).await.unwrap();
    let until = Some(place.now().await + TimeDelta::seconds(60));
    let by_worker = Order::Pause { reason: "the budget".to_owned(), until, by_operator: false };
    let standing = books.order(campaign, by_worker).await.unwrap();
    assert_eq!(
        (standing.state, standing.reason.as_deref(), standing.paused_by_operator, standing.paused_until),
        (State::Paused, Some("lunch"), true, None)
    );
    let standing = books.order(campaign, pause("tea", true)).await.unwrap();
    assert_eq!((standing.reason.as_deref(), standing.paused_by_operator), (Some("tea"), true));
    place.pass(Duration::from_secs(3_600)).await;
    assert_eq!(state(&*books, campaign).await, State::Paused);
    assert_eq!(books.order(campaign, Order::Resume).await.unwrap().state, State::Running);
}

pub(crate) async fn a_pause_ends_when_its_time_has_come(place: &dyn Place) {
    let books = place.books();
    for (number, by_operator) in [false, true].into_iter().enumerate() {
        let campaign = running(&*books, &format!("until-{number}"), 2, 1, 1).await;
        let until = place.now().await + TimeDelta::seconds(3_600);
        let order = Order::Pause { reason: "night".to_owned(), until: Some(until), by_operator };
        books.order(campaign, order.clone()).await.unwrap();
        let next = claim_later(&*books, campaign).await.unwrap();
        assert!(next > Duration::from_secs(1_800) && next <= Duration::from_secs(3_601), "{next:?}");
        place.pass(Duration::from_secs(1_800)).await;
        assert_eq!(state(&*books, campaign).await, State::Paused);
        place.pass(Duration::from_secs(1_801)).await;
        let standing = books.standing(campaign).await.unwrap();
        assert_eq!((standing.state, standing.reason), (State::Running, None));
        assert_eq!((standing.paused_by_operator, standing.paused_until), (false, None));
        assert_not_now(books.order(campaign, Order::Resume).await, State::Running);
        claim(&*books, campaign, 1).await;
        let words: Vec<_> =
            books.history(campaign).await.unwrap().into_iter().map(|entry| entry.what).collect();
        assert_eq!(words, ["planned", "sealed", "started", "paused", "resumed"]);
        // It is resumed once.
        claim(&*books, campaign, 1).await;
        assert_eq!(books.history(campaign).await.unwrap().len(), 5);
        // An order finds it running.
        let again = Order::Pause { reason: "noon".to_owned(), until: None, by_operator: false };
        let standing = books.order(campaign, again).await.unwrap();
        assert_eq!((standing.state, standing.reason.as_deref()), (State::Paused, Some("noon")));
    }
    // One that lies in the past is over at once.
    let campaign = running(&*books, "past", 1, 1, 1).await;
    let until = place.now().await - TimeDelta::seconds(10);
    let past = Order::Pause { reason: "past".to_owned(), until: Some(until), by_operator: false };
    assert_eq!(books.order(campaign, past).await.unwrap().state, State::Running);
    claim(&*books, campaign, 1).await;
}

pub(crate) async fn a_campaign_ends_when_nothing_is_open(place: &dyn Place) {
    let books = place.books();
    let campaign = running(&*books, "ends", 2, 1, 1).await;
    let first = claim(&*books, campaign, 1).await;
    let second = claim(&*books, campaign, 1).await;
    record(&*books, &first, &[refused(0, 0, "X")]).await;
    done(&*books, &first).await;
    assert_not_now(books.order(campaign, Order::Finish).await, State::Running);
    assert_eq!(books.standing(campaign).await.unwrap().finished_at, None);
    record(&*books, &second, &[refused(1, 0, "X")]).await;
    // Whoever settled the last one did not live to say so.
    let standing = books.order(campaign, Order::Finish).await.unwrap();
    assert_eq!((standing.state, standing.workers), (State::Finished, 0));
    let (started, finished) = (standing.started_at.unwrap(), standing.finished_at.unwrap());
    assert!(started <= finished && finished <= standing.now, "{standing:?}");
    assert_eq!(books.claim(campaign, &worker(1), LEASE).await.unwrap(), Claimed::AllDone);
    assert_not_now(books.order(campaign, Order::Finish).await, State::Finished);
}

pub(crate) async fn a_stopped_campaign_goes_on(place: &dyn Place) {
    let books = place.books();
    let campaign = running(&*books, "goes-on", 3, 1, 1).await;
    let started = books.standing(campaign).await.unwrap().started_at.unwrap();
    let held = claim(&*books, campaign, 1).await;
    record(&*books, &held, &[refused(0, 0, "X")]).await;
    done(&*books, &held).await;
    place.pass(Duration::from_secs(60)).await;
    books.order(campaign, pause("lunch", true)).await.unwrap();
    books.order(campaign, Order::Stop).await.unwrap();
    let standing = books.order(campaign, Order::Start).await.unwrap();
    assert_eq!((standing.state, standing.reason), (State::Running, None));
    assert!(standing.started_at.unwrap() <= started, "the first time counts");
    send_all(&*books, campaign).await;
    let standing = books.order(campaign, Order::Finish).await.unwrap();
    assert_eq!([OutcomeState::Refused, OutcomeState::Sent].map(|state| standing.count(state)), [1, 2]);
}

pub(crate) async fn a_campaign_of_nobody_ends(place: &dyn Place) {
    let books = place.books();
    let (campaign, _) = books.begin(&manifest("nobody")).await.unwrap();
    books.seal(campaign, 0, 10).await.unwrap();
    books.order(campaign, Order::Start).await.unwrap();
    assert_eq!(books.claim(campaign, &worker(1), LEASE).await.unwrap(), Claimed::AllDone);
    assert_eq!(books.order(campaign, Order::Finish).await.unwrap().state, State::Finished);
    assert!(books.rows(campaign, None, 10).await.unwrap().is_empty());
}

pub(crate) async fn the_history_tells_it_all(place: &dyn Place) {
    let books = place.books();
    let campaign = running(&*books, "history", 2, 2, 1).await;
    let before = place.now().await;
    // What changes nothing is not told.
    books.order(campaign, Order::Start).await.unwrap();
    books.order(campaign, pause("lunch", true)).await.unwrap();
    books.order(campaign, pause("ignored", false)).await.unwrap();
    books.order(campaign, Order::Resume).await.unwrap();
    assert!(matches!(books.order(campaign, Order::Finish).await.unwrap_err(), LedgerError::NotNow { .. }));
    books.order(campaign, Order::Stop).await.unwrap();
    books.order(campaign, Order::Start).await.unwrap();
    send_all(&*books, campaign).await;
    books.order(campaign, Order::Finish).await.unwrap();
    let history = books.history(campaign).await.unwrap();
    let told: Vec<_> = history.iter().map(|entry| (entry.what.as_str(), entry.detail.as_deref())).collect();
    assert_eq!(told[0], ("planned", None));
    assert_eq!(told[1].0, "sealed");
    let rest = [
        ("started", None),
        ("paused", Some("lunch")),
        ("resumed", None),
        ("stopped", None),
        ("started", None),
        ("finished", None),
    ];
    assert_eq!(told[2..], rest);
    assert!(history.is_sorted_by_key(|entry| entry.at), "{history:?}");
    let age = history[7].at.signed_duration_since(before).num_seconds();
    assert!((-1..600).contains(&age), "{age}");
}
