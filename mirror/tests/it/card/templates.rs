//! Cards: create, look, list, change, stock, delete.

use std::time::Duration;

use serde_json::{Value, json};

use super::{ANNA, Cards, base, coupon, member_card};
use crate::harness::with;

fn of_type(kind: &str, fields: Value) -> Value {
    let mut whole = json!({ "base_info": base() });
    whole.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let mut card = json!({ "card_type": kind });
    card[kind.to_lowercase()] = whole;
    json!({ "card": card })
}

#[tokio::test]
async fn all_twelve_types_are_made_and_shown_again() {
    let cards = Cards::new().await;
    let mut gift_card = of_type(
        "GENERAL_CARD",
        json!({"sub_card_type": "GIFT_CARD", "supply_bonus": false, "supply_balance": true, "init_balance": 100}),
    );
    gift_card["card"]["general_card"]["base_info"]["giftcard_info"] = json!({"price": 10000});
    let bodies = [
        coupon(base()),
        of_type("CASH", json!({"least_cost": 10000, "reduce_cost": 1500})),
        of_type("DISCOUNT", json!({"discount": 30})),
        of_type("GIFT", json!({"gift": "One music box"})),
        of_type("GENERAL_COUPON", json!({"default_detail": "Free refill"})),
        member_card(),
        gift_card,
        of_type("MEETING_TICKET", json!({"meeting_detail": "Hall 2"})),
        of_type("SCENIC_TICKET", json!({"ticket_class": "Full day"})),
        of_type("MOVIE_TICKET", json!({"detail": "120 min"})),
        of_type("BOARDING_PASS", json!({"from": "Chengdu", "to": "Guangzhou", "flight": "TN1234"})),
        of_type("LUCKY_MONEY", json!({})),
    ];
    for body in &bodies {
        let kind = body["card"]["card_type"].as_str().unwrap();
        let id = cards.ok("/card/create", body).await["card_id"].clone();
        let shown = cards.ok("/card/get", &json!({ "card_id": id })).await["card"].clone();
        let base = &shown[kind.to_lowercase()]["base_info"];
        assert_eq!(shown["card_type"], kind);
        assert_eq!((&base["id"], &base["status"]), (&id, &json!("CARD_STATUS_NOT_VERIFY")));
        assert_eq!((&base["color"], &base["can_share"]), (&json!("#63B359"), &json!(true)));
        assert_eq!(base["sku"], json!({"quantity": 5, "total_quantity": 5}));
    }
    let page = cards.ok("/card/batchget", &json!({"offset": 10, "count": 50})).await;
    assert_eq!((page["card_id_list"].as_array().unwrap().len(), &page["total_num"]), (2, &json!(12)));
    assert_eq!(cards.errcode("/card/batchget", &json!({"offset": 0, "count": 51})).await, 40035);
}

