//! Pages that sell gift cards.

use serde_json::{Value, json};

use super::{ANNA, Cards, PICTURE, base, coupon};
use crate::harness::with;

const ADD: &str = "/card/giftcard/page/add";
pub(super) const FACE: &str = "http://mmbiz.qpic.cn/mmbiz_jpg/INVENTEDface/0";

/// A gift card of 100 yuan for 80.
pub(super) fn gift_card() -> Value {
    let mut base = base();
    base["giftcard_info"] = json!({"price": 8000});
    base["get_limit"] = json!(0);
    json!({"card": {"card_type": "GENERAL_CARD", "general_card": {
        "base_info": base, "sub_card_type": "GIFT_CARD", "supply_bonus": true, "init_bonus": 5,
        "supply_balance": true, "init_balance": 10000, "auto_activate": true
    }}})
}

pub(super) fn page(card_id: &str) -> Value {
    json!({"page": {
        "page_title": "Gifts", "support_multi": true, "support_buy_for_self": true, "banner_pic_url": PICTURE,
        "theme_list": [{
            "theme_pic_url": PICTURE, "title": "Birthday", "title_color": "#FB966E",
            "item_list": [{"card_id": card_id, "title": "Tea 100"}],
            "pic_item_list": [
                {"background_pic_url": PICTURE},
                {"background_pic_url": FACE, "default_gifting_msg": "Many happy returns", "outer_img_id": "face-1"}
            ],
            "category_index": 0
        }],
        "category_list": [{"title": "For friends"}], "address": "1 Invented Road",
        "service_phone": "021-55550000", "biz_description": "Refunds within 7 days",
        "cell_1": {"title": "Invoice", "url": "https://shop.example/invoice"}
    }})
}

