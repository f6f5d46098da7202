//! Opening again, forgetting, and looking things up.

use std::time::Duration;

use favor_campaign::{
    Claimed, Fate, Finish, LedgerError, Order, OutcomeState, Recorded, Reopen, Settlement, State,
};
use favor_core::OpenId;

use super::{
    LEASE, Place, all_sent, assert_not_now, at, claim, done, manifest, openid, pause, people, planned,
    record, refused, rows, running, send_all, sent, settled, state, states, tallies, tally, worker,
};

fn which(states: &[OutcomeState], codes: &[&str]) -> Reopen {
    Reopen { states: states.to_vec(), codes: codes.iter().map(|code| (*code).to_owned()).collect() }
}

const ALL_BUT_OPEN: [OutcomeState; 4] =
    [OutcomeState::Sent, OutcomeState::Refused, OutcomeState::Parked, OutcomeState::Unknown];

pub(crate) async fn settled_coupons_are_opened_again(place: &dyn Place) {
    let books = place.books();
    let campaign = running(&*books, "reopen", 3, 3, 1).await;
    let held = claim(&*books, campaign, 1).await;
    let tried =
        Settlement { attempts: 20, first_tried_at: at(7), ..settled(1, 0, Fate::Unknown, Some("timeout")) };
    record(&*books, &held, &[sent(0, 0), tried, refused(2, 0, "X")]).await;
    done(&*books, &held).await;
    assert_eq!(books.claim(campaign, &worker(1), LEASE).await.unwrap(), Claimed::AllDone);

    assert_eq!(books.reopen(campaign, &which(&[OutcomeState::Unknown], &[])).await.unwrap(), 1);
    assert_eq!(
        states(&*books, campaign).await,
        [OutcomeState::Sent, OutcomeState::Open, OutcomeState::Refused]
    );
    let expected = [tally(OutcomeState::Sent, "", 1), tally(OutcomeState::Refused, "X", 1)];
    assert_eq!(tallies(&*books, campaign).await, expected);
    assert_eq!(books.standing(campaign).await.unwrap().count(OutcomeState::Open), 1);
    let entry = books.history(campaign).await.unwrap().pop().unwrap();
    assert_eq!(entry.what, "reopened");
    assert!(entry.detail.unwrap().contains("timeout"));
    let row = rows(&*books, campaign).await.remove(1);
    assert_eq!((row.outcomes[0].attempts, row.outcomes[0].first_tried_at), (20, Some(at(7))));
    // It is handed out as it was left.
    let again = claim(&*books, campaign, 2).await;
    assert_eq!(again.tasks.len(), 1);
    assert_eq!((again.tasks[0].place, &again.tasks[0].openid), (1, &openid(1)));
    let open = &again.tasks[0].open[0];
    assert_eq!((open.slot, open.attempts, open.first_tried_at), (0, 20, Some(at(7))));
    record(&*books, &again, &[Settlement { attempts: 21, first_tried_at: at(7), ..sent(1, 0) }]).await;
    done(&*books, &again).await;
    let expected = [tally(OutcomeState::Sent, "", 2), tally(OutcomeState::Refused, "X", 1)];
    assert_eq!(tallies(&*books, campaign).await, expected);
    // Nothing of that kind is left.
    let history = books.history(campaign).await.unwrap();
    assert_eq!(books.reopen(campaign, &which(&[OutcomeState::Unknown], &[])).await.unwrap(), 0);
    assert_eq!(books.history(campaign).await.unwrap(), history);
}

pub(crate) async fn sent_ones_are_never_opened(place: &dyn Place) {
    let books = place.books();
    let campaign = running(&*books, "never", 4, 2, 1).await;
    send_all(&*books, campaign).await;
    books.order(campaign, Order::Finish).await.unwrap();
    let before = (rows(&*books, campaign).await, books.history(campaign).await.unwrap());
    for states in [&[OutcomeState::Sent][..], &[OutcomeState::Open], &OutcomeState::ALL, &ALL_BUT_OPEN, &[]] {
        for codes in [&[][..], &[""]] {
            assert_eq!(books.reopen(campaign, &which(states, codes)).await.unwrap(), 0);
        }
    }
    assert_eq!(state(&*books, campaign).await, State::Finished);
    assert_eq!((rows(&*books, campaign).await, books.history(campaign).await.unwrap()), before);
    assert_eq!(tallies(&*books, campaign).await, [tally(OutcomeState::Sent, "", 4)]);
}