#[tokio::test]
async fn limits_are_in_bytes_and_each_fault_has_its_errcode() {
    let cards = Cards::new().await;
    let at = |pointer: &str, value: Value| with(coupon(base()), &format!("/card/groupon{pointer}"), value);
    assert_eq!(cards.errcode("/card/create", &at("/base_info/title", json!("茶".repeat(9)))).await, 0);
    let date = json!({"type": 1, "begin_timestamp": 1_900_000_000, "end_timestamp": 1_890_000_000});
    for (body, errcode) in [
        (at("/base_info/title", json!("茶".repeat(10))), 45021),
        (at("/base_info/title", json!("a".repeat(28))), 45021),
        (at("/base_info/title", Value::Null), 47001),
        (at("/base_info/color", json!("Color011")), 40076),
        (at("/base_info/logo_url", json!("http://shop.example/a.png")), 40141),
        (at("/base_info/code_type", json!("CODE_TYPE_X")), 40072),
        (at("/base_info/sku", json!({})), 40070),
        (at("/base_info/sku/quantity", json!(0)), 40122),
        (at("/base_info/sku/quantity", json!(100_000_001)), 40122),
        (at("/base_info/date_info", date), 40079),
        (at("/base_info/date_info/type", json!("DATE_TYPE_X")), 40079),
        (at("/base_info/get_custom_code_mode", json!("GET_CUSTOM_CODE_MODE_DEPOSIT")), 40136),
        (at("/deal_detail", json!("")), 41011),
        (at("/advanced_info", json!({"time_limit": [{"type": "NODAY"}]})), 40149),
        (of_type("CASH", json!({"least_cost": 1500, "reduce_cost": 1500})), 40150),
        (of_type("CASH", json!({"least_cost": 0, "reduce_cost": 0})), 40150),
        (of_type("DISCOUNT", json!({"discount": 100})), 40150),
        (json!({"card": {"card_type": "X", "x": {}}}), 40071),
        (json!({"card": {"card_type": "CASH", "groupon": {}}}), 40071),
        (json!({}), 41011),
    ] {
        assert_eq!(cards.errcode("/card/create", &body).await, errcode, "{body}");
    }
    for key in ["notice", "brand_name", "date_info"] {
        let mut body = coupon(base());
        body["card"]["groupon"]["base_info"].as_object_mut().unwrap().remove(key);
        assert_eq!(cards.errcode("/card/create", &body).await, 41011, "{key}");
    }
    let four = with(member_card(), "/card/member_card/custom_field1", json!({"name": "a"}));
    let four = with(four, "/card/member_card/custom_field2", json!({"name": "b"}));
    assert_eq!(cards.errcode("/card/create", &four).await, 40124);
    cards.act("accounts", &json!({"custom_code": false, "balance": false})).await.ok();
    let custom = at("/base_info/use_custom_code", json!(true));
    assert_eq!(cards.errcode("/card/create", &custom).await, 43009);
    assert_eq!(cards.errcode("/card/create", &member_card()).await, 43010);
    let page = cards.ok("/card/batchget", &json!({"offset": 0, "count": 50})).await;
    assert_eq!(page["total_num"], 1, "what was refused left nothing");
}

#[tokio::test]
async fn escaped_characters_and_broken_json_are_refused() {
    let cards = Cards::new().await;
    let target = format!("/card/get?access_token={}", cards.token);
    let errcode = async |body: &str| {
        let reply = crate::harness::fetch(cards.world.request("POST", &target, body)).await.unwrap();
        reply.ok()["errcode"].as_i64().unwrap()
    };
    assert_eq!(errcode("{\"card_id\":\"\\u8336\"}").await, 40033);
    assert_eq!(errcode("{\"card_id\":\"\\\\u8336\"}").await, 40073);
    assert_eq!(errcode("{\"card_id\":").await, 47001);
    assert_eq!(errcode("").await, 44002);
    assert_eq!(errcode("{}").await, 41012);
}

#[tokio::test]
async fn the_review_answers_on_the_test_clock() {
    let cards = Cards::new().await;
    let id = cards.ok("/card/create", &coupon(base())).await["card_id"].clone();
    let status = async || {
        let shown = cards.ok("/card/get", &json!({ "card_id": id })).await;
        shown["card"]["groupon"]["base_info"]["status"].as_str().unwrap().to_owned()
    };
    cards.world.mirror.advance(Duration::from_secs(59)).await.unwrap();
    assert_eq!(status().await, "CARD_STATUS_NOT_VERIFY");
    cards.world.mirror.advance(Duration::from_secs(1)).await.unwrap();
    assert_eq!(status().await, "CARD_STATUS_VERIFY_OK");
    let change = |base: Value| json!({ "card_id": id, "groupon": { "base_info": base } });
    let told = cards.ok("/card/update", &change(json!({"service_phone": "021-55550000"}))).await;
    assert_eq!((&told["send_check"], status().await.as_str()), (&json!(false), "CARD_STATUS_VERIFY_OK"));
    cards.act("accounts", &json!({"review": "fail"})).await.ok();
    let told = cards.ok("/card/update", &change(json!({"notice": "Show it"}))).await;
    assert_eq!((&told["send_check"], status().await.as_str()), (&json!(true), "CARD_STATUS_NOT_VERIFY"));
    cards.world.mirror.advance(Duration::from_secs(60)).await.unwrap();
    assert_eq!(status().await, "CARD_STATUS_VERIFY_FAIL");
    assert_eq!(cards.errcode("/card/update", &change(json!({"brand_name": "Other"}))).await, 40150);
    let foreign = json!({ "card_id": id, "cash": {} });
    assert_eq!(cards.errcode("/card/update", &foreign).await, 40071);
    let dates = json!({"date_info": {"type": "DATE_TYPE_FIX_TERM", "fixed_term": 60}});
    assert_eq!(cards.errcode("/card/update", &change(dates)).await, 40100);
}

