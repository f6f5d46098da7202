//! Orders from gift-card pages: bought, sent, taken, paid back.

use std::time::Duration;

use serde_json::{Value, json};

use super::events::{Pushed, settle, told};
use super::gift_pages::{FACE, gift_card, page, shop};
use super::{ANNA, BELA, Cards};
use crate::harness::{fetch, with};

const CLARA: &str = "oTESTopenid00000000000000003";
const GET: &str = "/card/giftcard/order/get";
const LIST: &str = "/card/giftcard/order/batchget";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn act(cards: &Cards, what: &str, body: &Value) -> Value {
    cards.act(&format!("gift-cards/{what}"), body).await.ok()
}

async fn order(cards: &Cards, order_id: &Value) -> Value {
    cards.ok(GET, &json!({ "order_id": order_id })).await["order"].clone()
}

/// Why something on the phone is refused.
async fn refused(cards: &Cards, what: &str, body: &Value) -> String {
    let reply = cards.act(&format!("gift-cards/{what}"), body).await;
    assert_eq!(reply.status, 409, "{body}");
    reply.json()["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_friend_gets_the_card_with_its_balance() {
    let (cards, receiver) = told("plain").await;
    let (card, page_id) = shop(&cards).await;
    settle(&cards).await;
    receiver.take();
    let buy =
        json!({"page_id": page_id, "openid": ANNA, "card_ids": [card], "picture": 1, "outer_str": "web"});
    let bought = act(&cards, "buy", &buy).await;
    settle(&cards).await;
    let id = &bought["order_id"];
    let seen = order(&cards, id).await;
    let old = seen["card_list"][0]["code"].clone();
    let wanted = json!({
        "order_id": id, "page_id": page_id, "trans_id": bought["trans_id"],
        "create_time": seen["create_time"], "pay_finish_time": seen["create_time"], "total_price": 8000,
        "open_id": ANNA, "accepter_openid": "", "outer_str": "web", "IsChatRoom": false,
        "card_list": [{"card_id": card, "price": 8000, "code": old, "background_pic_url": FACE,
            "default_gifting_msg": "Many happy returns", "outer_img_id": "face-1"}]
    });
    assert_eq!(seen, wanted);
    let held = cards.status(old.as_str().unwrap()).await;
    assert_eq!((&held["user_card_status"], &held["openid"]), (&json!("NORMAL"), &json!(ANNA)));
    let got = cards.ok("/card/get", &json!({ "card_id": card })).await;
    assert_eq!(got["card"]["general_card"]["base_info"]["sku"]["quantity"], 4);

    act(&cards, "send", &json!({ "order_id": id })).await;
    settle(&cards).await;
    assert_eq!(cards.status(old.as_str().unwrap()).await["user_card_status"], "GIFTING");
    let take = json!({"order_id": id, "openid": BELA});
    act(&cards, "accept", &take).await;
    settle(&cards).await;
    let seen = order(&cards, id).await;
    let new = &seen["card_list"][0]["code"];
    assert_ne!(new, &old, "server codes change");
    assert_eq!(seen["accepter_openid"], BELA);
    let held = cards.status(new.as_str().unwrap()).await;
    let keys = ["openid", "user_card_status", "balance", "bonus", "order_id", "background_pic_url"];
    let wanted = [json!(BELA), json!("NORMAL"), json!(10000), json!(5), id.clone(), json!(FACE)];
    assert_eq!(keys.map(|key| held[key].clone()), wanted);
    assert_eq!((&held["card"]["balance"], &held["card"]["bonus"]), (&json!(10000), &json!(5)));
    assert_eq!(cards.errcode("/card/code/get", &json!({ "code": old })).await, 40056);
    let spend = json!({"card_id": card, "code": new, "balance": 6500});
    assert_eq!(cards.ok("/card/generalcard/updateuser", &spend).await["openid"], BELA);
    for what in ["send", "accept"] {
        assert!(refused(&cards, what, &take_without(what, &take)).await.contains("errcode 40078"), "{what}");
    }

    let pushed = receiver.take();
    let [paid, sent, taken, got] =
        ["giftcard_pay_done", "giftcard_send_to_friend", "giftcard_user_accept", "user_get_card"]
            .map(|event| only(&pushed, event));
    for event in [paid, sent, taken] {
        let about = (event.element("PageId"), event.element("OrderId"));
        assert_eq!(about, (page_id.as_str(), id.as_str().unwrap()));
    }
    assert_eq!([paid, sent, taken, got].map(|event| event.element("FromUserName")), [ANNA, ANNA, BELA, BELA]);
    let flags = ["IsChatRoom", "IsReturnBack"].map(|key| sent.element(key));
    assert_eq!((flags, taken.element("IsChatRoom")), (["false", "false"], "false"));
    let given = ["IsGiveByFriend", "FriendUserName", "OldUserCardCode"].map(|key| got.element(key));
    assert_eq!(given, ["1", ANNA, old.as_str().unwrap()]);
}

/// The one event of this name. What happens at once arrives in any order.
fn only<'a>(pushed: &'a [Pushed], event: &str) -> &'a Pushed {
    let found: Vec<_> = pushed.iter().filter(|pushed| pushed.element("Event") == event).collect();
    assert_eq!(found.len(), 1, "{event}: {pushed:?}");
    found[0]
}

