//! Card coins.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{ANNA, Cards, base, coupon};
use crate::harness::{builder, fetch, with};

async fn get(cards: &Cards, path: &str) -> Value {
    let target = format!("{path}?access_token={}", cards.token);
    let told = fetch(cards.world.request("GET", &target, "")).await.unwrap().ok();
    assert_eq!(told["errcode"], 0, "{told}");
    told
}

/// Granted and paid coins.
async fn balance(cards: &Cards) -> (i64, i64) {
    let told = get(cards, "/card/pay/getcoinsinfo").await;
    let [free, paid, total] = ["free_coin", "pay_coin", "total_coin"].map(|key| told[key].as_i64().unwrap());
    assert_eq!(total, free + paid);
    (free, paid)
}

async fn recharge(cards: &Cards, count: i64) -> String {
    let told = cards.ok("/card/pay/recharge", &json!({ "coin_count": count })).await;
    assert!(told["qrcode_url"].as_str().unwrap().starts_with("weixin://wxpay/"), "{told}");
    let picture = STANDARD.decode(told["qrcode_buffer"].as_str().unwrap()).unwrap();
    assert!(picture.starts_with(&[0xFF, 0xD8]), "it is a JPEG");
    told["order_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn coins_are_granted_once_bought_and_spent_on_stock() {
    let cards = Cards::new().await;
    let id = cards.card(&coupon(base())).await;
    assert_eq!(balance(&cards).await, (0, 0));
    assert_eq!(get(&cards, "/card/pay/activate").await["reward"], "200");
    assert_eq!(get(&cards, "/card/pay/activate").await["reward"], "0");
    assert_eq!(balance(&cards).await, (200, 0));

    let order = recharge(&cards, 150).await;
    assert_eq!(balance(&cards).await, (200, 0), "nobody has paid yet");
    let paid = cards.world.mirror.cards().pay_coins(&order, Some(ANNA)).await.unwrap();
    assert_eq!((paid.free_coin, paid.pay_coin, paid.status.as_str()), (200, 150, "ORDER_STATUS_SUCC"));
    let again = cards.act("coins/pay", &json!({ "order_id": order })).await;
    assert_eq!(again.status, 409);
    assert!(again.json()["message"].as_str().unwrap().contains("is paid once"), "{}", again.json());
    assert_eq!(cards.act("coins/pay", &json!({"order_id": "404999999"})).await.status, 409);

    let buy = json!({"card_id": id, "quantity": 300});
    let price = cards.ok("/card/pay/getpayprice", &buy).await;
    let parts = ["price", "free_coin", "pay_coin"].map(|key| price[key].as_str().unwrap());
    assert_eq!(parts, ["300", "200", "100"]);
    let confirm = with(buy, "/order_id", price["order_id"].clone());
    let other = with(confirm.clone(), "/quantity", json!(299));
    assert_eq!(cards.errcode("/card/pay/confirm", &other).await, 40097, "that is another quantity");
    cards.ok("/card/pay/confirm", &confirm).await;
    assert_eq!(cards.errcode("/card/pay/confirm", &confirm).await, 40097, "a price is for once");
    assert_eq!(balance(&cards).await, (0, 50));
    let card = cards.ok("/card/get", &json!({ "card_id": id })).await;
    let sku = &card["card"]["groupon"]["base_info"]["sku"];
    assert_eq!(*sku, json!({"quantity": 305, "total_quantity": 305}));

    let order = cards.ok("/card/pay/getorder", &json!({ "order_id": order })).await["order_info"].clone();
    let seen = ["order_type", "status", "free_coin_count", "pay_coin_count", "openid"].map(|key| &order[key]);
    assert_eq!(seen, ["ORDER_TYPE_WXPAY", "ORDER_STATUS_SUCC", "0", "150", ANNA]);
    let events = cards.world.mirror.cards().events(100).await.unwrap();
    let moved: Vec<_> = events.iter().filter(|event| event.event == "card_pay_order").collect();
    assert_eq!(moved.len(), 3, "granted, bought, spent");
    for part in [
        "<OrderType><![CDATA[ORDER_TYPE_REDUCE]]></OrderType>",
        "<FreeCoinCount><![CDATA[200]]></FreeCoinCount>",
        "<PayCoinCount><![CDATA[100]]></PayCoinCount>",
    ] {
        assert!(moved[0].xml.contains(part), "{}", moved[0].xml);
    }
    cards.world.assert_sound(&cards.world.mirror.audit().await);
}

#[tokio::test]
async fn a_price_is_good_for_a_minute_and_needs_its_coins() {
    let cards = Cards::new().await;
    let id = cards.card(&coupon(base())).await;
    get(&cards, "/card/pay/activate").await;
    let buy = json!({"card_id": id, "quantity": 150});
    let priced = async || cards.ok("/card/pay/getpayprice", &buy).await["order_id"].clone();
    let (one, two) = (priced().await, priced().await);
    let confirm = |order: Value| with(buy.clone(), "/order_id", order);
    cards.ok("/card/pay/confirm", &confirm(one)).await;
    assert_eq!(cards.errcode("/card/pay/confirm", &confirm(two)).await, 40097, "50 coins are left");
    let late = cards.ok("/card/pay/getpayprice", &json!({"card_id": id, "quantity": 10})).await;
    cards.world.mirror.advance(Duration::from_millis(60_001)).await.unwrap();
    let late = json!({"card_id": id, "quantity": 10, "order_id": late["order_id"]});
    assert_eq!(cards.errcode("/card/pay/confirm", &late).await, 40097);
    assert_eq!(balance(&cards).await, (50, 0));
}

#[tokio::test]
async fn numbers_of_coins_are_checked() {
    let cards = Cards::new().await;
    let id = cards.card(&coupon(base())).await;
    for (count, errcode) in [
        (json!(0), 40097),
        (json!(-1), 40097),
        (json!(100_000_001), 40097),
        (json!(i64::MAX), 40097),
        (json!(1.5), 47001),
        (json!("many"), 47001),
        (Value::Null, 47001),
    ] {
        let told = cards.errcode("/card/pay/recharge", &json!({ "coin_count": count })).await;
        assert_eq!(told, errcode, "{count}");
    }
    for quantity in [json!(0), json!(-5), json!(i64::MAX), json!(100_000_001)] {
        let buy = json!({"card_id": id, "quantity": quantity});
        assert_eq!(cards.errcode("/card/pay/getpayprice", &buy).await, 40122, "{quantity}");
    }
    let most = json!({"card_id": id, "quantity": 100_000_000});
    assert_eq!(cards.errcode("/card/pay/getpayprice", &most).await, 45041);
    // What an account has is bounded too, and a payment beyond that changes nothing.
    let desk = cards.world.mirror.cards();
    let (one, two) = (recharge(&cards, 100_000_000).await, recharge(&cards, 1).await);
    desk.pay_coins(&one, None).await.unwrap();
    desk.pay_coins(&two, None).await.unwrap_err();
    assert_eq!(balance(&cards).await, (0, 100_000_000));
    cards.world.assert_sound(&cards.world.mirror.audit().await);
}

#[tokio::test]
async fn orders_are_listed_by_kind_status_and_time() {
    let cards = Cards::new().await;
    get(&cards, "/card/pay/activate").await;
    cards.world.mirror.advance(Duration::from_secs(100)).await.unwrap();
    let paid = recharge(&cards, 7).await;
    cards.world.mirror.cards().pay_coins(&paid, None).await.unwrap();
    let open = recharge(&cards, 8).await;
    let now = cards.world.mirror.now().timestamp();
    let list = async |more: Value| {
        let mut body = json!({"offset": 0, "count": 10});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let told = cards.ok("/card/pay/getorderlist", &body).await;
        let orders = told["order_list"].as_array().unwrap().clone();
        let ids: Vec<_> = orders.iter().map(|order| order["order_id"].as_str().unwrap().to_owned()).collect();
        (told["total_num"].as_i64().unwrap(), ids)
    };
    let (total, all) = list(json!({})).await;
    assert_eq!((total, all.len()), (3, 3));
    assert_eq!(all[1..], [paid.clone(), open.clone()]);
    let newest = json!({"sort_info": {"sort_key": "SORT_BY_TIME", "sort_type": "SORT_DESC"}, "count": 1});
    assert_eq!(list(newest).await, (3, vec![open.clone()]));
    let bought = json!({"order_type": "ORDER_TYPE_WXPAY", "nor_filter": {"status": "ORDER_STATUS_WAITING"}});
    assert_eq!(list(bought).await, (1, vec![paid.clone()]));
    assert_eq!(list(json!({"begin_time": now, "offset": 1})).await, (2, vec![open]));
    assert_eq!(list(json!({"end_time": now - 1})).await, (1, vec![all[0].clone()]));
    for wrong in [
        json!({"offset": -1, "count": 1}),
        json!({"offset": 0, "count": 101}),
        json!({"offset": 0, "count": 1, "order_type": "OTHER"}),
        json!({"offset": 0, "count": 1, "nor_filter": {"status": "OTHER"}}),
        json!({"offset": 0, "count": 1, "sort_info": {"sort_type": "OTHER"}}),
    ] {
        assert_eq!(cards.errcode("/card/pay/getorderlist", &wrong).await, 40035, "{wrong}");
    }
    for wrong in ["404000009", "x", "", "404-1"] {
        assert_eq!(
            cards.errcode("/card/pay/getorder", &json!({ "order_id": wrong })).await,
            40097,
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn coins_stay_in_a_data_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.sqlite");
    let cards = Cards::around(crate::harness::World::with(builder().data(&file)).await).await;
    get(&cards, "/card/pay/activate").await;
    let token = cards.token.clone();
    cards.world.mirror.shutdown().await;
    let world = crate::harness::World::with(builder().data(&file)).await;
    let cards = Cards { world, token };
    assert_eq!(balance(&cards).await, (200, 0));
}
