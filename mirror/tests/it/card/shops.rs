//! Uploads, sub-merchants, stores, and rules of paying.

use serde_json::{Value, json};

use super::{Cards, PICTURE, PNG, base, coupon, member_card};
use crate::harness::with;

#[tokio::test]
async fn pictures_are_looked_at() {
    let cards = Cards::new().await;
    let path = "/cgi-bin/media/uploadimg?";
    let told = cards.upload(path, PNG).await;
    let url = told["url"].clone();
    assert!(url.as_str().unwrap().starts_with("http://mmbiz.qpic.cn/mmbiz_png/"), "{told}");
    let body = with(coupon(base()), "/card/groupon/base_info/logo_url", url);
    cards.ok("/card/create", &body).await;
    assert_eq!(cards.upload(path, b"GIF89a").await["errcode"], 40137);
    assert_eq!(cards.upload(path, b"").await["errcode"], 40006);
    let mut large = PNG.to_vec();
    large.resize(1_048_577, 0);
    assert_eq!(cards.upload(path, &large).await["errcode"], 40009);
    large.truncate(1_048_576);
    assert!(cards.upload(path, &large).await["url"].is_string());
}

#[tokio::test]
async fn cards_are_made_for_approved_sub_merchants_alone() {
    let cards = Cards::new().await;
    let id = cards.sub_merchant().await;
    let number: i64 = id.parse().unwrap();
    let card = |number: i64| {
        with(coupon(base()), "/card/groupon/base_info/sub_merchant_info", json!({ "merchant_id": number }))
    };
    assert_eq!(cards.errcode("/card/create", &card(number + 1)).await, 40139);
    assert_eq!(cards.errcode("/card/create", &card(number)).await, 40140);
    cards.act(&format!("sub-merchants/{id}/review"), &Value::Null).await.ok();
    cards.ok("/card/create", &card(number)).await;
    let told = cards.ok("/card/submerchant/get", &json!({ "merchant_id": id })).await;
    assert_eq!(told["info"]["status"], "APPROVED");
    let list = cards.ok("/card/submerchant/batchget", &json!({"begin_id": 0, "limit": 50})).await;
    assert_eq!(
        (&list["info_list"][0]["merchant_id"], &list["next_begin_id"]),
        (&json!(number), &json!(number))
    );
    let rest = cards.ok("/card/submerchant/batchget", &json!({"begin_id": number, "limit": 50})).await;
    assert_eq!(rest["info_list"], json!([]));
    let foreign = json!({"info": {"brand_name": "T", "logo_url": PICTURE, "protocol": "x", "agreement_media_id": "x",
        "end_time": 1_893_456_000, "primary_category_id": 1, "secondary_category_id": 101}});
    assert_eq!(cards.errcode("/card/submerchant/submit", &foreign).await, 40007);
    cards.world.clock("2030-01-02T00:00:00+08:00").await;
    let cards = Cards::around(cards.world).await;
    let told = cards.ok("/card/submerchant/get", &json!({ "merchant_id": id })).await;
    assert_eq!(told["info"]["status"], "EXPIRED");
}

#[tokio::test]
async fn a_store_has_a_card() {
    let cards = Cards::new().await;
    let id = cards.card(&coupon(base())).await;
    let store = json!({"poi_id": "300001"});
    assert_eq!(cards.ok("/card/storewxa/get", &store).await.get("card_id"), None);
    for _ in 0..2 {
        cards.ok("/card/storewxa/set", &json!({"poi_id": "300001", "card_id": id})).await;
    }
    assert_eq!(cards.ok("/card/storewxa/get", &store).await["card_id"], id);
    assert_eq!(cards.errcode("/card/storewxa/get", &json!({"poi_id": "x"})).await, 47001);
}

#[tokio::test]
async fn a_merchant_has_one_rule_of_paying() {
    let cards = Cards::new().await;
    let id = cards.card(&member_card()).await;
    let rule = json!({"rule_info": {"type": "RULE_TYPE_PAY_MEMBER_CARD",
        "base_info": {"mchid_list": ["1900000110"], "begin_time": 1_893_456_000, "end_time": 1_896_134_399},
        "member_rule": {"card_id": id, "least_cost": 200, "max_cost": 2_000_000}}});
    let first = cards.ok("/card/paygiftcard/add", &rule).await;
    assert_eq!(first["succ_mchid_list"], json!(["1900000110"]));
    let second = cards.ok("/card/paygiftcard/add", &rule).await;
    let failed = &second["fail_mchid_list"][0];
    assert_eq!((&failed["errcode"], &failed["occupy_rule_id"]), (&json!(72004), &first["rule_id"]));
    let number = json!({"rule_id": first["rule_id"]});
    let told = cards.ok("/card/paygiftcard/getbyid", &number).await;
    assert_eq!(told["rule_info"]["base_info"]["status"], "RULE_STATUS_OK");
    let page = json!({"type": "RULE_TYPE_PAY_MEMBER_CARD", "effective": true, "offset": 0, "count": 10});
    assert_eq!(cards.ok("/card/paygiftcard/batchget", &page).await["total_count"], 2);
    cards.ok("/card/paygiftcard/delete", &number).await;
    assert_eq!(cards.errcode("/card/paygiftcard/getbyid", &number).await, 72034);
    let coupon = cards.card(&coupon(base())).await;
    let other = with(rule, "/rule_info/member_rule/card_id", json!(coupon));
    assert_eq!(cards.errcode("/card/paygiftcard/add", &other).await, 72003);
}