fn take_without(what: &str, take: &Value) -> Value {
    if what == "send" { json!({ "order_id": take["order_id"] }) } else { take.clone() }
}

#[tokio::test]
async fn a_gift_that_nobody_takes_comes_back_once_and_is_sent_again() {
    let (cards, receiver) = told("plain").await;
    let (card, page_id) = shop(&cards).await;
    let buy = json!({"page_id": page_id, "openid": ANNA, "card_ids": [card, card]});
    let id = act(&cards, "buy", &buy).await["order_id"].clone();
    assert!(refused(&cards, "accept", &json!({"order_id": id, "openid": BELA})).await.contains("40078"));
    act(&cards, "send", &json!({ "order_id": id })).await;
    assert!(refused(&cards, "send", &json!({ "order_id": id })).await.contains("40078"));
    settle(&cards).await;
    receiver.take();
    cards.world.mirror.advance(DAY).await.unwrap();
    let cards = Cards::around(cards.world).await;
    let pushed = receiver.take();
    let events: Vec<_> = pushed.iter().map(|pushed| pushed.element("Event")).collect();
    assert_eq!(events, ["giftcard_send_to_friend"], "one order, one event");
    assert_eq!((pushed[0].element("IsReturnBack"), pushed[0].element("FromUserName")), ("true", ANNA));
    let seen = order(&cards, &id).await;
    for item in seen["card_list"].as_array().unwrap() {
        let code = item["code"].as_str().unwrap();
        assert_eq!(cards.status(code).await["user_card_status"], "GIFT_TIMEOUT");
    }
    assert!(refused(&cards, "accept", &json!({"order_id": id, "openid": BELA})).await.contains("40078"));
    act(&cards, "send", &json!({ "order_id": id })).await;
    let taken = act(&cards, "accept", &json!({"order_id": id, "openid": BELA})).await;
    assert_eq!((&taken["accepter_openid"], &taken["states"]), (&json!(BELA), &json!(["TAKEN", "TAKEN"])));
    // What was taken does not come back.
    cards.world.mirror.advance(DAY).await.unwrap();
    assert!(receiver.take().iter().all(|pushed| pushed.element("Event") != "giftcard_send_to_friend"
        || pushed.element("IsReturnBack") == "false"));
}

#[tokio::test]
async fn in_a_group_each_card_is_taken_by_itself() {
    let cards = Cards::new().await;
    let (card, page_id) = shop(&cards).await;
    let buy =
        json!({"page_id": page_id, "openid": ANNA, "card_ids": [card, card, card], "message": "Cheers"});
    let bought = act(&cards, "buy", &buy).await;
    let id = &bought["order_id"];
    assert_eq!((&bought["total_price"], &bought["message"]), (&json!(24000), &json!("Cheers")));
    assert_eq!(bought["card_list"][0]["default_gifting_msg"], "", "the buyer wrote his own");
    act(&cards, "send", &json!({"order_id": id, "chat_room": true})).await;
    for openid in [BELA, CLARA] {
        act(&cards, "accept", &json!({"order_id": id, "openid": openid})).await;
    }
    let own = refused(&cards, "accept", &json!({"order_id": id, "openid": ANNA})).await;
    assert!(own.contains("errcode 40003"), "{own}");
    let seen = order(&cards, id).await;
    assert_eq!((&seen["IsChatRoom"], &seen["accepter_openid"]), (&json!(true), &json!("")));
    let takers: Vec<_> =
        seen["card_list"].as_array().unwrap().iter().map(|item| item["accepter_openid"].clone()).collect();
    assert_eq!(takers, [BELA, CLARA, ""]);
    let listed =
        cards.world.control("GET", "/_mirror/card/gift-cards/orders?limit=1", &Value::Null).await.ok();
    assert_eq!(listed["orders"][0]["states"], json!(["TAKEN", "TAKEN", "SENT"]));
    assert_eq!(listed["orders"][0]["appid"], cards.world.mirror.merchant().appid);
}