pub(crate) async fn opening_by_state_and_code(place: &dyn Place) {
    let books = place.books();
    let mut number = 0;
    let cases: [(&[OutcomeState], &[&str], &[u64]); 7] = [
        (&[OutcomeState::Refused], &[], &[1, 2, 3]),
        (&[OutcomeState::Refused], &["A"], &[1]),
        (&[OutcomeState::Refused], &["A", "B", "C"], &[1, 2]),
        (&[OutcomeState::Refused, OutcomeState::Parked], &["A"], &[1, 4]),
        (&[OutcomeState::Refused], &[""], &[3]),
        (&[OutcomeState::Parked, OutcomeState::Unknown], &[], &[4, 5]),
        (&[], &["A"], &[]),
    ];
    for (wanted_states, codes, opened) in cases {
        number += 1;
        let campaign = running(&*books, &format!("by-{number}"), 6, 6, 1).await;
        let held = claim(&*books, campaign, 1).await;
        let fates = [
            Settlement { code: Some("A".to_owned()), ..sent(0, 0) },
            refused(1, 0, "A"),
            refused(2, 0, "B"),
            settled(3, 0, Fate::Refused, None),
            settled(4, 0, Fate::Parked, Some("A")),
            settled(5, 0, Fate::Unknown, Some("B")),
        ];
        record(&*books, &held, &fates).await;
        done(&*books, &held).await;
        let count = books.reopen(campaign, &which(wanted_states, codes)).await.unwrap();
        assert_eq!(count, u64::try_from(opened.len()).unwrap(), "{wanted_states:?} {codes:?}");
        let open: Vec<u64> = (0..)
            .zip(states(&*books, campaign).await)
            .filter(|(_, state)| *state == OutcomeState::Open)
            .map(|(place, _)| place)
            .collect();
        assert_eq!(open, opened, "{wanted_states:?} {codes:?}");
        let standing = books.standing(campaign).await.unwrap();
        assert_eq!(standing.count(OutcomeState::Open), count);
        assert_eq!(standing.count(OutcomeState::Sent), 1);
    }
}

pub(crate) async fn opening_goes_through_all_chunks(place: &dyn Place) {
    let books = place.books();
    let campaign = running(&*books, "chunks", 300, 2, 2).await;
    while let Claimed::Chunk(held) = books.claim(campaign, &worker(1), LEASE).await.unwrap() {
        let fates: Vec<_> = all_sent(&held)
            .into_iter()
            .map(|one| if one.slot == 1 && one.place % 5 == 0 { refused(one.place, 1, "X") } else { one })
            .collect();
        record(&*books, &held, &fates).await;
        done(&*books, &held).await;
    }
    books.order(campaign, Order::Finish).await.unwrap();
    assert_eq!(books.reopen(campaign, &which(&[OutcomeState::Refused], &["X"])).await.unwrap(), 60);
    books.order(campaign, Order::Start).await.unwrap();
    let mut open = Vec::new();
    while let Claimed::Chunk(held) = books.claim(campaign, &worker(1), LEASE).await.unwrap() {
        open.extend(held.tasks.iter().flat_map(|task| task.open.iter().map(|open| (task.place, open.slot))));
        record(&*books, &held, &all_sent(&held)).await;
        done(&*books, &held).await;
    }
    open.sort_unstable();
    assert_eq!(open, (0..60).map(|number| (number * 5, 1)).collect::<Vec<_>>());
    assert_eq!(tallies(&*books, campaign).await, [tally(OutcomeState::Sent, "", 600)]);
    assert_eq!(books.order(campaign, Order::Finish).await.unwrap().state, State::Finished);
}

