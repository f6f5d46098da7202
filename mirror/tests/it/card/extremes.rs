//! Values at the ends of what a request can hold, other spellings of yes and of numbers, and limits that somebody
//! tries to get round.

use std::time::Duration;

use favor_mirror::{CardEventState, ClaimCard};
use serde_json::{Value, json};

use super::events::{settle, told};
use super::{ANNA, BELA, Cards, base, coupon, member_card};
use crate::harness::{fetch, with};

/// The QR code of one card, with more about it; answers what its claim by Anna comes to.
async fn scanned(cards: &Cards, card_id: &str, more: Value) -> Value {
    let mut card = json!({ "card_id": card_id });
    card.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let code = json!({"action_name": "QR_CARD", "action_info": { "card": card }});
    let ticket = cards.ok("/card/qrcode/create", &code).await["ticket"].clone();
    cards.act("claim", &json!({"openid": ANNA, "ticket": ticket})).await.json()
}

#[tokio::test]
async fn the_amount_of_a_red_packet_counts_on_red_packets_alone() {
    let cards = Cards::new().await;
    let id = cards.card(&with(member_card(), "/card/member_card/base_info/get_limit", json!(0))).await;
    for amount in [i64::MIN, -1, 1_000_000, i64::MAX] {
        let claimed = scanned(&cards, &id, json!({ "balance": amount })).await;
        assert_eq!(claimed["face"]["balance"], 0, "{amount}: {claimed}");
        cards.act("remove", &json!({ "code": claimed["code"] })).await.ok();
    }
    let packet = json!({"card": {"card_type": "LUCKY_MONEY", "lucky_money": { "base_info": base() }}});
    let id = cards.card(&packet).await;
    let refused = scanned(&cards, &id, json!({ "balance": -1 })).await;
    assert!(refused["message"].as_str().unwrap().contains("errcode"), "{refused}");
    assert_eq!(scanned(&cards, &id, json!({ "balance": 88 })).await["face"]["balance"], 88);
}

#[tokio::test]
async fn a_claim_that_was_given_away_still_counts() {
    let cards = Cards::new().await;
    let own = with(coupon(base()), "/card/groupon/base_info/use_custom_code", json!(true));
    let id = cards.card(&with(own, "/card/groupon/base_info/get_limit", json!("1"))).await;
    let claim = |code: &str| json!({"card_id": id, "openid": ANNA, "code": code});
    cards.act("claim", &claim("own-1")).await.ok();
    cards.act("gift", &json!({"code": "own-1", "card_id": id})).await.ok();
    cards.act("accept", &json!({"code": "own-1", "card_id": id, "openid": BELA})).await.ok();
    assert_eq!(cards.act("claim", &claim("own-2")).await.status, 409, "once each, written as text");
}

#[tokio::test]
async fn a_redemption_that_was_deleted_still_counts() {
    let cards = Cards::new().await;
    let id = cards.card(&with(coupon(base()), "/card/groupon/base_info/use_limit", json!("1"))).await;
    let (first, second) = (cards.claim(&id, ANNA).await, cards.claim(&id, ANNA).await);
    cards.ok("/card/code/consume", &json!({ "code": first })).await;
    cards.act("remove", &json!({ "code": first })).await.ok();
    assert_eq!(cards.errcode("/card/code/consume", &json!({ "code": second })).await, 72020);
}

#[tokio::test]
async fn what_a_card_was_made_with_is_not_changed_to_nonsense() {
    let cards = Cards::new().await;
    let id = cards.card(&coupon(base())).await;
    for (change, errcode) in [
        (json!({"base_info": {"giftcard_info": {"price": -5}}}), 40150),
        (json!({"base_info": {"title": ""}}), 41011),
        (json!({"deal_detail": ""}), 41011),
        (json!({"init_balance": i64::MIN}), 40150),
        (json!({"discount": 1_000}), 40150),
    ] {
        let body = json!({ "card_id": id, "groupon": change });
        assert_eq!(cards.errcode("/card/update", &body).await, errcode, "{body}");
    }
    let dates =
        json!({"type": "DATE_TYPE_FIX_TIME_RANGE", "begin_timestamp": 1, "end_timestamp": 2_000_000_000});
    let id = cards.card(&coupon(with(base(), "/date_info", dates))).await;
    for (key, second) in [("begin_timestamp", i64::MIN), ("end_timestamp", i64::MAX)] {
        let dates = json!({"type": "DATE_TYPE_FIX_TIME_RANGE", key: second});
        let body = json!({ "card_id": id, "groupon": {"base_info": { "date_info": dates }}});
        assert_eq!(cards.errcode("/card/update", &body).await, 40079, "{body}");
    }
    let for_ever = coupon(with(base(), "/date_info", json!({"type": "DATE_TYPE_PERMANENT"})));
    assert_eq!(cards.errcode("/card/create", &for_ever).await, 40079);
}

