//! The control calls that displays are made from.

use std::time::Duration;

use serde_json::{Value, json};

use super::{ANNA, BELA, Cards, base, coupon, member_card};
use crate::harness::{fetch, with};

async fn look(cards: &Cards, target: &str) -> Value {
    cards.world.control("GET", &format!("/_mirror/card/{target}"), &Value::Null).await.ok()
}

/// Only these keys of an object.
fn of(value: &Value, keys: &[&str]) -> Value {
    keys.iter().map(|key| ((*key).to_owned(), value[key].clone())).collect::<serde_json::Map<_, _>>().into()
}

#[tokio::test]
async fn cards_are_listed_with_stock_and_counts() {
    let cards = Cards::new().await;
    assert_eq!(look(&cards, "cards").await, json!({"total": 0, "cards": []}));
    let first = cards.card(&coupon(base())).await;
    let second = cards.ok("/card/create", &member_card()).await["card_id"].clone();
    let code = cards.claim(&first, ANNA).await;
    cards.claim(&first, BELA).await;
    cards.act("gift", &json!({ "code": code })).await.ok();
    let new = cards.act("accept", &json!({"code": code, "openid": BELA})).await.ok();
    cards.act("redeem", &json!({ "code": new["code"] })).await.ok();
    let listed = look(&cards, "cards").await;
    assert_eq!(listed["total"], 2);
    let (newest, oldest) = (&listed["cards"][0], &listed["cards"][1]);
    assert_eq!(newest["card_id"], second);
    assert_eq!(
        of(newest, &["card_type", "status", "claimed", "redeemed", "quantity"]),
        json!({"card_type": "MEMBER_CARD", "status": "CARD_STATUS_NOT_VERIFY", "claimed": 0, "redeemed": 0,
            "quantity": 5})
    );
    let shown = [
        "card_id",
        "title",
        "brand_name",
        "color",
        "color_value",
        "status",
        "codes",
        "quantity",
        "total_quantity",
        "claimed",
        "redeemed",
        "review_due",
    ];
    // A gift that is taken is no claim and takes nothing from the stock.
    assert_eq!(
        of(oldest, &shown),
        json!({"card_id": first, "title": "Tea for two", "brand_name": "Tea Nook", "color": "Color010",
            "color_value": "#63b359", "status": "CARD_STATUS_VERIFY_OK", "codes": "server", "quantity": 3,
            "total_quantity": 5, "claimed": 2, "redeemed": 1, "review_due": null})
    );
    let few = look(&cards, "cards?limit=1").await;
    assert_eq!((&few["total"], few["cards"].as_array().unwrap().len()), (&json!(2), 1));
    let appid = &cards.world.mirror.merchant().appid;
    assert_eq!(look(&cards, &format!("cards?appid={appid}")).await["total"], 2);
    assert_eq!(look(&cards, "cards?appid=wx0000000000000000").await, json!({"total": 0, "cards": []}));
}

