//! The card API's other side as methods.

use std::time::Duration;

use favor_mirror::{
    CardAccountChange, CardAct, CardEventState, CardReviewPolicy, ClaimCard, FormField, MirrorError, PushMode,
};
use serde_json::{Value, json};

use super::{ANNA, BELA, Cards, base, coupon, member_card};
use crate::harness::with;

/// A card as the API makes it, still in review.
async fn created(cards: &Cards, body: &Value) -> String {
    let told = cards.ok("/card/create", body).await;
    told["card_id"].as_str().unwrap().to_owned()
}

#[track_caller]
fn refused<T: std::fmt::Debug>(told: Result<T, MirrorError>, errcode: &str) {
    match told.unwrap_err() {
        MirrorError::Refused { reason } => assert!(reason.contains(errcode), "{reason}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_life_of_a_card_goes_by_methods() {
    let cards = Cards::new().await;
    let desk = cards.world.mirror.cards();
    let id = created(&cards, &coupon(base())).await;
    let card = |openid| ClaimCard::card(openid, &id);
    refused(desk.claim(card(ANNA)).await, "72022");
    assert_eq!(desk.review(&id, None).await.unwrap().status, "CARD_STATUS_VERIFY_OK");
    refused(desk.review(&id, None).await, "40078");

    let held = desk.claim(card(ANNA)).await.unwrap();
    assert_eq!((held.card_id.as_str(), held.openid.as_str()), (id.as_str(), ANNA));
    assert_eq!(desk.view(&held.code).await.unwrap(), held);
    assert_eq!(desk.enter_session(&held.code).await.unwrap(), held);
    assert_eq!(desk.gift(&held.code).await.unwrap().user_card_status, "GIFTING");
    refused(desk.reopen(&held.code).await, "40127");
    let given = desk.accept(&held.code, BELA).await.unwrap();
    assert_eq!((given.openid.as_str(), given.user_card_status.as_str()), (BELA, "NORMAL"));
    assert_ne!(given.code, held.code);
    refused(desk.pay(CardAct { fee: Some(1), ..CardAct::from(&given.code) }).await, "45030");

    let by_staff = CardAct { staff_openid: Some(ANNA.to_owned()), ..CardAct::from(&given.code) };
    assert_eq!(desk.redeem(by_staff).await.unwrap().user_card_status, "CONSUMED");
    assert_eq!(desk.remove(&given.code).await.unwrap().user_card_status, "DELETE");
    refused(desk.restore(&given.code).await, "72003");

    let codes = desk.codes(&id, 10).await.unwrap();
    let shown: Vec<_> = codes.iter().map(|code| (&code.code, code.user_card_status.as_str())).collect();
    assert_eq!(shown, [(&held.code, "GIFT_SUCC"), (&given.code, "DELETE")]);
    assert_eq!(desk.codes(&id, 1).await.unwrap(), codes[..1]);
    // By HTTP it is the same.
    let target = format!("/_mirror/card/cards/{id}/codes");
    let by_http = cards.world.control("GET", &target, &Value::Null).await.ok();
    assert_eq!(by_http["codes"], serde_json::to_value(&codes).unwrap());

    let events = desk.events(100).await.unwrap();
    let names: Vec<_> = events.iter().map(|event| event.event.as_str()).collect();
    assert_eq!(names.first(), Some(&"user_del_card"));
    assert!(names.contains(&"card_pass_check") && names.contains(&"user_consume_card"), "{names:?}");
    assert!(events.iter().all(|event| event.state == CardEventState::Nowhere && event.attempts == 0));
}

#[tokio::test]
async fn a_form_is_filled_and_a_gift_comes_back() {
    let cards = Cards::new().await;
    let desk = cards.world.mirror.cards();
    let id = cards.card(&member_card()).await;
    let held = desk.claim(ClaimCard::card(ANNA, &id)).await.unwrap();
    assert!(!held.has_active);
    let phone = FormField {
        name: "USER_FORM_INFO_FLAG_MOBILE".to_owned(),
        value: "13800000000".to_owned(),
        ..FormField::default()
    };
    let form = CardAct { common_field_list: vec![phone], ..CardAct::from(&held.code) };
    let filled = desk.submit_form(form).await.unwrap();
    assert!(filled.has_active && filled.activate_ticket.is_none());
    let fields = json!([{"name": "USER_FORM_INFO_FLAG_MOBILE", "value": "13800000000"}]);
    assert_eq!(filled.face["user_info"]["common_field_list"], fields);
    desk.remove(&held.code).await.unwrap();
    assert_eq!(desk.restore(&held.code).await.unwrap().user_card_status, "NORMAL");

    let id = cards.card(&coupon(base())).await;
    let held = desk.claim(ClaimCard::card(ANNA, &id)).await.unwrap();
    desk.gift(&held.code).await.unwrap();
    cards.world.mirror.advance(Duration::from_secs(24 * 60 * 60)).await.unwrap();
    assert_eq!(desk.codes(&id, 1).await.unwrap()[0].user_card_status, "GIFT_TIMEOUT");
    assert_eq!(desk.reopen(&held.code).await.unwrap().user_card_status, "NORMAL");
}

#[tokio::test]
async fn an_account_is_set_up_and_its_tokens_go_stale() {
    let cards = Cards::new().await;
    let desk = cards.world.mirror.cards();
    let account = desk.accounts().await.unwrap().remove(0);
    assert_eq!((account.tokens.plain, account.tokens.stable, account.mode), (1, 0, PushMode::Plain));
    let change = CardAccountChange {
        appid: Some(account.appid.clone()),
        review: Some(CardReviewPolicy::Fail),
        review_seconds: Some(5),
        ..CardAccountChange::default()
    };
    let account = desk.set_account(change).await.unwrap();
    assert_eq!((account.review, account.review_seconds), (CardReviewPolicy::Fail, 5));
    assert_eq!(desk.accounts().await.unwrap(), [account]);
    let id = created(&cards, &coupon(base())).await;
    cards.world.mirror.advance(Duration::from_secs(5)).await.unwrap();
    refused(desk.claim(ClaimCard::card(ANNA, &id)).await, "72022");
    assert_eq!(desk.events(1).await.unwrap()[0].event, "card_not_pass_check");

    let wrong = CardAccountChange { mode: Some(PushMode::Secure), ..CardAccountChange::default() };
    let told = desk.set_account(wrong).await.unwrap_err();
    assert!(matches!(told, MirrorError::CardAccount { .. }), "{told}");
    let unknown = CardAccountChange { appid: Some("wxNobody".to_owned()), ..CardAccountChange::default() };
    let told = desk.set_account(unknown).await.unwrap_err();
    assert!(matches!(told, MirrorError::NotFound { what: "appid" }), "{told}");

    assert_eq!(desk.stale_tokens(None).await.unwrap(), 1);
    assert_eq!(cards.errcode("/card/batchget", &json!({"offset": 0, "count": 1})).await, 40001);
}

#[tokio::test]
async fn a_qr_code_and_a_sub_merchant_go_by_methods() {
    let cards = Cards::new().await;
    let desk = cards.world.mirror.cards();
    let id = cards.card(&with(coupon(base()), "/card/groupon/base_info/get_limit", json!(9))).await;
    let made =
        json!({"action_name": "QR_CARD", "action_info": {"card": {"card_id": id, "outer_str": "poster"}}});
    let ticket = cards.ok("/card/qrcode/create", &made).await["ticket"].as_str().unwrap().to_owned();
    assert_eq!(desk.claim(ClaimCard::ticket(ANNA, &ticket)).await.unwrap().outer_str, "poster");
    let other = ClaimCard { outer_str: Some("till".to_owned()), ..ClaimCard::ticket(ANNA, &ticket) };
    assert_eq!(desk.claim(other).await.unwrap().outer_str, "till");
    refused(desk.claim(ClaimCard::page(ANNA, &id, "{}")).await, "40080");
    refused(desk.claim(ClaimCard::ticket(ANNA, "none")).await, "40053");

    let number: i64 = cards.sub_merchant().await.parse().unwrap();
    let told = desk.review_sub_merchant(None, number, Some("a blurred paper")).await.unwrap();
    assert_eq!((told.merchant_id, told.status.as_str()), (number, "REJECTED"));
    assert_eq!(desk.events(1).await.unwrap()[0].event, "card_merchant_check_result");
}