#[tokio::test]
async fn no_code_ends_before_it_begins() {
    let cards = Cards::new().await;
    let now = cards.world.mirror.now().timestamp();
    let late = json!({"type": "DATE_TYPE_FIX_TERM", "fixed_begin_term": 10, "fixed_term": 5,
        "end_timestamp": now + 86_400});
    let id = cards.card(&coupon(with(base(), "/date_info", late))).await;
    assert_eq!(cards.act("claim", &json!({"card_id": id, "openid": ANNA})).await.status, 409);
    let id = cards.card(&with(member_card(), "/card/member_card/wx_activate", json!(1))).await;
    let code = cards.claim(&id, ANNA).await;
    for times in [[2_000_000_000, 1_000_000_000], [i64::MIN, i64::MAX]] {
        let body = json!({"code": code, "membership_number": "7", "activate_begin_time": times[0],
            "activate_end_time": times[1]});
        assert_eq!(cards.errcode("/card/membercard/activate", &body).await, 40079, "{body}");
    }
    // A form is a form, whichever way its flag was written.
    cards.ok("/card/membercard/activate/geturl", &json!({ "card_id": id })).await;
}

#[tokio::test]
async fn stock_that_is_taken_back_is_reminded_of_too() {
    let cards = Cards::new().await;
    let id = cards.card(&with(coupon(base()), "/card/groupon/base_info/sku/quantity", json!(300))).await;
    cards.ok("/card/modifystock", &json!({"card_id": id, "reduce_stock_value": 210})).await;
    let events = cards.world.mirror.cards().events(1).await.unwrap();
    assert_eq!(events[0].event, "card_sku_remind");
    cards.ok("/card/modifystock", &json!({"card_id": id, "reduce_stock_value": 90})).await;
    assert_eq!(cards.world.mirror.cards().events(2).await.unwrap()[1].event, "card_sku_remind");
}

#[tokio::test]
async fn deep_bodies_are_refused_before_they_are_kept() {
    let cards = Cards::new().await;
    let id = cards.card(&member_card()).await;
    let deep = (0..120).fold(json!(1), |inner, _| json!([inner]));
    let body = json!({ "card_id": id, "required_form": {}, "other": deep });
    assert_eq!(cards.errcode("/card/membercard/activateuserform/set", &body).await, 47001);
}

#[tokio::test]
async fn no_way_of_writing_a_call_shows_its_secret_in_the_log() {
    let cards = Cards::new().await;
    let secret = cards.world.mirror.merchant().app_secret.clone();
    let body = json!({"grant_type": "client_credential", "appid": cards.world.mirror.merchant().appid,
        "secret": secret})
    .to_string();
    for path in ["//cgi-bin/stable_token", "/cgi-bin/stable_token/", "/cgi-bin/token"] {
        fetch(cards.world.request("POST", path, &body)).await.unwrap();
    }
    for target in ["//card/get?access_token=", "/card/get?access%5Ftoken="] {
        fetch(cards.world.request("POST", &format!("{target}{}", cards.token), "{}")).await.unwrap();
    }
    for request in cards.world.mirror.requests(100, 0) {
        let whole =
            cards.world.control("GET", &format!("/_mirror/requests/{}", request.id), &Value::Null).await;
        let shown = whole.json().to_string();
        assert!(!shown.contains(&secret) && !shown.contains(&cards.token), "{}", request.path);
    }
}