#[tokio::test]
async fn a_card_is_shown_with_its_review_settings_and_qr_codes() {
    let cards = Cards::new().await;
    cards.act("accounts", &json!({"review": "manual"})).await.ok();
    let id = cards.ok("/card/create", &coupon(base())).await["card_id"].as_str().unwrap().to_owned();
    let one = format!("cards/{id}");
    cards.ok("/card/testwhitelist/set", &json!({ "openid": [BELA] })).await;
    let info = json!({"card": {"card_id": id, "outer_str": "poster-7"}});
    let made = json!({"action_name": "QR_CARD", "expire_seconds": 60, "action_info": info});
    let ticket = cards.ok("/card/qrcode/create", &made).await["ticket"].clone();
    let card = look(&cards, &one).await;
    assert_eq!(card["refuse_reason"], Value::Null);
    assert_eq!(card["body"]["deal_detail"], "2 pots of tea");
    assert_eq!((&card["test_openids"], &card["pay_cell"]), (&json!([BELA]), &json!(false)));
    let keys = ["ticket", "over", "once", "used", "cards", "outer_str", "openid", "code"];
    assert_eq!(
        of(&card["qrcodes"][0], &keys),
        json!({"ticket": ticket, "over": false, "once": false, "used": false, "cards": 1,
            "outer_str": "poster-7", "openid": null, "code": null})
    );
    // QR codes of several cards show with each of them, and those of other cards do not.
    let other = cards.ok("/card/create", &coupon(base())).await["card_id"].clone();
    let alone = json!({"action_name": "QR_CARD", "action_info": {"card": {"card_id": other}}});
    cards.ok("/card/qrcode/create", &alone).await;
    assert_eq!(look(&cards, &one).await["qrcodes"].as_array().unwrap().len(), 1);
    let list = json!([{"card_id": other}, {"card_id": id, "outer_str": "both"}]);
    let both =
        json!({"action_name": "QR_MULTIPLE_CARD", "action_info": {"multiple_card": {"card_list": list}}});
    cards.ok("/card/qrcode/create", &both).await;
    let shown = look(&cards, &one).await["qrcodes"].clone();
    // The one that lives longest comes first.
    assert_eq!(of(&shown[0], &["cards", "outer_str"]), json!({"cards": 2, "outer_str": "both"}));
    assert_eq!(shown[1]["ticket"], ticket);
    cards.act("claim", &json!({"openid": BELA, "ticket": ticket})).await.ok();
    assert_eq!(look(&cards, &one).await["qrcodes"][1]["used"], true);
    cards.world.mirror.advance(Duration::from_secs(60)).await.unwrap();
    assert_eq!(look(&cards, &one).await["qrcodes"][1]["over"], true);

    cards.act(&format!("{one}/review"), &json!({"refused": "blurred"})).await.ok();
    let card = look(&cards, &one).await;
    assert_eq!(
        of(&card, &["status", "refuse_reason"]),
        json!({"status": "CARD_STATUS_VERIFY_FAIL", "refuse_reason": "blurred"})
    );
    // Changed, it goes to the review again, and what was said before no longer counts.
    let change = json!({"card_id": id, "groupon": {"base_info": {"title": "Tea for three"}}});
    cards.ok("/card/update", &change).await;
    assert_eq!(look(&cards, &one).await["refuse_reason"], Value::Null);
    cards.act(&format!("{one}/review"), &json!({})).await.ok();
    let card = look(&cards, &one).await;
    assert_eq!(
        of(&card, &["status", "refuse_reason", "title"]),
        json!({"status": "CARD_STATUS_VERIFY_OK", "refuse_reason": null, "title": "Tea for three"})
    );
    cards.ok("/card/paycell/set", &json!({"card_id": id, "is_open": true})).await;
    assert_eq!(look(&cards, &one).await["pay_cell"], true);
    let unknown = cards.world.control("GET", "/_mirror/card/cards/p1", &Value::Null).await;
    assert_eq!((unknown.status, &unknown.json()["code"]), (404, &json!("NOT_FOUND")));
}

