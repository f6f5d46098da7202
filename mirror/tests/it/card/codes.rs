//! Codes: claimed, looked at, redeemed, replaced, invalidated.

use std::time::Duration;

use serde_json::{Value, json};

use super::{ANNA, BELA, Cards, base, coupon};
use crate::harness::with;

fn own_codes() -> Value {
    with(coupon(base()), "/card/groupon/base_info/use_custom_code", json!(true))
}

fn pool() -> Value {
    let body = with(own_codes(), "/card/groupon/base_info/sku/quantity", json!(0));
    with(body, "/card/groupon/base_info/get_custom_code_mode", json!("GET_CUSTOM_CODE_MODE_DEPOSIT"))
}

#[tokio::test]
async fn a_code_lives_from_the_qr_code_to_the_till() {
    let cards = Cards::new().await;
    let id = cards.card(&coupon(base())).await;
    let qr = json!({"action_name": "QR_CARD", "expire_seconds": 1800,
        "action_info": {"card": {"card_id": id, "outer_str": "poster-7"}}});
    let made = cards.ok("/card/qrcode/create", &qr).await;
    let ticket = made["ticket"].as_str().unwrap();
    assert!(
        made["show_qrcode_url"]
            .as_str()
            .unwrap()
            .starts_with("https://mp.weixin.qq.com/cgi-bin/showqrcode?ticket=gQH")
    );
    assert_eq!(made["expire_seconds"], 1800);
    let claimed = cards.act("claim", &json!({"ticket": ticket, "openid": ANNA})).await.ok();
    let code = claimed["code"].as_str().unwrap();
    assert_eq!((code.len(), code.bytes().all(|byte| byte.is_ascii_digit())), (12, true));
    let encrypted = &claimed["encrypt_code"];
    let told = cards.ok("/card/code/decrypt", &json!({ "encrypt_code": encrypted })).await;
    assert_eq!(told["code"], code);
    assert_eq!(cards.errcode("/card/code/decrypt", &json!({"encrypt_code": "x"})).await, 40075);

    let told = cards.status(code).await;
    assert_eq!((&told["user_card_status"], &told["can_consume"]), (&json!("NORMAL"), &json!(true)));
    assert_eq!((&told["openid"], &told["outer_str"]), (&json!(ANNA), &json!("poster-7")));
    // 30 days of the calendar, today among them.
    assert_eq!(told["card"]["end_time"], crate::harness::time("2026-09-08T23:59:59+08:00").timestamp());
    let list = cards.ok("/card/user/getcardlist", &json!({ "openid": ANNA })).await;
    assert_eq!(list["card_list"], json!([{ "code": code, "card_id": id }]));

    let told = cards.ok("/card/code/consume", &json!({ "code": code })).await;
    assert_eq!((&told["openid"], &told["card"]["card_id"]), (&json!(ANNA), &json!(id)));
    assert_eq!(cards.errcode("/card/code/consume", &json!({ "code": code })).await, 40099);
    assert_eq!(cards.errcode("/card/code/unavailable", &json!({ "code": code })).await, 40099);
    assert_eq!(cards.errcode("/card/code/get", &json!({"code": code, "check_consume": true})).await, 40099);
    let told = cards.status(code).await;
    assert_eq!((&told["user_card_status"], &told["can_consume"]), (&json!("CONSUMED"), &json!(false)));
    assert_eq!(cards.errcode("/card/code/get", &json!({"code": "000000000000"})).await, 40056);
}

#[tokio::test]
async fn claims_keep_to_stock_limit_review_and_the_end_of_a_qr_code() {
    let cards = Cards::new().await;
    let body = with(coupon(base()), "/card/groupon/base_info/sku/quantity", json!(3));
    let id = cards.ok("/card/create", &body).await["card_id"].as_str().unwrap().to_owned();
    let refused = async |openid: &str| {
        let reply = cards.act("claim", &json!({"card_id": id, "openid": openid})).await;
        assert_eq!(reply.status, 409);
        let message = reply.json()["message"].as_str().unwrap().to_owned();
        message.split(": ").nth(1).unwrap().to_owned()
    };
    assert_eq!(refused(ANNA).await, "errcode 72022");
    cards.ok("/card/testwhitelist/set", &json!({"openid": [ANNA], "username": ["tester_li"]})).await;
    cards.claim(&id, ANNA).await;
    assert_eq!(refused(BELA).await, "errcode 72022");
    cards.act(&format!("cards/{id}/review"), &Value::Null).await.ok();
    cards.claim(&id, ANNA).await;
    assert_eq!(refused(ANNA).await, "errcode 45033");
    cards.claim(&id, BELA).await;
    assert_eq!(refused(BELA).await, "errcode 45031");
    let qr =
        json!({"action_name": "QR_CARD", "expire_seconds": 60, "action_info": {"card": {"card_id": id}}});
    let ticket = cards.ok("/card/qrcode/create", &qr).await["ticket"].clone();
    cards.world.mirror.advance(Duration::from_secs(60)).await.unwrap();
    let late = cards.act("claim", &json!({"ticket": ticket, "openid": BELA})).await;
    assert!(late.json()["message"].as_str().unwrap().contains("errcode 40079"));
}