#[tokio::test]
async fn a_text_that_looks_like_the_end_of_a_message_does_not_end_it() {
    let (cards, receiver) = told("compatible").await;
    let id = cards.card(&coupon(base())).await;
    settle(&cards).await;
    receiver.take();
    let claim = ClaimCard { outer_str: Some("a</xml>b".to_owned()), ..ClaimCard::card(ANNA, &id) };
    cards.world.mirror.cards().claim(claim).await.unwrap();
    settle(&cards).await;
    let arrived = receiver.take();
    assert_eq!(arrived[0].element("OuterStr"), "a</xml>b");
    assert_eq!(arrived[0].body.matches("<Encrypt>").count(), 1);
}

#[tokio::test]
async fn a_replay_in_vain_uses_up_no_attempt() {
    let (cards, receiver) = told("plain").await;
    receiver.script(["no", "no", "no"]);
    cards.card(&coupon(base())).await;
    settle(&cards).await;
    let desk = cards.world.mirror.cards();
    let event = desk.events(1).await.unwrap().remove(0);
    assert_eq!((event.state, event.attempts), (CardEventState::Pending, 1));
    desk.replay(event.id).await.unwrap();
    cards.world.mirror.advance(Duration::from_secs(5)).await.unwrap();
    let event = desk.events(1).await.unwrap().remove(0);
    assert_eq!((event.state, event.attempts), (CardEventState::Pending, 2), "a third is to come");
    cards.world.mirror.advance(Duration::from_secs(5)).await.unwrap();
    assert_eq!(desk.events(1).await.unwrap()[0].state, CardEventState::Delivered);
}

#[tokio::test]
async fn a_form_is_not_submitted_with_holes() {
    let cards = Cards::new().await;
    let id = cards.card(&member_card()).await;
    let form = json!({"card_id": id, "required_form": {
        "common_field_id_list": ["USER_FORM_INFO_FLAG_MOBILE"], "custom_field_list": ["favourite tea"]}});
    cards.ok("/card/membercard/activateuserform/set", &form).await;
    let code = cards.claim(&id, ANNA).await;
    let mobile = json!([{"name": "USER_FORM_INFO_FLAG_MOBILE", "value": "13800000000"}]);
    for (common, own, missing) in [
        (json!([]), json!([]), "USER_FORM_INFO_FLAG_MOBILE"),
        (mobile.clone(), json!([]), "favourite tea"),
        (mobile.clone(), json!([{"name": "favourite tea", "value": ""}]), "favourite tea"),
    ] {
        let body = json!({"code": code, "common_field_list": common, "custom_field_list": own});
        let told = cards.act("submit-form", &body).await;
        assert_eq!(told.status, 409, "{body}");
        assert!(told.json()["message"].as_str().unwrap().contains(missing), "{}", told.json());
    }
    let own = json!([{"name": "favourite tea", "value": "oolong"}]);
    let body = json!({"code": code, "common_field_list": mobile, "custom_field_list": own});
    assert_eq!(cards.act("submit-form", &body).await.ok()["has_active"], true);
}

#[tokio::test]
async fn an_act_without_its_field_and_a_list_are_no_acts() {
    let cards = Cards::new().await;
    for (what, field) in [("claim", "openid"), ("redeem", "code"), ("submit-form", "code")] {
        for (body, wanted) in
            [(json!({}), format!("missing field `{field}`")), (json!(["880012345678"]), "a list".into())]
        {
            let told = cards.act(what, &body).await;
            assert_eq!(told.status, 400, "{what} {body}");
            assert!(told.json()["message"].as_str().unwrap().contains(&wanted), "{}", told.json());
        }
    }
}

#[tokio::test]
async fn a_refusal_names_the_rule_that_was_broken() {
    let cards = Cards::new().await;
    let id = cards.card(&coupon(base())).await;
    let code = cards.claim(&id, ANNA).await;
    let redeemed = json!({"code": code, "source": "FROM_AFAR"});
    assert!(reason(&cards, "redeem", &redeemed).await.contains("FROM_MOBILE_HELPER"));
    assert!(reason(&cards, "claim", &json!({"openid": BELA, "ticket": "none"})).await.contains("ticket"));
    cards.act("gift", &json!({ "code": code })).await.ok();
    let own = reason(&cards, "accept", &json!({"code": code, "openid": ANNA})).await;
    assert!(own.contains("than its giver"), "{own}");
}

async fn reason(cards: &Cards, what: &str, body: &Value) -> String {
    cards.act(what, body).await.json()["message"].as_str().unwrap().to_owned()
}