#[tokio::test]
async fn codes_are_shown_by_card_and_by_user_newest_first() {
    let cards = Cards::new().await;
    let tea = cards.card(&coupon(base())).await;
    let member = cards.card(&member_card()).await;
    let first = cards.claim(&tea, ANNA).await;
    let second = cards.claim(&tea, BELA).await;
    let third = cards.claim(&member, ANNA).await;
    let names = |told: &Value| -> Vec<String> {
        told["codes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|code| code["code"].as_str().unwrap().to_owned())
            .collect()
    };
    let all = look(&cards, "codes").await;
    assert_eq!(names(&all), [third.clone(), second.clone(), first.clone()]);
    assert_eq!(names(&look(&cards, &format!("codes?card_id={tea}")).await), [second.clone(), first.clone()]);
    assert_eq!(names(&look(&cards, &format!("codes?openid={ANNA}&card_id=")).await), [third, first.clone()]);
    let page = look(&cards, "codes?limit=2").await;
    let next = look(&cards, &format!("codes?limit=2&before={}", page["codes"][1]["id"])).await;
    assert_eq!((page["codes"].as_array().unwrap().len(), names(&next)), (2, vec![first.clone()]));
    assert_eq!(
        of(&all["codes"][0], &["card_id", "custom", "user_card_status", "end_time", "has_active", "face"]),
        json!({"card_id": member, "custom": false, "user_card_status": "NORMAL", "end_time": null,
            "has_active": false, "face": {"bonus": 0, "balance": 0}})
    );

    cards.act("gift", &json!({ "code": first })).await.ok();
    let offered = &look(&cards, &format!("codes?card_id={tea}")).await["codes"][1];
    assert_eq!(offered["user_card_status"], "GIFTING");
    assert!(offered["gift_due"].is_string() && offered["claim_time"].is_string());
    let taken = cards.act("accept", &json!({"code": first, "openid": BELA})).await.ok();
    let newest = &look(&cards, &format!("codes?openid={BELA}&limit=1")).await["codes"][0];
    assert_eq!(
        of(newest, &["code", "claim_time", "gift_due"]),
        json!({"code": taken["code"], "claim_time": null, "gift_due": null})
    );
    cards.world.mirror.advance(Duration::from_secs(40 * 24 * 60 * 60)).await.unwrap();
    let counts = &look(&cards, &format!("cards/{tea}")).await["code_counts"];
    assert_eq!(*counts, json!({"GIFT_SUCC": 1, "EXPIRE": 2}));
    assert_eq!(look(&cards, "codes?limit=1&before=3").await["codes"][0]["user_card_status"], "EXPIRE");
    let unknown = cards.world.control("GET", "/_mirror/card/codes?card_id=p1", &Value::Null).await;
    assert_eq!(unknown.status, 404);
}

#[tokio::test]
async fn deposited_codes_show_when_somebody_has_them() {
    let cards = Cards::new().await;
    let body = with(coupon(base()), "/card/groupon/base_info/use_custom_code", json!(true));
    let body =
        with(body, "/card/groupon/base_info/get_custom_code_mode", json!("GET_CUSTOM_CODE_MODE_DEPOSIT"));
    let body = with(body, "/card/groupon/base_info/sku/quantity", json!(0));
    let id = cards.card(&body).await;
    cards.ok("/card/code/deposit", &json!({"card_id": id, "code": ["a1", "a2"]})).await;
    cards.ok("/card/modifystock", &json!({"card_id": id, "increase_stock_value": 2})).await;
    assert_eq!(look(&cards, &format!("codes?card_id={id}")).await["codes"], json!([]));
    let code = cards.claim(&id, ANNA).await;
    let shown = look(&cards, &format!("codes?card_id={id}")).await;
    assert_eq!(
        of(&shown["codes"][0], &["code", "custom", "openid"]),
        json!({"code": code, "custom": true, "openid": ANNA})
    );
    let card = look(&cards, &format!("cards/{id}")).await;
    assert_eq!(
        of(&card, &["codes", "code_counts"]),
        json!({"codes": "deposited", "code_counts": {"DEPOSITED": 1, "NORMAL": 1}})
    );
}

#[tokio::test]
async fn the_log_says_since_when_a_token_is_stale() {
    let cards = Cards::new().await;
    let target = format!("/card/getcolors?access_token={}", cards.token);
    let refused = async || {
        let told = fetch(cards.world.request("GET", &target, "")).await.unwrap().ok();
        let log = cards.world.control("GET", "/_mirror/requests?limit=1", &Value::Null).await.ok();
        assert_eq!(log["requests"][0]["verdict"], "unauthenticated");
        assert!(!told["errmsg"].as_str().unwrap().contains("test clock"), "{told}");
        (told["errcode"].as_i64().unwrap(), log["requests"][0]["notes"][0].as_str().unwrap().to_owned())
    };
    cards.act("tokens/stale", &Value::Null).await.ok();
    let (errcode, note) = refused().await;
    assert_eq!(errcode, 40001);
    assert!(note.starts_with("a newer token has taken its place; it was valid until 2"), "{note}");
    assert!(note.contains("(documented, section cards 2.4)"), "{note}");

    let cards = Cards::around(cards.world).await;
    cards.world.mirror.advance(Duration::from_secs(7_200)).await.unwrap();
    let target = format!("/card/getcolors?access_token={}", cards.token);
    let told = fetch(cards.world.request("GET", &target, "")).await.unwrap().ok();
    assert_eq!(told["errcode"], 42001);
    let log = cards.world.control("GET", "/_mirror/requests?limit=1", &Value::Null).await.ok();
    let note = log["requests"][0]["notes"][0].as_str().unwrap();
    assert!(note.starts_with("its life ended at 2"), "{note}");
}
