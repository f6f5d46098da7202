//! Bringing people in.

use std::time::Duration;

use favor_campaign::{
    CampaignId, DailyWindow, Fate, Finish, Lease, LedgerError, OpenValue, OutcomeState, Recipient, Recorded,
    Reopen, Rule, State,
};
use favor_core::{Fen, OpenId};

use super::{
    LEASE, Place, assert_not_now, manifest, named, openid, people, planned, rows, running, settled, state,
    worker,
};

pub(crate) async fn a_campaign_comes_back_as_it_was(place: &dyn Place) {
    let books = place.books();
    let before = place.now().await;
    let mut manifest = manifest("spring-2026_a");
    manifest.key = "钥匙 'with' \"quotes\"".to_owned();
    manifest.coupons_per_person = 3;
    manifest.open_value =
        Some(OpenValue { coupon_value: Fen::new(500).unwrap(), coupon_minimum: Fen::new(1_000).unwrap() });
    manifest.pace.windows.push(DailyWindow {
        from: chrono::NaiveTime::from_hms_opt(22, 0, 0).unwrap(),
        to: chrono::NaiveTime::from_hms_opt(6, 30, 0).unwrap(),
    });
    manifest.policy.rules.push(Rule { code: Some("RULE_LIMIT".to_owned()), ..Rule::default() });
    let (id, there) = books.begin(&manifest).await.unwrap();
    assert_eq!(there, 0);
    let campaign = named(&*books, "spring-2026_a").await;
    assert_eq!((campaign.id, &campaign.manifest), (id, &manifest));
    let standing = campaign.standing;
    assert_eq!(standing.state, State::Importing);
    assert_eq!((standing.people, standing.coupons, standing.workers), (0, 0, 0));
    assert_eq!((standing.started_at, standing.finished_at, standing.paused_until), (None, None, None));
    let age = standing.now.signed_duration_since(before).num_seconds();
    assert!((-1..600).contains(&age), "{age}");

    books.add_people(id, &people(0..4)).await.unwrap();
    books.seal(id, 4, 10).await.unwrap();
    let standing = books.standing(id).await.unwrap();
    assert_eq!((standing.state, standing.people, standing.coupons), (State::Planned, 4, 12));
    assert_eq!((standing.count(OutcomeState::Open), standing.count(OutcomeState::Sent)), (12, 0));
    let rows = rows(&*books, id).await;
    assert_eq!(rows.len(), 4);
    for (row, person) in rows.iter().zip(people(0..4)) {
        assert_eq!(
            (row.place, row.line, row.openid.as_ref()),
            (person.place, person.line, Some(&person.openid))
        );
        let slots: Vec<_> = row.outcomes.iter().map(|outcome| outcome.slot).collect();
        assert_eq!(slots, [0, 1, 2]);
        for outcome in &row.outcomes {
            assert_eq!((outcome.state, outcome.attempts), (OutcomeState::Open, 0));
            assert!(outcome.coupon_id.is_none() && outcome.code.is_none() && outcome.message.is_none());
            assert!(outcome.first_tried_at.is_none() && outcome.settled_at.is_none());
        }
    }
}

pub(crate) async fn an_import_goes_on_where_it_stopped(place: &dyn Place) {
    let books = place.books();
    let first = manifest("import");
    let (id, there) = books.begin(&first).await.unwrap();
    assert_eq!(there, 0);
    books.add_people(id, &people(0..5)).await.unwrap();
    books.add_people(id, &[]).await.unwrap();
    // Planned again, later.
    let mut again = first.clone();
    again.planned_at = super::at(3_600);
    assert_eq!(books.begin(&again).await.unwrap(), (id, 5));
    books.add_people(id, &people(2..8)).await.unwrap();
    // Those who are there stay as they are.
    let others: Vec<_> =
        people(0..8).into_iter().map(|person| Recipient { line: 1_000_000, ..person }).collect();
    books.add_people(id, &others).await.unwrap();
    assert_eq!(books.begin(&again).await.unwrap(), (id, 8));
    books.add_people(id, &people(8..10)).await.unwrap();
    books.seal(id, 10, 4).await.unwrap();
    let found: Vec<_> =
        rows(&*books, id).await.into_iter().map(|row| (row.place, row.line, row.openid)).collect();
    let wanted: Vec<_> =
        people(0..10).into_iter().map(|person| (person.place, person.line, Some(person.openid))).collect();
    assert_eq!(found, wanted);
    assert_eq!(named(&*books, "import").await.manifest, first, "what was frozen first stays");
}