pub(crate) async fn a_finished_campaign_with_opened_coupons_can_go_on(place: &dyn Place) {
    let books = place.books();
    let campaign = running(&*books, "again", 2, 2, 1).await;
    let held = claim(&*books, campaign, 1).await;
    record(&*books, &held, &[sent(0, 0), settled(1, 0, Fate::Parked, Some("ODD"))]).await;
    done(&*books, &held).await;
    books.order(campaign, Order::Finish).await.unwrap();
    assert_eq!(books.reopen(campaign, &which(&[OutcomeState::Parked], &["ODD"])).await.unwrap(), 1);
    let standing = books.standing(campaign).await.unwrap();
    assert_eq!((standing.state, standing.finished_at), (State::Stopped, None));
    books.order(campaign, Order::Start).await.unwrap();
    assert_not_now(books.order(campaign, Order::Finish).await, State::Running);
    send_all(&*books, campaign).await;
    let standing = books.order(campaign, Order::Finish).await.unwrap();
    assert!(standing.finished_at.is_some());
    assert_eq!(standing.count(OutcomeState::Sent), 2);
    // Others stay in the state that they have.
    for (name, order, wanted) in [
        ("paused", Some(pause("lunch", true)), State::Paused),
        ("stopped", Some(Order::Stop), State::Stopped),
        ("running", None, State::Running),
    ] {
        let campaign = running(&*books, name, 2, 2, 1).await;
        let held = claim(&*books, campaign, 1).await;
        record(&*books, &held, &[refused(1, 0, "X")]).await;
        assert_eq!(books.finish(&held.lease, Finish::Done).await.unwrap(), Recorded::Done);
        if let Some(order) = order {
            books.order(campaign, order).await.unwrap();
        }
        assert_eq!(books.reopen(campaign, &which(&[OutcomeState::Refused], &[])).await.unwrap(), 1);
        let standing = books.standing(campaign).await.unwrap();
        assert_eq!(standing.state, wanted);
        assert_eq!(standing.reason.is_some(), wanted == State::Paused);
    }
    assert_not_now(
        books.reopen(books.begin(&manifest("importing")).await.unwrap().0, &which(&ALL_BUT_OPEN, &[])).await,
        State::Importing,
    );
}

pub(crate) async fn a_held_chunk_with_opened_coupons_is_not_closed(place: &dyn Place) {
    let books = place.books();
    let campaign = running(&*books, "held", 2, 2, 1).await;
    let held = claim(&*books, campaign, 1).await;
    record(&*books, &held, &[refused(0, 0, "X")]).await;
    assert_eq!(books.reopen(campaign, &which(&[OutcomeState::Refused], &[])).await.unwrap(), 1);
    // Its holder knows nothing of it, and ends when the other coupon is settled, if the chunk is still its own.
    books.record(&held.lease, &[sent(1, 0)], LEASE).await.unwrap();
    books.finish(&held.lease, Finish::Done).await.unwrap();
    assert_not_now(books.order(campaign, Order::Finish).await, State::Running);
    place.pass(LEASE).await;
    send_all(&*books, campaign).await;
    assert_eq!(books.claim(campaign, &worker(1), LEASE).await.unwrap(), Claimed::AllDone);
    assert_eq!(states(&*books, campaign).await, [OutcomeState::Sent; 2]);
    assert_eq!(books.order(campaign, Order::Finish).await.unwrap().state, State::Finished);
}

pub(crate) async fn openids_are_forgotten(place: &dyn Place) {
    let books = place.books();
    let campaign = running(&*books, "forget", 7, 2, 1).await;
    let kept = running(&*books, "kept", 3, 2, 1).await;
    let held = claim(&*books, campaign, 1).await;
    record(&*books, &held, &[sent(0, 0), refused(1, 0, "X")]).await;
    books.order(campaign, Order::Stop).await.unwrap();
    let before = rows(&*books, campaign).await;
    assert_eq!(books.purge(campaign).await.unwrap(), 7);
    let after = rows(&*books, campaign).await;
    assert_eq!(after.len(), 7);
    for (row, before) in after.iter().zip(&before) {
        assert_eq!(row.openid, None);
        assert_eq!((row.place, row.line, &row.outcomes), (before.place, before.line, &before.outcomes));
        assert_eq!(books.find(campaign, before.openid.as_ref().unwrap()).await.unwrap(), None);
    }
    // It cannot be sent by any more.
    assert_not_now(books.order(campaign, Order::Start).await, State::Stopped);
    assert_not_now(books.reopen(campaign, &which(&[OutcomeState::Refused], &[])).await, State::Stopped);
    assert_eq!(books.purge(campaign).await.unwrap(), 0);
    let words: Vec<_> = books.history(campaign).await.unwrap().into_iter().map(|entry| entry.what).collect();
    assert_eq!(words, ["planned", "sealed", "started", "stopped", "purged"]);
    assert!(rows(&*books, kept).await.iter().all(|row| row.openid.is_some()));
    let standing = books.standing(campaign).await.unwrap();
    assert_eq!((standing.people, standing.count(OutcomeState::Sent)), (7, 1));
}

