//! What became of coupons.

use std::sync::Arc;

use favor_campaign::{Books, Fate, LedgerError, OutcomeState, RowOutcome, Settlement};
use futures_util::future::join_all;

use super::{
    LEASE, Place, all_sent, at, claim, done, record, refused, rows, running, sent, sent_as, settled, states,
    tallies, tally,
};

pub(crate) async fn what_is_recorded_is_there(place: &dyn Place) {
    let books = place.books();
    let campaign = running(&*books, "there", 5, 5, 1).await;
    let held = claim(&*books, campaign, 1).await;
    let mut given = vec![
        sent(0, 0),
        refused(1, 0, "USER_NOT_EXISTS"),
        settled(2, 0, Fate::Parked, Some("ODD_CODE")),
        settled(3, 0, Fate::Unknown, Some("timeout")),
    ];
    given[0].attempts = 17;
    given[1].first_tried_at = at(-86_400) + chrono::TimeDelta::milliseconds(123);
    given[1].settled_at = at(86_400) + chrono::TimeDelta::milliseconds(999);
    given[2].request_id = None;
    given[3].message = None;
    record(&*books, &held, &given).await;
    let expected = given.iter().map(|settled| RowOutcome {
        slot: settled.slot,
        state: settled.fate.state(),
        coupon_id: match &settled.fate {
            Fate::Sent { coupon_id } => Some(coupon_id.clone()),
            _ => None,
        },
        code: settled.code.clone(),
        message: settled.message.clone(),
        attempts: settled.attempts,
        request_id: settled.request_id.clone(),
        first_tried_at: Some(settled.first_tried_at),
        settled_at: Some(settled.settled_at),
    });
    let rows = rows(&*books, campaign).await;
    for (row, expected) in rows.iter().zip(expected) {
        assert_eq!(row.outcomes, [expected]);
        let openid = row.openid.as_ref().unwrap();
        assert_eq!(books.find(campaign, openid).await.unwrap().as_ref(), Some(row));
    }
    assert_eq!(rows[4].outcomes[0].state, OutcomeState::Open);
}

pub(crate) async fn what_was_sent_stays_sent(place: &dyn Place) {
    let books = place.books();
    let campaign = running(&*books, "stays", 2, 2, 1).await;
    let held = claim(&*books, campaign, 1).await;
    record(&*books, &held, &[sent(0, 0)]).await;
    let before = rows(&*books, campaign).await;
    let later = |fate, code| Settlement { attempts: 5, settled_at: at(500), ..settled(0, 0, fate, code) };
    // The same again is how an answer is recorded twice.
    record(&*books, &held, &[later(sent_as("C0-0"), None)]).await;
    for fate in [Fate::Refused, Fate::Parked, Fate::Unknown] {
        record(&*books, &held, &[later(fate, Some("LATE"))]).await;
    }
    let words = async || -> Vec<String> {
        books.history(campaign).await.unwrap().into_iter().map(|entry| entry.what).collect()
    };
    assert_eq!(words().await, ["planned", "sealed", "started"]);
    record(&*books, &held, &[later(sent_as("OTHER"), None), sent(1, 0)]).await;
    assert_eq!(words().await, ["planned", "sealed", "started", "mismatch"]);
    let detail = books.history(campaign).await.unwrap().pop().unwrap().detail.unwrap();
    assert!(detail.contains("C0-0") && detail.contains("OTHER") && detail.contains("place 0"), "{detail}");
    let after = rows(&*books, campaign).await;
    assert_eq!(after[0], before[0]);
    assert_eq!(after[1].outcomes[0].state, OutcomeState::Sent);
    assert_eq!(tallies(&*books, campaign).await, [tally(OutcomeState::Sent, "", 2)]);
}