#[tokio::test]
async fn who_buys_for_himself_has_the_card_at_once() {
    let (cards, receiver) = told("plain").await;
    let (card, page_id) = shop(&cards).await;
    settle(&cards).await;
    receiver.take();
    let buy = json!({"page_id": page_id, "openid": ANNA, "card_ids": [card], "for_self": true});
    let bought = act(&cards, "buy", &buy).await;
    settle(&cards).await;
    assert_eq!(bought["accepter_openid"], ANNA);
    let pushed = receiver.take();
    assert_eq!(pushed.len(), 2, "{pushed:?}");
    only(&pushed, "giftcard_pay_done");
    assert_eq!(only(&pushed, "user_get_card").element("IsGiveByFriend"), "0");
    assert!(refused(&cards, "send", &json!({ "order_id": bought["order_id"] })).await.contains("40078"));
    // The card itself may still be given away, and the order knows where it is.
    let code = bought["card_list"][0]["code"].clone();
    cards.act("gift", &json!({ "code": code })).await.ok();
    let new = cards.act("accept", &json!({"code": code, "openid": BELA})).await.ok()["code"].clone();
    let seen = order(&cards, &bought["order_id"]).await;
    assert_eq!((&seen["card_list"][0]["code"], &seen["accepter_openid"]), (&new, &json!(ANNA)));
}

#[tokio::test]
async fn a_card_that_was_handed_on_is_not_sent_again() {
    let cards = Cards::new().await;
    let (card, page_id) = shop(&cards).await;
    let buy = json!({"page_id": page_id, "openid": ANNA, "card_ids": [card]});
    let bought = act(&cards, "buy", &buy).await;
    let code = &bought["card_list"][0]["code"];
    cards.act("gift", &json!({ "code": code })).await.ok();
    cards.act("accept", &json!({"code": code, "openid": BELA})).await.ok();
    assert!(refused(&cards, "send", &json!({ "order_id": bought["order_id"] })).await.contains("40078"));
    assert_eq!(order(&cards, &bought["order_id"]).await["accepter_openid"], BELA);
}

#[tokio::test]
async fn a_merchant_takes_the_button_of_gifting_away() {
    let cards = Cards::new().await;
    let (card, page_id) = shop(&cards).await;
    let buy = json!({"page_id": page_id, "openid": ANNA, "card_ids": [card]});
    let bought = act(&cards, "buy", &buy).await;
    let code = &bought["card_list"][0]["code"];
    let update = |may: bool| json!({"card_id": card, "code": code, "can_give_friend": may});
    cards.ok("/card/generalcard/updateuser", &update(false)).await;
    let send = json!({ "order_id": bought["order_id"] });
    assert!(refused(&cards, "send", &send).await.contains("errcode 45030"));
    assert_eq!(cards.act("gift", &json!({ "code": code })).await.status, 409);
    cards.ok("/card/generalcard/updateuser", &update(true)).await;
    act(&cards, "send", &send).await;
}