pub(crate) async fn only_what_has_ended_is_purged(place: &dyn Place) {
    let books = place.books();
    let (importing, _) = books.begin(&manifest("importing")).await.unwrap();
    books.add_people(importing, &people(0..2)).await.unwrap();
    assert_not_now(books.purge(importing).await, State::Importing);
    let campaign = planned(&*books, "ended", 2, 2, 1).await;
    assert_not_now(books.purge(campaign).await, State::Planned);
    books.order(campaign, Order::Start).await.unwrap();
    assert_not_now(books.purge(campaign).await, State::Running);
    books.order(campaign, pause("lunch", true)).await.unwrap();
    assert_not_now(books.purge(campaign).await, State::Paused);
    assert!(rows(&*books, campaign).await.iter().all(|row| row.openid.is_some()));
    books.order(campaign, Order::Resume).await.unwrap();
    send_all(&*books, campaign).await;
    books.order(campaign, Order::Finish).await.unwrap();
    assert_eq!(books.purge(campaign).await.unwrap(), 2);
    assert_eq!(state(&*books, campaign).await, State::Finished);
}

pub(crate) async fn everybody_is_found_and_nobody_else(place: &dyn Place) {
    let books = place.books();
    for count in [1, 2, 3, 10, 31] {
        // Every second one, so that there are others between, before and behind.
        let campaign = books.begin(&manifest(&format!("find-{count}"))).await.unwrap().0;
        let there: Vec<_> = (0..count)
            .map(|place| favor_campaign::Recipient { place, line: place + 1, openid: openid(place * 2 + 1) })
            .collect();
        books.add_people(campaign, &there).await.unwrap();
        books.seal(campaign, count, 4).await.unwrap();
        for person in &there {
            let row = books.find(campaign, &person.openid).await.unwrap().unwrap();
            assert_eq!((row.place, row.openid.as_ref()), (person.place, Some(&person.openid)));
        }
        for absent in 0..=count {
            assert_eq!(books.find(campaign, &openid(absent * 2)).await.unwrap(), None);
        }
        for absent in ["!", "~", "o", "O0000000001", "o00000000010"] {
            assert_eq!(books.find(campaign, &OpenId::new(absent).unwrap()).await.unwrap(), None);
        }
    }
}

pub(crate) async fn rows_come_page_by_page(place: &dyn Place) {
    let books = place.books();
    let campaign = running(&*books, "pages", 10, 4, 2).await;
    let held = claim(&*books, campaign, 1).await;
    record(&*books, &held, &[sent(0, 1), refused(3, 0, "X")]).await;
    let all = rows(&*books, campaign).await;
    assert_eq!(all.iter().map(|row| row.place).collect::<Vec<_>>(), (0..10).collect::<Vec<_>>());
    let state = |place: usize, slot: usize| all[place].outcomes[slot].state;
    assert_eq!((state(0, 0), state(0, 1)), (OutcomeState::Open, OutcomeState::Sent));
    assert_eq!((state(3, 0), state(3, 1)), (OutcomeState::Refused, OutcomeState::Open));
    for most in [1, 3, 5, 10, 11, usize::MAX] {
        let (mut after, mut pages) = (None, Vec::new());
        loop {
            let page = books.rows(campaign, after, most).await.unwrap();
            assert!(page.len() <= most);
            let Some(last) = page.last() else { break };
            after = Some(last.place);
            pages.extend(page);
        }
        assert_eq!(pages, all, "{most}");
    }
    for after in [9, 10, 1_000_000, u64::MAX] {
        assert!(books.rows(campaign, Some(after), 10).await.unwrap().is_empty());
    }
    assert!(books.rows(campaign, None, 0).await.unwrap().is_empty());
    assert!(matches!(
        books.rows(favor_campaign::CampaignId(77), None, 0).await.unwrap_err(),
        LedgerError::NoCampaign(_)
    ));
    place.pass(Duration::from_secs(1)).await;
}