pub(crate) async fn what_was_not_sent_may_still_be(place: &dyn Place) {
    let books = place.books();
    let campaign = running(&*books, "may", 1, 1, 1).await;
    let held = claim(&*books, campaign, 1).await;
    let mut tried = refused(0, 0, "RULE_LIMIT");
    record(&*books, &held, &[tried.clone()]).await;
    assert_eq!(tallies(&*books, campaign).await, [tally(OutcomeState::Refused, "RULE_LIMIT", 1)]);
    tried = Settlement { attempts: 2, first_tried_at: at(30), ..settled(0, 0, Fate::Parked, Some("OTHER")) };
    record(&*books, &held, &[tried]).await;
    assert_eq!(tallies(&*books, campaign).await, [tally(OutcomeState::Parked, "OTHER", 1)]);
    record(&*books, &held, &[settled(0, 0, Fate::Unknown, None)]).await;
    assert_eq!(tallies(&*books, campaign).await, [tally(OutcomeState::Unknown, "", 1)]);
    let last = Settlement { attempts: 4, first_tried_at: at(40), settled_at: at(41), ..sent(0, 0) };
    record(&*books, &held, &[last]).await;
    assert_eq!(tallies(&*books, campaign).await, [tally(OutcomeState::Sent, "", 1)]);
    let outcome = rows(&*books, campaign).await.remove(0).outcomes.remove(0);
    assert_eq!((outcome.attempts, outcome.code, outcome.message), (4, None, None));
    assert_eq!(outcome.first_tried_at, Some(at(1)), "the first time of all");
    assert_eq!(outcome.settled_at, Some(at(41)));
}

pub(crate) async fn a_record_is_all_or_nothing(place: &dyn Place) {
    let books = place.books();
    let campaign = running(&*books, "nothing", 4, 2, 2).await;
    let held = claim(&*books, campaign, 1).await;
    let second = claim(&*books, campaign, 1).await;
    record(&*books, &held, &[refused(1, 0, "OLD")]).await;
    let before = rows(&*books, campaign).await;
    // Of another chunk, of nobody, of no slot.
    for foreign in [sent(2, 0), sent(4, 0), refused(u64::MAX, 0, "X"), sent(0, 2)] {
        let error = books.record(&held.lease, &[sent(0, 0), sent(1, 0), foreign], LEASE).await.unwrap_err();
        assert!(matches!(error, LedgerError::Unusable(_)), "{error:?}");
        assert_eq!(rows(&*books, campaign).await, before);
        assert_eq!(tallies(&*books, campaign).await, [tally(OutcomeState::Refused, "OLD", 1)]);
    }
    // And it goes on.
    record(&*books, &held, &[sent(0, 0), sent(1, 0)]).await;
    record(&*books, &second, &[sent(2, 0)]).await;
    assert_eq!(tallies(&*books, campaign).await, [tally(OutcomeState::Sent, "", 3)]);
}

pub(crate) async fn a_coupon_twice_in_one_record_counts_once(place: &dyn Place) {
    let books = place.books();
    let campaign = running(&*books, "double", 2, 2, 1).await;
    let held = claim(&*books, campaign, 1).await;
    let settled =
        [refused(0, 0, "A"), refused(1, 0, "A"), refused(0, 0, "B"), sent(0, 0), refused(0, 0, "C")];
    record(&*books, &held, &settled).await;
    assert_eq!(states(&*books, campaign).await, [OutcomeState::Sent, OutcomeState::Refused]);
    let expected = [tally(OutcomeState::Sent, "", 1), tally(OutcomeState::Refused, "A", 1)];
    assert_eq!(tallies(&*books, campaign).await, expected);
}

pub(crate) async fn nothing_recorded_is_a_heartbeat(place: &dyn Place) {
    let books = place.books();
    let campaign = running(&*books, "beat", 1, 1, 1).await;
    let held = claim(&*books, campaign, 1).await;
    record(&*books, &held, &[]).await;
    assert_eq!(states(&*books, campaign).await, [OutcomeState::Open]);
    assert!(tallies(&*books, campaign).await.is_empty());
    assert_eq!(books.history(campaign).await.unwrap().len(), 3);
}