/// A gift card on a page: their ids.
pub(crate) async fn shop(cards: &Cards) -> (String, String) {
    let card = cards.card(&gift_card()).await;
    let told = cards.ok(ADD, &page(&card)).await;
    (card, told["page_id"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_page_is_made_changed_and_found() {
    let cards = Cards::new().await;
    let (card, id) = shop(&cards).await;
    assert!(id.starts_with('+') && id.len() <= 128, "clients have to encode it: {id}");
    let get = json!({ "page_id": id });
    assert_eq!(cards.ok("/card/giftcard/page/get", &get).await["page"], page(&card)["page"]);
    let change =
        json!({"page": {"page_id": id, "banner_pic_url": FACE, "cell_1": {"title": "a", "url": "b"}}});
    cards.ok("/card/giftcard/page/update", &change).await;
    let wanted = with(page(&card), "/page/banner_pic_url", json!(FACE));
    let wanted = with(wanted, "/page/cell_1", json!({"title": "a", "url": "b"}));
    assert_eq!(cards.ok("/card/giftcard/page/get", &get).await["page"], wanted["page"]);
    let second = cards.ok(ADD, &page(&card)).await["page_id"].clone();
    let list = cards.ok("/card/giftcard/page/batchget", &json!({})).await;
    assert_eq!(list["page_id_list"], json!([id, second]));
    let broken = json!({"page": {"page_id": id, "theme_list": []}});
    assert_eq!(cards.errcode("/card/giftcard/page/update", &broken).await, 40097);
    assert_eq!(
        cards.ok("/card/giftcard/page/get", &get).await["page"],
        wanted["page"],
        "nothing is half done"
    );
    for path in ["/card/giftcard/page/get", "/card/giftcard/maintain/set"] {
        let unknown = json!({"page_id": "no", "maintain": true});
        assert_eq!(cards.errcode(path, &unknown).await, 40097, "{path}");
    }
    assert_eq!(cards.errcode("/card/giftcard/page/update", &json!({"page": {}})).await, 41011);
    assert_eq!(cards.errcode("/card/giftcard/page/get", &json!({})).await, 41011);
}

#[tokio::test]
async fn what_a_page_lacks_or_has_wrong_is_refused() {
    let cards = Cards::new().await;
    let card = cards.card(&gift_card()).await;
    let other = cards.card(&coupon(base())).await;
    let theme = |pointer: &str, value: Value| {
        let mut body = page(&card);
        let theme = with(body["page"]["theme_list"][0].take(), pointer, value);
        body["page"]["theme_list"] = json!([theme]);
        body
    };
    let whole = |pointer: &str, value: Value| with(page(&card), &format!("/page{pointer}"), value);
    for (body, errcode) in [
        (json!({}), 41011),
        (whole("/page_title", json!("")), 41011),
        (whole("/page_title", json!(7)), 47001),
        (whole("/page_title", json!("x".repeat(3_073))), 45021),
        (whole("/address", json!("")), 41011),
        (whole("/service_phone", json!("")), 41011),
        (whole("/biz_description", json!("")), 41011),
        (whole("/banner_pic_url", json!("https://shop.example/a.png")), 40141),
        (whole("/support_multi", json!("perhaps")), 47001),
        (whole("/cell_1", json!({"title": "a"})), 41011),
        (whole("/category_list", json!([{}])), 41011),
        (whole("/category_list", json!([])), 40097),
        (whole("/theme_list", json!([])), 40097),
        (theme("/theme_pic_url", json!("a")), 40141),
        (theme("/title", json!("")), 41011),
        (theme("/title_color", json!("FB966E")), 40097),
        (theme("/title_color", json!("#FB966")), 40097),
        (theme("/category_index", json!(1)), 40097),
        (theme("/category_index", json!(-1)), 40097),
        (theme("/item_list", json!([])), 40097),
        (theme("/item_list", json!([{}])), 41012),
        (theme("/item_list", json!([{"card_id": "pNobody"}])), 40073),
        (theme("/item_list", json!([{"card_id": other}])), 40071),
        (theme("/item_list", json!([{"card_id": card, "pic_url": "a"}])), 40141),
        (theme("/pic_item_list", json!([])), 40097),
        (theme("/pic_item_list", json!([{"background_pic_url": ""}])), 41011),
        (theme("/pic_item_list", json!([{"background_pic_url": FACE, "outer_img_id": 1}])), 47001),
    ] {
        assert_eq!(cards.errcode(ADD, &body).await, errcode, "{body}");
    }
    let mut bare = page(&card);
    bare["page"].as_object_mut().unwrap().remove("category_list");
    assert_eq!(cards.errcode(ADD, &bare).await, 40097, "an index without categories");
    bare["page"]["theme_list"][0].as_object_mut().unwrap().remove("category_index");
    cards.ok(ADD, &bare).await;
    cards.ok("/card/delete", &json!({ "card_id": card })).await;
    assert_eq!(cards.errcode(ADD, &bare).await, 40078);
}

#[tokio::test]
async fn pages_are_taken_off_and_put_back() {
    let cards = Cards::new().await;
    let (card, id) = shop(&cards).await;
    let second = cards.ok(ADD, &page(&card)).await["page_id"].clone();
    let buy = json!({"page_id": id, "openid": ANNA, "card_ids": [card]});
    let set =
        async |body: Value| cards.ok("/card/giftcard/maintain/set", &body).await["control_info"].clone();
    let off = set(json!({"page_id": id, "maintain": true})).await;
    let normal = "E_PAGE_CONTROL_NORMAL";
    let entry =
        json!({"page_id": id, "page_control_type": "E_PAGE_CONTROL_BIZ", "system_page_control_type": normal});
    assert_eq!(off, json!({"biz_control_type": normal, "system_biz_control_type": normal, "list": [entry]}));
    let refused = cards.act("gift-cards/buy", &buy).await;
    assert!(refused.json()["message"].as_str().unwrap().contains("errcode 40078"));
    let on = set(json!({"page_id": id, "maintain": false})).await;
    assert_eq!(on["list"][0]["page_control_type"], normal);
    cards.act("gift-cards/buy", &buy).await.ok();
    let all = set(json!({"all": true, "maintain": true})).await;
    assert_eq!(all["biz_control_type"], "E_PAGE_CONTROL_BIZ");
    let listed: Vec<_> = all["list"].as_array().unwrap().iter().map(|page| page["page_id"].clone()).collect();
    assert_eq!(listed, [json!(id), second]);
    assert_eq!(cards.act("gift-cards/buy", &buy).await.status, 409);
    set(json!({"all": true, "maintain": false})).await;
    cards.act("gift-cards/buy", &buy).await.ok();
    for (body, errcode) in [
        (json!({"maintain": true}), 41011),
        (json!({"page_id": id}), 41011),
        (json!({"page_id": id, "all": true, "maintain": true}), 40035),
    ] {
        assert_eq!(cards.errcode("/card/giftcard/maintain/set", &body).await, errcode, "{body}");
    }
}

#[tokio::test]
async fn a_mini_program_shows_a_page_once_its_merchant_is_bound() {
    let cards = Cards::new().await;
    let (_, id) = shop(&cards).await;
    let bind = json!({"sub_mch_id": "1900000109", "wxa_appid": "wxabcdefabcdef0001"});
    let show = json!({"wxa_appid": "wxabcdefabcdef0001", "page_id": id});
    let (apply, tie) = ("/card/giftcard/pay/whitelist/add", "/card/giftcard/pay/submch/bind");
    assert_eq!(cards.errcode(tie, &bind).await, 72002, "not on the list");
    let told = cards.ok(apply, &json!({"sub_mch_id": "1900000109"})).await;
    assert!(told["url"].as_str().unwrap().starts_with("https://pay.weixin.qq.com/"));
    assert_eq!(cards.errcode("/card/giftcard/wxa/set", &show).await, 40013, "not bound");
    cards.ok(tie, &bind).await;
    // Both paths are in use.
    for path in ["/card/giftcard/wxa/set", "/card/giftcard/pay/wxa/set"] {
        cards.ok(path, &show).await;
        assert_eq!(cards.errcode(path, &with(show.clone(), "/page_id", json!("no"))).await, 40097);
    }
    for bad in ["", "19000001090", "1900000x09"] {
        let errcode = if bad.is_empty() { 41011 } else { 72010 };
        assert_eq!(cards.errcode(apply, &json!({ "sub_mch_id": bad })).await, errcode, "{bad}");
    }
    for bad in ["wx1", "gh_abcdefabcdef00", "wxabcdefabcdef000g"] {
        assert_eq!(cards.errcode(tie, &with(bind.clone(), "/wxa_appid", json!(bad))).await, 40013, "{bad}");
    }
}
