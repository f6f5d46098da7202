//! Invoices after payment.

use serde_json::{Value, json};

use super::gift_pages::shop;
use super::{ANNA, Cards};
use crate::harness::{fetch, with};

const DATA: &str = "/card/invoice/getauthdata";

async fn settings(cards: &Cards, action: &str, body: &Value) -> Value {
    let target = format!("/card/invoice/setbizattr?access_token={}&action={action}", cards.token);
    fetch(cards.world.request("POST", &target, &body.to_string())).await.unwrap().ok()
}

async fn order(cards: &Cards) -> Value {
    let (card, page_id) = shop(cards).await;
    let buy = json!({"page_id": page_id, "openid": ANNA, "card_ids": [card]});
    cards.act("gift-cards/buy", &buy).await.ok()["order_id"].clone()
}

#[tokio::test]
async fn each_setting_is_kept_and_shown() {
    let cards = Cards::new().await;
    let own = json!([{"key": "k"}]);
    for (what, key, value) in [
        ("pay_mch", "paymch_info", json!({"mchid": "1900000109", "s_pappid": "wxINVENTED"})),
        (
            "auth_field",
            "auth_field",
            json!({"user_field": {"show_title": 1, "show_phone": 1, "custom_field": own},
                "biz_field": {"show_title": 1, "show_bank_no": 0, "custom_field": own}}),
        ),
        ("contact", "contact", json!({"phone": "021-55550000", "time_out": 12345})),
    ] {
        let (set, get) = (format!("set_{what}"), format!("get_{what}"));
        let before = settings(&cards, &get, &json!({})).await;
        assert_eq!((&before["errcode"], before.get(key)), (&json!(0), None), "{what}");
        for value in [json!({}), value.clone()] {
            let told = settings(&cards, &set, &json!({ key: value })).await;
            let good = value.as_object().is_some_and(|value| !value.is_empty());
            assert_eq!(told["errcode"], if good { 0 } else { 41011 }, "{what}: {told}");
        }
        assert_eq!(settings(&cards, &get, &json!({})).await[key], value);
    }
    for (action, body, errcode) in [
        ("set_title", json!({}), 40035),
        ("", json!({}), 40035),
        ("set_pay_mch", json!({}), 41011),
        ("set_pay_mch", json!({"paymch_info": {"mchid": "1", "s_pappid": "a"}}), 72010),
        ("set_auth_field", json!({"auth_field": {"user_field": {"show_title": "perhaps"}}}), 47001),
        ("set_auth_field", json!({"auth_field": {"biz_field": {"custom_field": [{}]}}}), 41011),
        ("set_contact", json!({"contact": {"phone": "1", "time_out": 0}}), 40035),
    ] {
        assert_eq!(settings(&cards, action, &body).await["errcode"], errcode, "{action} {body}");
    }
    let without = cards.errcode("/card/invoice/setbizattr", &json!({})).await;
    assert_eq!(without, 40035);
}

#[tokio::test]
async fn what_a_user_gives_is_told_to_the_merchant() {
    let cards = Cards::new().await;
    let id = order(&cards).await;
    let ask = json!({"order_id": id, "s_pappid": "wxINVENTED"});
    assert_eq!(cards.errcode(DATA, &ask).await, 40078, "nothing was given yet");
    let field =
        json!({"title": "Anna", "email": "a@shop.example", "custom_field": [{"key": "k", "value": "v"}]});
    let given = cards.act("gift-cards/invoice", &json!({"order_id": id, "user_field": field})).await.ok();
    assert_eq!(given["invoice_status"], "auth success");
    let told = cards.ok(DATA, &ask).await;
    assert_eq!(told["invoice_status"], "auth success");
    assert_eq!(told["user_auth_info"], json!({ "user_field": field }));
    assert!(told["auth_time"].as_i64().unwrap() > 1_000_000_000);
    let old = json!({"order_id": id, "s_appid": "wxINVENTED"});
    cards.ok(DATA, &old).await;
    for (body, errcode) in [(json!({ "order_id": id }), 41011), (json!({"s_pappid": "a"}), 41011)] {
        assert_eq!(cards.errcode(DATA, &body).await, errcode, "{body}");
    }
    let payee = json!({"paymch_info": {"mchid": "1900000109", "s_pappid": "wxOther"}});
    settings(&cards, "set_pay_mch", &payee).await;
    assert_eq!(cards.errcode(DATA, &ask).await, 40097);
    cards.ok(DATA, &with(ask, "/s_pappid", json!("wxOther"))).await;
    let events = cards.world.control("GET", "/_mirror/card/events?limit=1", &Value::Null).await.ok();
    assert_eq!(events["events"][0]["event"], "user_authorize_invoice");
    assert!(events["events"][0]["xml"].as_str().unwrap().contains(id.as_str().unwrap()));
}

#[tokio::test]
async fn a_user_fills_in_what_the_merchant_asks_for() {
    let cards = Cards::new().await;
    let id = order(&cards).await;
    let firm = json!({"show_title": 1, "show_tax_no": 1, "show_addr": 0, "custom_field": [{"key": "k"}]});
    settings(&cards, "set_auth_field", &json!({"auth_field": {"biz_field": firm}})).await;
    let give = async |more: Value| {
        let mut body = json!({ "order_id": id });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        cards.act("gift-cards/invoice", &body).await.status
    };
    let own = |key: &str| json!([{"key": key, "value": "v"}]);
    for (more, status) in [
        (json!({}), 409),
        (json!({"user_field": {"title": "Anna"}}), 409),
        (json!({"biz_field": {"addr": "1 Invented Road"}}), 409),
        (json!({"biz_field": {"colour": "red"}}), 409),
        (json!({"biz_field": {"custom_field": own("other")}}), 409),
        (json!({"biz_field": {"title": "Tea Nook"}, "user_field": {"title": "Anna"}}), 409),
        (json!({"biz_field": {"title": "Tea Nook", "tax_no": "91", "custom_field": own("k")}}), 200),
    ] {
        assert_eq!(give(more.clone()).await, status, "{more}");
    }
    cards.ok("/card/giftcard/order/refund", &json!({ "order_id": id })).await;
    assert_eq!(give(json!({"biz_field": {"title": "Tea Nook"}})).await, 409, "the money went back");
}