pub(crate) async fn tallies_are_in_order_and_add_up(place: &dyn Place) {
    let books = place.books();
    let campaign = running(&*books, "tallies", 9, 9, 2).await;
    let held = claim(&*books, campaign, 1).await;
    let unknown = settled(6, 0, Fate::Unknown, Some("timeout"));
    record(&*books, &held, &[refused(0, 0, "B"), unknown, refused(1, 0, "A"), refused(2, 0, "B")]).await;
    // A coupon that was sent after an odd answer counts as any other.
    let odd = Settlement { code: Some("ODD".to_owned()), ..sent(4, 0) };
    record(&*books, &held, &[sent(3, 0), odd, settled(5, 0, Fate::Parked, None), refused(7, 1, "B")]).await;
    let expected = [
        tally(OutcomeState::Sent, "", 2),
        tally(OutcomeState::Refused, "A", 1),
        tally(OutcomeState::Refused, "B", 3),
        tally(OutcomeState::Parked, "", 1),
        tally(OutcomeState::Unknown, "timeout", 1),
    ];
    let standing = books.standing(campaign).await.unwrap();
    assert_eq!(standing.tallies, expected);
    let counts = OutcomeState::ALL.map(|state| standing.count(state));
    assert_eq!(counts, [10, 2, 4, 1, 1]);
    let states = states(&*books, campaign).await;
    for (state, count) in OutcomeState::ALL.into_iter().zip(counts) {
        let counted = states.iter().filter(|there| **there == state).count();
        assert_eq!(u64::try_from(counted).unwrap(), count, "{state}");
    }
}

pub(crate) async fn odd_texts_come_back(place: &dyn Place) {
    let books = place.books();
    let campaign = running(&*books, "odd", 3, 3, 1).await;
    let held = claim(&*books, campaign, 1).await;
    let long = "长".repeat(20_000);
    let texts = ["'; DROP TABLE outcomes; -- \\ \"quoted\"\t\n\r", "", &long];
    let given: Vec<_> = (0..)
        .zip(texts)
        .map(|(place, text)| Settlement { message: Some(text.to_owned()), ..refused(place, 0, text) })
        .collect();
    record(&*books, &held, &given).await;
    for (row, given) in rows(&*books, campaign).await.iter().zip(&given) {
        assert_eq!((&row.outcomes[0].code, &row.outcomes[0].message), (&given.code, &given.message));
    }
    let codes: Vec<_> = tallies(&*books, campaign).await.into_iter().map(|tally| tally.code).collect();
    assert_eq!(codes, ["", texts[0], &long]);
    // A coupon's id of the future.
    let coupon: favor_core::CouponId =
        serde_json::from_str("\"a coupon of the future, longer than today\"").unwrap();
    record(&*books, &held, &[settled(0, 0, Fate::Sent { coupon_id: coupon.clone() }, None)]).await;
    assert_eq!(rows(&*books, campaign).await[0].outcomes[0].coupon_id, Some(coupon));
}

pub(crate) async fn many_tasks_record_and_the_tallies_agree(place: &dyn Place) {
    let books = place.books();
    let campaign = running(&*books, "agree", 160, 20, 1).await;
    let mut claims = Vec::new();
    for number in 0..8 {
        claims.push(claim(&*books, campaign, number).await);
    }
    let tasks = claims.into_iter().map(|held| {
        let books: Arc<dyn Books> = Arc::clone(&books);
        tokio::spawn(async move {
            for task in &held.tasks {
                let place = task.place;
                // In orders that differ, so that whoever locks without one waits for ever.
                let code = if (place + u64::from(held.lease.chunk)).is_multiple_of(2) { "A" } else { "B" };
                record(&*books, &held, &[refused(place, 0, code)]).await;
                if place.is_multiple_of(3) {
                    record(&*books, &held, &[sent(place, 0)]).await;
                }
            }
            let rest: Vec<_> =
                all_sent(&held).into_iter().filter(|one| one.place.is_multiple_of(5)).collect();
            record(&*books, &held, &rest).await;
            done(&*books, &held).await;
        })
    });
    for task in join_all(tasks).await {
        task.unwrap();
    }
    let sent = (0..160_u64).filter(|place| place.is_multiple_of(3) || place.is_multiple_of(5)).count();
    let standing = books.standing(campaign).await.unwrap();
    assert_eq!(standing.count(OutcomeState::Sent), u64::try_from(sent).unwrap());
    assert_eq!(standing.count(OutcomeState::Refused), u64::try_from(160 - sent).unwrap());
    assert_eq!(standing.count(OutcomeState::Open), 0);
    let mut counted = std::collections::BTreeMap::new();
    for row in rows(&*books, campaign).await {
        let outcome = &row.outcomes[0];
        *counted.entry((outcome.state, outcome.code.clone().unwrap_or_default())).or_insert(0) += 1;
    }
    let tallied: Vec<_> =
        standing.tallies.into_iter().map(|tally| ((tally.state, tally.code), tally.count)).collect();
    assert_eq!(counted.into_iter().collect::<Vec<_>>(), tallied);
}
