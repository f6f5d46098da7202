//! Codes that somebody puts aside for a few minutes.

use std::time::Duration;

use serde_json::json;

use super::{ANNA, BELA, Cards, base, coupon};
use crate::harness::with;

const MARK: &str = "/card/code/mark";
const CONSUME: &str = "/card/code/consume";

#[tokio::test]
async fn a_mark_keeps_others_away_for_five_minutes() {
    let cards = Cards::new().await;
    let id = cards.card(&coupon(base())).await;
    let code = cards.claim(&id, ANNA).await;
    let mark =
        |openid: &str, sets: bool| json!({"code": code, "card_id": id, "openid": openid, "is_mark": sets});
    cards.ok(MARK, &mark(BELA, true)).await;
    cards.ok(MARK, &mark(BELA, true)).await;
    for sets in [true, false] {
        assert_eq!(cards.errcode(MARK, &mark(ANNA, sets)).await, 40146);
    }
    assert_eq!(cards.errcode(CONSUME, &json!({ "code": code })).await, 40146);
    cards.world.mirror.advance(Duration::from_secs(299)).await.unwrap();
    assert_eq!(cards.errcode(CONSUME, &json!({ "code": code })).await, 40146);
    cards.world.mirror.advance(Duration::from_secs(1)).await.unwrap();
    cards.ok(MARK, &mark(ANNA, true)).await;
    assert_eq!(cards.errcode(MARK, &mark(BELA, true)).await, 40146);
    cards.ok(CONSUME, &json!({ "code": code })).await;
    assert_eq!(cards.errcode(MARK, &mark(ANNA, true)).await, 40099);
}

#[tokio::test]
async fn a_mark_is_taken_back_and_needs_everything() {
    let cards = Cards::new().await;
    let id = cards.card(&coupon(base())).await;
    let code = cards.claim(&id, ANNA).await;
    let mark = json!({"code": code, "card_id": id, "openid": BELA, "is_mark": true});
    cards.ok(MARK, &mark).await;
    cards.ok(MARK, &with(mark.clone(), "/is_mark", json!(false))).await;
    for (key, errcode) in [("code", 41013), ("card_id", 41012), ("openid", 41009), ("is_mark", 41011)] {
        let mut body = mark.clone();
        body.as_object_mut().unwrap().remove(key);
        assert_eq!(cards.errcode(MARK, &body).await, errcode, "{key}");
    }
    let unknown = with(mark, "/code", json!("000000000000"));
    assert_eq!(cards.errcode(MARK, &unknown).await, 40056);
    cards.ok(CONSUME, &json!({ "code": code })).await;
}
