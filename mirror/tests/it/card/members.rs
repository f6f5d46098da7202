//! Member cards.

use serde_json::json;

use super::{ANNA, Cards, base, coupon, member_card};
use crate::harness::with;

#[tokio::test]
async fn a_form_activates_and_points_follow() {
    let cards = Cards::new().await;
    let id = cards.card(&member_card()).await;
    let form =
        json!({"card_id": id, "required_form": {"common_field_id_list": ["USER_FORM_INFO_FLAG_MOBILE"]}});
    cards.ok("/card/membercard/activateuserform/set", &form).await;
    let odd = with(form, "/required_form/common_field_id_list", json!(["USER_FORM_INFO_FLAG_X"]));
    assert_eq!(cards.errcode("/card/membercard/activateuserform/set", &odd).await, 40035);
    let url = cards.ok("/card/membercard/activate/geturl", &json!({"card_id": id, "outer_str": "x"})).await;
    assert!(url["url"].as_str().unwrap().contains("&outer_str=x&biz="), "{url}");

    let code = cards.claim(&id, ANNA).await;
    let update =
        json!({"code": code, "card_id": id, "bonus": 103, "add_bonus": 3, "record_bonus": "spent 30 yuan"});
    assert_eq!(cards.errcode("/card/membercard/updateuser", &update).await, 40127, "not active yet");
    let fields = json!([{"name": "USER_FORM_INFO_FLAG_MOBILE", "value": "13800000000"}]);
    cards.act("submit-form", &json!({"code": code, "common_field_list": fields})).await.ok();
    let told = cards.ok("/card/membercard/userinfo/get", &json!({"code": code, "card_id": id})).await;
    assert_eq!((&told["has_active"], &told["bonus"]), (&json!(true), &json!(0)));
    assert_eq!(told["user_info"]["common_field_list"], fields);
    // Sent twice, it counts once: the absolute value goes before the change.
    for _ in 0..2 {
        let told = cards.ok("/card/membercard/updateuser", &update).await;
        assert_eq!((&told["result_bonus"], &told["openid"]), (&json!(103), &json!(ANNA)));
    }
    let less = json!({"code": code, "card_id": id, "add_bonus": -104});
    assert_eq!(cards.errcode("/card/membercard/updateuser", &less).await, 45022);
    let less = json!({"code": code, "card_id": id, "add_bonus": -3, "add_balance": 200});
    let told = cards.ok("/card/membercard/updateuser", &less).await;
    assert_eq!((&told["result_bonus"], &told["result_balance"]), (&json!(100), &json!(200)));
    assert_eq!(cards.errcode("/card/code/consume", &json!({ "code": code })).await, 45030);
}

#[tokio::test]
async fn a_page_activates_by_api_after_the_form() {
    let cards = Cards::new().await;
    let body = with(member_card(), "/card/member_card/wx_activate_after_submit", json!(true));
    assert_eq!(cards.errcode("/card/create", &body).await, 41011);
    let body =
        with(body, "/card/member_card/wx_activate_after_submit_url", json!("https://shop.example/joined"));
    let id = cards.card(&body).await;
    let code = cards.claim(&id, ANNA).await;
    let fields = json!([{"name": "USER_FORM_INFO_FLAG_SEX", "value": "1"}]);
    let told = cards.act("submit-form", &json!({"code": code, "common_field_list": fields})).await.ok();
    assert_eq!(told["has_active"], false);
    let ticket = json!({"activate_ticket": told["activate_ticket"]});
    let info = cards.ok("/card/membercard/activatetempinfo/get", &ticket).await;
    assert_eq!(info["info"]["common_field_list"], fields);
    let other = json!({"activate_ticket": "x"});
    assert_eq!(cards.errcode("/card/membercard/activatetempinfo/get", &other).await, 72011);
    let activate = json!({"membership_number": "VIP00000042", "code": code, "card_id": id, "init_bonus": 100,
        "init_custom_field_value1": "silver"});
    cards.ok("/card/membercard/activate", &activate).await;
    let long = with(activate, "/membership_number", json!("V".repeat(21)));
    assert_eq!(cards.errcode("/card/membercard/activate", &long).await, 45021);
    let told = cards.ok("/card/membercard/userinfo/get", &json!({"code": code, "card_id": id})).await;
    assert_eq!((&told["membership_number"], &told["bonus"]), (&json!("VIP00000042"), &json!(100)));
    cards.act("remove", &json!({ "code": code })).await.ok();
    cards.act("restore", &json!({ "code": code })).await.ok();

    let coupon = cards.card(&coupon(base())).await;
    let code = cards.claim(&coupon, ANNA).await;
    let body = json!({"membership_number": "1", "code": code});
    assert_eq!(cards.errcode("/card/membercard/activate", &body).await, 72003);
    assert_eq!(cards.errcode("/card/membercard/activate/geturl", &json!({ "card_id": coupon })).await, 72003);
}