pub(crate) async fn gaps_and_disorder_are_refused(place: &dyn Place) {
    let books = place.books();
    let (id, _) = books.begin(&manifest("gaps")).await.unwrap();
    books.add_people(id, &people(0..3)).await.unwrap();
    let incomplete = |result: Result<(), LedgerError>| match result.unwrap_err() {
        LedgerError::Incomplete { expected, found } => (expected, found),
        error => panic!("{error:?}"),
    };
    assert_eq!(incomplete(books.add_people(id, &people(4..6)).await), (4, 3));
    let mut with_gap = people(3..8);
    with_gap.remove(2);
    assert_eq!(incomplete(books.add_people(id, &with_gap).await), (6, 5));
    assert_eq!(rows(&*books, id).await.len(), 3, "all or nothing");

    let at_place = |place, text: &str| Recipient { place, line: 9, openid: OpenId::new(text).unwrap() };
    for batch in [
        // The last one again, one before it, and two in the wrong order.
        vec![Recipient { openid: openid(2), ..at_place(3, "x") }],
        vec![at_place(3, "a")],
        vec![at_place(3, "pb"), at_place(4, "pa")],
        vec![at_place(3, "p"), at_place(4, "p")],
    ] {
        let error = books.add_people(id, &batch).await.unwrap_err();
        assert!(matches!(error, LedgerError::Unusable(_)), "{error:?}");
        let text = format!("{error} {error:?}");
        assert!(text.contains("line 9") && !text.contains(openid(2).as_str()), "{text}");
    }
    assert_eq!(rows(&*books, id).await.len(), 3);
    // By bytes, not by a language.
    books
        .add_people(id, &[at_place(3, "oZ"), at_place(4, "o_"), at_place(5, "oa"), at_place(6, r#"oa\'"~"#)])
        .await
        .unwrap();
    books.seal(id, 7, 3).await.unwrap();
    for (place, text) in [(3, "oZ"), (4, "o_"), (5, "oa"), (6, r#"oa\'"~"#)] {
        let openid = OpenId::new(text).unwrap();
        let row = books.find(id, &openid).await.unwrap().unwrap();
        assert_eq!((row.place, row.openid), (place, Some(openid)));
    }
}

pub(crate) async fn exactly_the_people_announced_are_sealed(place: &dyn Place) {
    let books = place.books();
    let (id, _) = books.begin(&manifest("seal")).await.unwrap();
    books.add_people(id, &people(0..10)).await.unwrap();
    for wrong in [0, 9, 11] {
        match books.seal(id, wrong, 4).await.unwrap_err() {
            LedgerError::Incomplete { expected, found } => assert_eq!((expected, found), (wrong, 10)),
            error => panic!("{error:?}"),
        }
        assert_eq!(state(&*books, id).await, State::Importing);
    }
    books.seal(id, 10, 4).await.unwrap();
    assert_eq!(state(&*books, id).await, State::Planned);
}

pub(crate) async fn a_sealed_campaign_takes_nobody_more(place: &dyn Place) {
    let books = place.books();
    let id = planned(&*books, "sealed", 10, 4, 1).await;
    // As a call is repeated whose answer was lost.
    books.seal(id, 10, 4).await.unwrap();
    assert_not_now(books.seal(id, 11, 4).await, State::Planned);
    assert_not_now(books.add_people(id, &people(10..11)).await, State::Planned);
    assert_not_now(books.add_people(id, &people(0..1)).await, State::Planned);
    assert_not_now(books.begin(&manifest("sealed")).await, State::Planned);
    assert_eq!(rows(&*books, id).await.len(), 10);
    books.order(id, favor_campaign::Order::Start).await.unwrap();
    assert_not_now(books.seal(id, 10, 4).await, State::Running);
    let mut chunks = Vec::new();
    for number in 0..3 {
        chunks.push(super::claim(&*books, id, number).await.tasks.len());
    }
    assert_eq!(chunks, [4, 4, 2], "divided once");
    assert!(super::claim_later(&*books, id).await.is_some());
}

pub(crate) async fn a_name_means_one_campaign(place: &dyn Place) {
    let books = place.books();
    let first = manifest("name");
    let (id, _) = books.begin(&first).await.unwrap();
    let mut others = vec![first.clone(), first.clone(), first.clone()];
    others[0].key = "another".to_owned();
    others[1].list.sha256 = "00".to_owned();
    others[2].coupons_per_person = 2;
    for round in 0..2 {
        for other in &others {
            let error = books.begin(other).await.unwrap_err();
            assert!(matches!(&error, LedgerError::NameTaken(name) if name == "name"), "{error:?}");
        }
        if round == 0 {
            books.add_people(id, &people(0..2)).await.unwrap();
            books.seal(id, 2, 2).await.unwrap();
        }
    }
    // Names differ by case.
    let (other, _) = books.begin(&manifest("Name")).await.unwrap();
    assert_ne!(other, id);
}

pub(crate) async fn campaigns_are_listed_in_their_order(place: &dyn Place) {
    let books = place.books();
    assert!(books.campaigns().await.unwrap().is_empty());
    let mut ids = Vec::new();
    for (count, name) in [(3, "zebra"), (1, "apple"), (2, "mango")] {
        ids.push(running(&*books, name, count, 2, 1).await);
    }
    let listed = books.campaigns().await.unwrap();
    let seen: Vec<_> = listed.iter().map(|campaign| (campaign.id, campaign.manifest.name.as_str())).collect();
    assert_eq!(seen, [(ids[0], "zebra"), (ids[1], "apple"), (ids[2], "mango")]);
    let people: Vec<_> = listed.iter().map(|campaign| campaign.standing.people).collect();
    assert_eq!(people, [3, 1, 2]);
    // What happens to one does not happen to the others.
    super::send_all(&*books, ids[1]).await;
    for (id, sent) in ids.into_iter().zip([0, 1, 0]) {
        assert_eq!(books.standing(id).await.unwrap().count(OutcomeState::Sent), sent);
    }
}

pub(crate) async fn an_unknown_campaign_is_said_to_be_unknown(place: &dyn Place) {
    let books = place.books();
    planned(&*books, "known", 1, 1, 1).await;
    let id = CampaignId(4_711);
    let which = Reopen { states: vec![OutcomeState::Refused], ..Reopen::default() };
    let errors = [
        books.campaign(&"unknown".parse().unwrap()).await.unwrap_err(),
        books.standing(id).await.unwrap_err(),
        books.claim(id, &worker(1), LEASE).await.unwrap_err(),
        books.order(id, favor_campaign::Order::Start).await.unwrap_err(),
        books.add_people(id, &people(0..1)).await.unwrap_err(),
        books.seal(id, 0, 1).await.unwrap_err(),
        books.discard(id).await.unwrap_err(),
        books.rows(id, None, 10).await.unwrap_err(),
        books.find(id, &openid(0)).await.unwrap_err(),
        books.reopen(id, &which).await.unwrap_err(),
        books.history(id).await.unwrap_err(),
        books.purge(id).await.unwrap_err(),
    ];
    for (number, error) in errors.into_iter().enumerate() {
        assert!(matches!(error, LedgerError::NoCampaign(_)), "{number}: {error:?}");
        assert!(!error.is_temporary());
    }
    let lease = Lease { campaign: id, chunk: 0, fence: 1 };
    let settled = [settled(0, 0, Fate::Refused, Some("X"))];
    assert_eq!(books.record(&lease, &settled, LEASE).await.unwrap(), Recorded::Lost);
    let give_back = Finish::GiveBack { after: Duration::ZERO };
    assert_eq!(books.finish(&lease, give_back).await.unwrap(), Recorded::Lost);
}

pub(crate) async fn what_was_never_started_can_be_discarded(place: &dyn Place) {
    let books = place.books();
    let kept = planned(&*books, "kept", 3, 2, 1).await;
    for sealed in [false, true] {
        let (id, there) = books.begin(&manifest("gone")).await.unwrap();
        assert_eq!(there, 0);
        books.add_people(id, &people(0..5)).await.unwrap();
        if sealed {
            books.seal(id, 5, 2).await.unwrap();
        }
        books.discard(id).await.unwrap();
        assert!(matches!(books.standing(id).await.unwrap_err(), LedgerError::NoCampaign(_)));
        assert_eq!(books.campaigns().await.unwrap().len(), 1);
    }
    // Nothing of it is left to the next one.
    let id = running(&*books, "gone", 1, 1, 1).await;
    assert_eq!(rows(&*books, id).await.len(), 1);
    let words: Vec<_> = books.history(id).await.unwrap().into_iter().map(|entry| entry.what).collect();
    assert_eq!(words, ["planned", "sealed", "started"]);
    assert_not_now(books.discard(id).await, State::Running);
    books.order(id, favor_campaign::Order::Stop).await.unwrap();
    assert_not_now(books.discard(id).await, State::Stopped);
    assert_eq!(rows(&*books, kept).await.len(), 3);
    books.discard(kept).await.unwrap();
}

pub(crate) async fn large_batches_are_taken(place: &dyn Place) {
    let books = place.books();
    let id = planned(&*books, "large", 60_000, 1_000, 1).await;
    let standing = books.standing(id).await.unwrap();
    assert_eq!((standing.people, standing.coupons), (60_000, 60_000));
    let row = books.find(id, &openid(59_999)).await.unwrap().unwrap();
    assert_eq!((row.place, row.line), (59_999, 59_999 * 2 + 7));
    books.discard(id).await.unwrap();
    assert!(books.campaigns().await.unwrap().is_empty());
}
