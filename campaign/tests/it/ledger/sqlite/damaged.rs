//! What cannot be read back is said so, and is not taken for something else.

use favor_campaign::{Books as _, Claimed, Ledger as _, LedgerError, OutcomeState, Reopen};

use super::super::contract::{LEASE, Place as _, all_sent, claim, done, openid, record, running, worker};
use super::Filed;

/// A ledger with a campaign, the second chunk of which is settled, in which something was changed by hand.
async fn damaged_by(sql: &str) -> (Filed, favor_campaign::CampaignId) {
    let place = Filed::new().await;
    let campaign = running(&*place.books(), "damaged", 4, 2, 1).await;
    let first = claim(&*place.books(), campaign, 1).await;
    let second = claim(&*place.books(), campaign, 1).await;
    record(&*place.books(), &second, &all_sent(&second)).await;
    done(&*place.books(), &second).await;
    let back = favor_campaign::Finish::GiveBack { after: std::time::Duration::ZERO };
    place.ledger.finish(&first.lease, back).await.unwrap();
    let changed = place.sql();
    changed.pragma_update(None, "ignore_check_constraints", true).unwrap();
    assert_eq!(changed.execute(sql, []).unwrap(), 1, "{sql}");
    (place, campaign)
}

#[track_caller]
fn assert_damaged<T: std::fmt::Debug>(result: Result<T, LedgerError>) {
    let error = result.unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(matches!(error, LedgerError::Damaged { .. }) && !error.is_temporary(), "{text}");
    assert!(!text.contains(openid(0).as_str()), "{text}");
}

#[tokio::test]
async fn a_manifest() {
    for manifest in ["", "{}", "{\"version\":1}", "[1,2", "null"] {
        let (place, _) = damaged_by(&format!("UPDATE campaigns SET manifest = '{manifest}'")).await;
        assert_damaged(place.ledger.campaign(&"damaged".parse().unwrap()).await);
        assert_damaged(place.ledger.campaigns().await);
        assert_damaged(place.ledger.begin(&super::super::contract::manifest("damaged")).await);
    }
}

#[tokio::test]
async fn a_state() {
    let (place, campaign) = damaged_by("UPDATE campaigns SET state = 'sleeping'").await;
    assert_damaged(place.ledger.standing(campaign).await);
    assert_damaged(place.ledger.claim(campaign, &worker(1), LEASE).await);
    assert_damaged(place.ledger.order(campaign, favor_campaign::Order::Stop).await);
}

#[tokio::test]
async fn numbers_that_cannot_be() {
    for sql in [
        "UPDATE campaigns SET people = -1",
        "UPDATE campaigns SET coupons_each = -1",
        "UPDATE campaigns SET started_at = 9223372036854775807",
        "UPDATE tallies SET count = -7",
        "UPDATE tallies SET state = 'lost'",
    ] {
        let (place, campaign) = damaged_by(sql).await;
        assert_damaged(place.ledger.standing(campaign).await);
    }
}

#[tokio::test]
async fn an_openid() {
    for openid in ["''", "'a b'", "NULL", "CAST(x'6fff' AS TEXT)"] {
        let (place, campaign) =
            damaged_by(&format!("UPDATE people SET openid = {openid} WHERE place = 1")).await;
        assert_damaged(place.ledger.claim(campaign, &worker(1), LEASE).await);
        // It does not hold up what is behind it, and nobody takes the campaign for done.
        let next = place.ledger.claim(campaign, &worker(1), LEASE).await.unwrap();
        assert!(matches!(next, Claimed::Later { next: Some(_) }), "{next:?}");
        place.pass(LEASE).await;
        assert_damaged(place.ledger.claim(campaign, &worker(1), LEASE).await);
        if openid != "NULL" {
            assert_damaged(place.ledger.rows(campaign, None, 10).await);
        }
        assert_eq!(place.ledger.rows(campaign, Some(1), 10).await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn an_outcome() {
    for sql in [
        "UPDATE outcomes SET state = 'given' WHERE place = 2",
        "UPDATE outcomes SET settled_at = -9223372036854775808 WHERE place = 2",
        "UPDATE outcomes SET attempts = 4294967296 WHERE place = 2",
        "UPDATE outcomes SET coupon_id = CAST(x'ff' AS TEXT) WHERE place = 2",
    ] {
        let (place, campaign) = damaged_by(sql).await;
        assert_damaged(place.ledger.rows(campaign, None, 10).await);
        assert_damaged(place.ledger.find(campaign, &openid(2)).await);
        assert_eq!(place.ledger.rows(campaign, None, 2).await.unwrap().len(), 2);
    }
    let (place, campaign) = damaged_by("UPDATE outcomes SET state = 'given' WHERE place = 2").await;
    // Another coupon gives something to open.
    let held = claim(&*place.books(), campaign, 1).await;
    record(&*place.books(), &held, &[super::super::contract::refused(0, 0, "X")]).await;
    let which = Reopen { states: vec![OutcomeState::Refused], ..Reopen::default() };
    assert_damaged(place.ledger.reopen(campaign, &which).await);
}

#[tokio::test]
async fn a_time_of_the_history() {
    let (place, campaign) = damaged_by("UPDATE history SET at = 9223372036854775807 WHERE id = 1").await;
    assert_damaged(place.ledger.history(campaign).await);
}