#[tokio::test]
async fn money_goes_back_once_and_the_cards_end() {
    let cards = Cards::new().await;
    let (card, page_id) = shop(&cards).await;
    let buy = json!({"page_id": page_id, "openid": ANNA, "card_ids": [card, card]});
    let id = act(&cards, "buy", &buy).await["order_id"].clone();
    act(&cards, "send", &json!({"order_id": id, "chat_room": true})).await;
    act(&cards, "accept", &json!({"order_id": id, "openid": BELA})).await;
    let refund = "/card/giftcard/order/refund";
    cards.ok(refund, &json!({ "order_id": id })).await;
    let seen = order(&cards, &id).await;
    for item in seen["card_list"].as_array().unwrap() {
        let code = item["code"].as_str().unwrap();
        assert_eq!(cards.status(code).await["user_card_status"], "UNAVAILABLE");
        let spend = json!({"card_id": card, "code": code, "balance": 1});
        assert_eq!(cards.errcode("/card/generalcard/updateuser", &spend).await, 40127);
    }
    let listed = cards.world.control("GET", "/_mirror/card/gift-cards/orders", &Value::Null).await.ok();
    assert_eq!(listed["orders"][0]["refund_fen"], 16000);
    assert!(listed["orders"][0]["refunded_at"].is_string());
    assert_eq!(cards.errcode(refund, &json!({ "order_id": id })).await, 40078, "once");
    assert_eq!(cards.errcode(refund, &json!({"order_id": "Z2no"})).await, 40097);
    assert_eq!(cards.errcode(refund, &json!({})).await, 41011);
    for (what, body) in
        [("send", json!({ "order_id": id })), ("accept", json!({"order_id": id, "openid": CLARA}))]
    {
        assert!(refused(&cards, what, &body).await.contains("errcode 40078"), "{what}");
    }
    // A card on its way does not come back later.
    cards.world.mirror.advance(DAY).await.unwrap();
    let cards = Cards::around(cards.world).await;
    let code = order(&cards, &id).await["card_list"][1]["code"].clone();
    assert_eq!(cards.status(code.as_str().unwrap()).await["user_card_status"], "UNAVAILABLE");
}

#[tokio::test]
async fn orders_are_listed_by_time() {
    let cards = Cards::new().await;
    let (card, page_id) = shop(&cards).await;
    let buy = json!({"page_id": page_id, "openid": ANNA, "card_ids": [card]});
    let mut ids = Vec::new();
    let mut cards = cards;
    let mut times = Vec::new();
    for _ in 0..3 {
        ids.push(act(&cards, "buy", &buy).await["order_id"].clone());
        times.push(order(&cards, ids.last().unwrap()).await["create_time"].as_i64().unwrap());
        cards.world.mirror.advance(DAY).await.unwrap();
        cards = Cards::around(cards.world).await;
    }
    let list = async |body: Value| {
        let told = cards.ok(LIST, &body).await;
        let ids: Vec<_> =
            told["order_list"].as_array().unwrap().iter().map(|order| order["order_id"].clone()).collect();
        (told["total_count"].as_i64().unwrap(), ids)
    };
    let (first, last) = (times[0], times[2]);
    let all = json!({"begin_time": first, "end_time": last, "sort_type": "ASC", "offset": 0, "count": 100});
    assert_eq!(list(all.clone()).await, (3, ids.clone()), "both ends count");
    let mut back = ids.clone();
    back.reverse();
    assert_eq!(list(with(all.clone(), "/sort_type", json!("DESC"))).await, (3, back));
    let part = with(with(all.clone(), "/offset", json!(1)), "/count", json!(1));
    assert_eq!(list(part).await, (3, vec![ids[1].clone()]));
    assert_eq!(list(with(all.clone(), "/end_time", json!(last - 1))).await, (2, ids[..2].to_vec()));
    assert_eq!(list(with(all.clone(), "/begin_time", json!(first + 1))).await, (2, ids[1..].to_vec()));
    assert_eq!(list(with(all.clone(), "/offset", json!(3))).await, (3, vec![]));
    let month = 31 * 24 * 60 * 60;
    assert_eq!(list(with(all.clone(), "/end_time", json!(first + month))).await.0, 3);
    for (key, value, errcode) in [
        ("/end_time", json!(first + month + 1), 40079),
        ("/end_time", json!(first - 1), 40079),
        ("/end_time", json!(i64::MIN), 40079),
        ("/begin_time", json!("soon"), 47001),
        ("/sort_type", json!("UP"), 40035),
        ("/offset", json!(-1), 40035),
        ("/count", json!(0), 40035),
        ("/count", json!(101), 40035),
    ] {
        assert_eq!(
            cards.errcode(LIST, &with(all.clone(), key, value.clone())).await,
            errcode,
            "{key} {value}"
        );
    }
    assert_eq!(cards.errcode(LIST, &json!({"count": 1})).await, 41011);
    assert_eq!(cards.errcode(GET, &json!({"order_id": "Z2no"})).await, 40097);
}

