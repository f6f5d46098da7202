//! What repairs leave in the file.

use std::fs;

use favor_campaign::{Books as _, Fate, Ledger as _, Order, OutcomeState, Reopen, Settlement};

use super::super::contract::{
    Place as _, at, claim, done, openid, planned, record, refused, running, sent, settled,
};
use super::Filed;

#[tokio::test]
async fn what_coupons_were_before_they_were_opened_is_kept() {
    let place = Filed::new().await;
    let campaign = running(&*place.books(), "former", 2, 2, 1).await;
    let held = claim(&*place.books(), campaign, 1).await;
    let tried =
        Settlement { attempts: 20, settled_at: at(9), ..settled(0, 0, Fate::Unknown, Some("timeout")) };
    record(&*place.books(), &held, &[tried.clone(), sent(1, 0)]).await;
    done(&*place.books(), &held).await;
    let which = Reopen { states: vec![OutcomeState::Unknown], ..Reopen::default() };
    for round in 1..=2 {
        assert_eq!(place.ledger.reopen(campaign, &which).await.unwrap(), 1);
        let kept: String = place.value(
            "SELECT group_concat(concat_ws(' ', place, slot, state, code, message, attempts, request_id, settled_at,
                reopened_at), '; ') FROM former_outcomes",
        );
        let (settled, now) = (at(9).timestamp_millis(), at(0).timestamp_millis());
        let one = format!("0 0 unknown timeout because of timeout 20 req-0-0 {settled} {now}");
        assert_eq!(kept, vec![one; round].join("; "));
        let held = claim(&*place.books(), campaign, 1).await;
        record(&*place.books(), &held, std::slice::from_ref(&tried)).await;
        done(&*place.books(), &held).await;
    }
}

#[tokio::test]
async fn forgotten_openids_are_not_in_the_file() {
    let place = Filed::new().await;
    let campaign = running(&*place.books(), "forget", 25_000, 500, 1).await;
    let held = claim(&*place.books(), campaign, 1).await;
    record(&*place.books(), &held, &[sent(0, 0), refused(1, 0, "X")]).await;
    place.ledger.order(campaign, Order::Stop).await.unwrap();
    let gone = planned(&*place.books(), "gone", 10, 500, 1).await;
    assert_eq!(place.ledger.purge(campaign).await.unwrap(), 25_000);
    place.ledger.discard(gone).await.unwrap();
    place.ledger.close().await;
    let mut files = 0;
    for entry in fs::read_dir(place.folder.path()).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        for person in [0, 1, 9, 1_500, 9_999, 10_000, 24_999] {
            let openid = openid(person);
            let openid = openid.as_str().as_bytes();
            assert!(!bytes.windows(openid.len()).any(|there| there == openid), "{person} is still there");
        }
        files += 1;
    }
    assert_eq!(files, 2, "the file and its lock");
}

#[tokio::test]
async fn a_discard_that_was_interrupted_can_be_repeated() {
    let place = Filed::new().await;
    let campaign = planned(&*place.books(), "half", 120_000, 1_000, 1).await;
    // As after its first transaction.
    place.sql().execute_batch("UPDATE campaigns SET state = 'importing', people = 70000; DELETE FROM chunks; DELETE FROM people WHERE place >= 70000").unwrap();
    assert_eq!(place.ledger.standing(campaign).await.unwrap().people, 70_000);
    place.ledger.discard(campaign).await.unwrap();
    let left: i64 = place.value("SELECT (SELECT count(*) FROM people) + (SELECT count(*) FROM history)");
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_purge_that_was_interrupted_can_be_repeated() {
    let place = Filed::new().await;
    let campaign = running(&*place.books(), "half", 10, 4, 1).await;
    place.ledger.order(campaign, Order::Stop).await.unwrap();
    place
        .sql()
        .execute_batch("UPDATE campaigns SET purged = 1; UPDATE people SET openid = NULL WHERE place < 6")
        .unwrap();
    assert_eq!(place.ledger.purge(campaign).await.unwrap(), 4);
    assert_eq!(place.value::<i64>("SELECT count(*) FROM people WHERE openid IS NOT NULL"), 0);
}