#[tokio::test]
async fn qr_codes_are_checked() {
    let cards = Cards::new().await;
    let (id, own) = (cards.card(&coupon(base())).await, cards.card(&own_codes()).await);
    let one = |card: Value| json!({"action_name": "QR_CARD", "action_info": {"card": card}});
    let many = |count: usize| {
        let list = vec![json!({ "card_id": id }); count];
        json!({"action_name": "QR_MULTIPLE_CARD", "action_info": {"multiple_card": {"card_list": list}}})
    };
    for (body, errcode) in [
        (many(5), 0),
        (many(6), 45039),
        (many(0), 45039),
        (json!({"action_name": "QR", "action_info": {}}), 40052),
        (json!({"action_name": "QR_CARD", "action_info": {}}), 40053),
        (one(json!({"card_id": "p1"})), 40073),
        (one(json!({"card_id": own})), 40056),
        (one(json!({"card_id": id, "code": "1"})), 40056),
        (one(json!({"card_id": own, "code": "AB-000123"})), 0),
        (one(json!({"card_id": id, "openid": "no one"})), 40003),
    ] {
        assert_eq!(cards.errcode("/card/qrcode/create", &body).await, errcode, "{body}");
    }
    let once = cards.ok("/card/qrcode/create", &one(json!({"card_id": own, "code": "AB-1"}))).await;
    let claim = json!({"ticket": once["ticket"], "openid": ANNA});
    assert_eq!(cards.act("claim", &claim).await.ok()["code"], "AB-1");
    assert_eq!(cards.act("claim", &claim).await.status, 409);
}

#[tokio::test]
async fn own_codes_need_their_card_and_can_be_replaced() {
    let cards = Cards::new().await;
    let id = cards.card(&own_codes()).await;
    cards.act("claim", &json!({"card_id": id, "openid": ANNA, "code": "AB-000123"})).await.ok();
    let plain = json!({"code": "AB-000123"});
    let whole = json!({"code": "AB-000123", "card_id": id});
    for path in ["/card/code/get", "/card/code/consume", "/card/code/unavailable"] {
        assert_eq!(cards.errcode(path, &plain).await, 40056, "{path}");
    }
    let new = json!({"code": "AB-000123", "card_id": id, "new_code": "AB-900123"});
    cards.ok("/card/code/update", &new).await;
    assert_eq!(cards.errcode("/card/code/get", &whole).await, 40056);
    let whole = json!({"code": "AB-900123", "card_id": id});
    cards.ok("/card/code/unavailable", &whole).await;
    assert_eq!(cards.errcode("/card/code/unavailable", &whole).await, 40127);
    assert_eq!(cards.errcode("/card/code/consume", &whole).await, 40127);
    let told = cards.ok("/card/code/get", &whole).await;
    assert_eq!((&told["user_card_status"], &told["can_consume"]), (&json!("UNAVAILABLE"), &json!(false)));
}

