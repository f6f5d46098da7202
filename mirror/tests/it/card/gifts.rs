//! Gifts, and what else users do with their cards.

use std::time::Duration;

use serde_json::json;

use super::{ANNA, BELA, Cards, base, coupon};
use crate::harness::with;

#[tokio::test]
async fn a_friend_gets_a_new_code_and_the_giver_none() {
    let cards = Cards::new().await;
    let id = cards.card(&coupon(base())).await;
    let code = cards.claim(&id, ANNA).await;
    cards.act("gift", &json!({ "code": code })).await.ok();
    assert_eq!(cards.status(&code).await["user_card_status"], "GIFTING");
    assert_eq!(cards.errcode("/card/code/consume", &json!({ "code": code })).await, 40127);
    assert_eq!(cards.act("accept", &json!({"code": code, "openid": ANNA})).await.status, 409);
    let taken = cards.act("accept", &json!({"code": code, "openid": BELA})).await.ok();
    let new = taken["code"].as_str().unwrap();
    assert_ne!(new, code);
    assert_eq!(cards.errcode("/card/code/get", &json!({ "code": code })).await, 40056);
    assert_eq!(cards.status(new).await["openid"], BELA);
    let list = cards.ok("/card/user/getcardlist", &json!({ "openid": ANNA })).await;
    assert_eq!(list["card_list"], json!([]));
}

#[tokio::test]
async fn a_gift_that_nobody_takes_goes_back_after_a_day() {
    let cards = Cards::new().await;
    let id = cards.card(&coupon(base())).await;
    let code = cards.claim(&id, ANNA).await;
    cards.act("gift", &json!({ "code": code })).await.ok();
    cards.world.mirror.advance(Duration::from_secs(24 * 60 * 60)).await.unwrap();
    let cards = Cards::around(cards.world).await;
    assert_eq!(cards.status(&code).await["user_card_status"], "GIFT_TIMEOUT");
    assert_eq!(cards.errcode("/card/code/consume", &json!({ "code": code })).await, 40127);
    cards.act("reopen", &json!({ "code": code })).await.ok();
    cards.ok("/card/code/consume", &json!({ "code": code })).await;
    cards.act("remove", &json!({ "code": code })).await.ok();
    assert_eq!(cards.status(&code).await["user_card_status"], "DELETE");
}

#[tokio::test]
async fn some_cards_cannot_be_given_away() {
    let cards = Cards::new().await;
    let id = cards.card(&with(coupon(base()), "/card/groupon/base_info/can_give_friend", json!(false))).await;
    let code = cards.claim(&id, ANNA).await;
    let refused = cards.act("gift", &json!({ "code": code })).await;
    assert!(refused.json()["message"].as_str().unwrap().contains("errcode 45030"));
}