#[tokio::test]
async fn validity_is_only_widened() {
    let cards = Cards::new().await;
    let date = json!({"type": "DATE_TYPE_FIX_TIME_RANGE", "begin_timestamp": 1_893_456_000, "end_timestamp": 1_896_134_399});
    let id = cards.card(&with(coupon(base()), "/card/groupon/base_info/date_info", date.clone())).await;
    let change = async |key: &str, value: i64| {
        let mut date = date.clone();
        date[key] = value.into();
        let body = json!({ "card_id": id, "groupon": { "base_info": { "date_info": date } } });
        cards.errcode("/card/update", &body).await
    };
    assert_eq!(change("end_timestamp", 1_896_134_398).await, 40100);
    assert_eq!(change("begin_timestamp", 1_893_456_001).await, 40100);
    assert_eq!(change("end_timestamp", 1_896_134_400).await, 0);
    assert_eq!(change("end_timestamp", 1_896_134_399).await, 40100, "the wider one is in force");
}

#[tokio::test]
async fn stock_and_deletion() {
    let cards = Cards::new().await;
    let id = cards.card(&coupon(base())).await;
    let stock = async |body: Value| {
        let mut body = body;
        body["card_id"] = id.clone().into();
        cards.errcode("/card/modifystock", &body).await
    };
    assert_eq!(stock(json!({"increase_stock_value": 10})).await, 0);
    assert_eq!(stock(json!({"reduce_stock_value": 16})).await, 45031);
    assert_eq!(stock(json!({"reduce_stock_value": 1, "increase_stock_value": 1})).await, 40122);
    assert_eq!(stock(json!({"increase_stock_value": 100_000_000})).await, 45041);
    let code = cards.claim(&id, ANNA).await;
    let shown = cards.ok("/card/get", &json!({ "card_id": id })).await;
    let sku = &shown["card"]["groupon"]["base_info"]["sku"];
    assert_eq!(*sku, json!({"quantity": 14, "total_quantity": 15}));
    cards.ok("/card/delete", &json!({ "card_id": id })).await;
    assert_eq!(cards.errcode("/card/delete", &json!({ "card_id": id })).await, 40078);
    assert_eq!(stock(json!({"increase_stock_value": 1})).await, 40078);
    let refused = cards.act("claim", &json!({ "card_id": id, "openid": ANNA })).await;
    assert_eq!(refused.status, 409);
    // What users hold stays good.
    cards.ok("/card/code/consume", &json!({ "code": code })).await;
}

#[tokio::test]
async fn one_cell_at_most_and_only_in_stores() {
    let cards = Cards::new().await;
    let waiting = cards.ok("/card/create", &coupon(base())).await["card_id"].clone();
    assert_eq!(
        cards.errcode("/card/paycell/set", &json!({"card_id": waiting, "is_open": true})).await,
        40107
    );
    let nowhere = with(coupon(base()), "/card/groupon/base_info/location_id_list", json!([]));
    let nowhere = cards.card(&nowhere).await;
    assert_eq!(
        cards.errcode("/card/paycell/set", &json!({"card_id": nowhere, "is_open": true})).await,
        43017
    );
    let id = cards.card(&coupon(base())).await;
    cards.ok("/card/paycell/set", &json!({"card_id": id, "is_open": true})).await;
    let own = json!({"card_id": id, "is_open": true, "need_verify_cod": true});
    assert_eq!(cards.errcode("/card/selfconsumecell/set", &own).await, 45046);
    cards.ok("/card/paycell/set", &json!({"card_id": id, "is_open": false})).await;
    cards.ok("/card/selfconsumecell/set", &own).await;
    let center = json!({"card_id": id, "groupon": {"base_info": {"center_title": "Use"}}});
    assert_eq!(cards.errcode("/card/update", &center).await, 45046);
}