#[tokio::test]
async fn what_a_page_does_not_sell_cannot_be_bought() {
    let cards = Cards::new().await;
    let (card, page_id) = shop(&cards).await;
    let buy = json!({"page_id": page_id, "openid": ANNA, "card_ids": [card]});
    let other = cards.card(&gift_card()).await;
    let many = vec![card.clone(); 101];
    for (key, value, errcode) in [
        ("/page_id", json!("no"), 40097),
        ("/openid", json!(""), 40003),
        ("/card_ids", json!([]), 40097),
        ("/card_ids", json!(many), 40097),
        ("/card_ids", json!([other]), 40097),
        ("/theme", json!(1), 40097),
        ("/picture", json!(2), 40097),
        ("/message", json!("x".repeat(3_073)), 45021),
        ("/outer_str", json!("x".repeat(129)), 45021),
        ("/card_ids", json!([card, card, card, card, card, card]), 45031),
    ] {
        let why = refused(&cards, "buy", &with(buy.clone(), key, value)).await;
        assert!(why.contains(&format!("errcode {errcode}")), "{key}: {why}");
    }
    // The order that ran out of stock took nothing.
    let got = cards.ok("/card/get", &json!({ "card_id": card })).await;
    assert_eq!(got["card"]["general_card"]["base_info"]["sku"]["quantity"], 5);
    assert_eq!(cards.act("gift-cards/buy", &json!({"page": 1})).await.status, 400);

    let mut plain = page(&card);
    for key in ["support_multi", "support_buy_for_self"] {
        plain["page"][key] = json!(false);
    }
    let id = cards.ok("/card/giftcard/page/add", &plain).await["page_id"].clone();
    let buy = with(buy, "/page_id", id);
    for (key, value) in [("/card_ids", json!([card, card])), ("/for_self", json!(true))] {
        let why = refused(&cards, "buy", &with(buy.clone(), key, value)).await;
        assert!(why.contains("errcode 45030"), "{key}: {why}");
    }
    let order = act(&cards, "buy", &buy).await["order_id"].clone();
    let group = json!({"order_id": order, "chat_room": true});
    assert!(refused(&cards, "send", &group).await.contains("errcode 45030"));
    cards.act("accounts", &json!({"pay": false})).await.ok();
    assert!(refused(&cards, "buy", &buy).await.contains("errcode 43008"));
}

#[tokio::test]
async fn orders_are_in_snapshots_and_gone_after_a_reset() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("s.sqlite");
    let cards = Cards::new().await;
    let (card, page_id) = shop(&cards).await;
    let buy = json!({"page_id": page_id, "openid": ANNA, "card_ids": [card]});
    let bought = act(&cards, "buy", &buy).await;
    let code = &bought["card_list"][0]["code"];
    let mark = json!({"code": code, "card_id": card, "openid": BELA, "is_mark": true});
    cards.ok("/card/code/mark", &mark).await;
    cards.world.mirror.snapshot(&file, false).await.unwrap();
    cards.world.control("POST", "/_mirror/reset", &Value::Null).await.ok();
    let cards = Cards::around(cards.world).await;
    assert_eq!(cards.errcode(GET, &json!({ "order_id": bought["order_id"] })).await, 40097);
    cards.world.mirror.restore(&file).await.unwrap();
    let cards = Cards::around(cards.world).await;
    assert_eq!(order(&cards, &bought["order_id"]).await["card_list"], bought["card_list"]);
}

#[tokio::test]
async fn another_account_sees_neither_page_nor_order() {
    let cards = Cards::new().await;
    let (card, page_id) = shop(&cards).await;
    let buy = json!({"page_id": page_id, "openid": ANNA, "card_ids": [card]});
    let id = act(&cards, "buy", &buy).await["order_id"].clone();
    let merchant = json!({"mchid": "1900000130", "appids": ["wx9"]});
    let secret =
        cards.world.control("POST", "/_mirror/merchants", &merchant).await.ok()["app_secret"].clone();
    let login =
        format!("/cgi-bin/token?grant_type=client_credential&appid=wx9&secret={}", secret.as_str().unwrap());
    let told = fetch(cards.world.request("GET", &login, "")).await.unwrap().ok();
    let theirs = told["access_token"].as_str().unwrap();
    for (path, body) in [
        ("/card/giftcard/page/get", json!({ "page_id": page_id })),
        (GET, json!({ "order_id": id })),
        ("/card/giftcard/order/refund", json!({ "order_id": id })),
        ("/card/giftcard/wxa/set", json!({"wxa_appid": "wxabcdefabcdef0001", "page_id": page_id})),
    ] {
        let target = format!("{path}?access_token={theirs}");
        let told = fetch(cards.world.request("POST", &target, &body.to_string())).await.unwrap().ok();
        assert_eq!(told["errcode"], 40097, "{path}: {told}");
    }
    order(&cards, &id).await;
}