#[tokio::test]
async fn a_pool_of_codes_bounds_the_stock() {
    let cards = Cards::new().await;
    let id = cards.card(&pool()).await;
    let deposit =
        async |codes: Value| cards.call("/card/code/deposit", &json!({"card_id": id, "code": codes})).await;
    let told = deposit(json!(["AB-000123", "AB-000124"])).await;
    assert_eq!(told["succ_code"], json!(["AB-000123", "AB-000124"]));
    let told = deposit(json!(["AB-000124", "AB-000125"])).await;
    assert_eq!((&told["succ_code"], &told["duplicate_code"]), (&json!(["AB-000125"]), &json!(["AB-000124"])));
    assert_eq!(deposit(json!(["a", "a"])).await["errcode"], 40111);
    assert_eq!(deposit(json!(["a", ""])).await["errcode"], 40110);
    assert_eq!(deposit(json!(vec!["a"; 101])).await["errcode"], 40109);
    assert_eq!(deposit(json!(["a".repeat(21)])).await["errcode"], 40116);
    let count = cards.ok("/card/code/getdepositcount", &json!({ "card_id": id })).await;
    assert_eq!(count["count"], 3);
    let told = cards.ok("/card/code/checkcode", &json!({"card_id": id, "code": ["AB-000123", "AB-9"]})).await;
    assert_eq!((&told["exist_code"], &told["not_exist_code"]), (&json!(["AB-000123"]), &json!(["AB-9"])));
    let stock = |more: i64| json!({"card_id": id, "increase_stock_value": more});
    assert_eq!(cards.errcode("/card/modifystock", &stock(4)).await, 40136);
    cards.ok("/card/modifystock", &stock(3)).await;
    assert_eq!(cards.errcode("/card/code/get", &json!({"code": "AB-000123", "card_id": id})).await, 40056);
    let mut taken =
        vec![cards.claim(&id, ANNA).await, cards.claim(&id, ANNA).await, cards.claim(&id, BELA).await];
    taken.sort();
    assert_eq!(taken, ["AB-000123", "AB-000124", "AB-000125"]);
    let other = cards.card(&coupon(base())).await;
    assert_eq!(cards.errcode("/card/code/deposit", &json!({"card_id": other, "code": ["a"]})).await, 40112);
}

#[tokio::test]
async fn time_and_use_limit_end_a_code() {
    let cards = Cards::new().await;
    let later = json!({"type": 2, "fixed_term": 1, "fixed_begin_term": 1});
    let body = with(coupon(base()), "/card/groupon/base_info/date_info", later);
    let id = cards.card(&with(body, "/card/groupon/base_info/use_limit", json!(1))).await;
    let (one, two) = (cards.claim(&id, ANNA).await, cards.claim(&id, ANNA).await);
    let consume = async |code: &str| cards.errcode("/card/code/consume", &json!({ "code": code })).await;
    assert_eq!(consume(&one).await, 40079);
    assert_eq!(cards.status(&one).await["can_consume"], false);
    cards.world.clock("2026-08-11T00:00:00+08:00").await;
    let cards = Cards::around(cards.world).await;
    let consume = async |code: &str| cards.errcode("/card/code/consume", &json!({ "code": code })).await;
    assert_eq!((consume(&one).await, consume(&two).await), (0, 72020));
    cards.world.clock("2026-08-12T00:00:00+08:00").await;
    let cards = Cards::around(cards.world).await;
    assert_eq!(cards.status(&two).await["user_card_status"], "EXPIRE");
    assert_eq!(cards.errcode("/card/code/consume", &json!({ "code": two })).await, 40127);
}

#[tokio::test]
async fn a_page_needs_the_right_signature() {
    let cards = Cards::new().await;
    let id = cards.card(&coupon(base())).await;
    let target = format!("/cgi-bin/ticket/getticket?access_token={}&type=wx_card", cards.token);
    let ticket = crate::harness::fetch(cards.world.request("GET", &target, "")).await.unwrap().ok();
    let mut values = [ticket["ticket"].as_str().unwrap(), id.as_str(), "1700000000", "Nn9aZ"];
    values.sort_unstable();
    let signature = {
        use sha1::{Digest as _, Sha1};
        let digest = Sha1::digest(values.concat());
        digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let claim = |ext: Value| json!({"card_id": id, "openid": ANNA, "card_ext": ext});
    let ext =
        json!({"timestamp": "1700000000", "nonce_str": "Nn9aZ", "outer_str": "page", "signature": signature});
    let other = with(ext.clone(), "/nonce_str", json!("other"));
    assert_eq!(cards.act("claim", &claim(other)).await.status, 409);
    let named = with(ext.clone(), "/openid", json!(ANNA));
    assert_eq!(cards.act("claim", &claim(named)).await.status, 409, "an openid is signed too");
    let told = cards.act("claim", &claim(ext.to_string().into())).await.ok();
    assert_eq!(told["outer_str"], "page");
}
