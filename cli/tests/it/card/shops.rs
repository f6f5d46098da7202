//! Gift cards, coins, sub-merchants, rules, pictures and the rest beside single cards.

use serde_json::{Value, json};

use super::desk::{APPID, CARD, CODE, Desk, OK, OPENID, refusal};

const PAGE_TOML: &str = r##"
page_title = "Tea as a gift"
banner_pic_url = "http://mmbiz.qpic.cn/b/0"
address = "1 Lake Road"
service_phone = "02012345678"
biz_description = "Refunds within a week."

[[theme_list]]
theme_pic_url = "http://mmbiz.qpic.cn/t/0"
title = "Spring"
title_color = "#FB966E"
item_list = [{ card_id = "pTESTcard0000000000000000001" }]
pic_item_list = [{ background_pic_url = "http://mmbiz.qpic.cn/f/0" }]
"##;

#[test]
fn codes_are_changed_made_invalid_and_reserved() {
    let desk = Desk::start();
    for path in ["update", "unavailable", "mark"] {
        desk.answer(&format!("/card/code/{path}"), OK);
    }
    assert_eq!(desk.json(&["code", "update", CARD, CODE, "NEW"])["updated"], true);
    assert_eq!(desk.body("/card/code/update"), json!({"code": CODE, "new_code": "NEW", "card_id": CARD}));
    let same = desk.run(&["code", "update", CARD, CODE, CODE]);
    assert!(same.code == Some(2) && same.stderr.contains("must differ"), "{same:?}");
    let both = desk.fed(&["code", "update", CARD, "-", "-"], "OLD\nNEWER\n");
    assert_eq!(both.code, Some(0), "{both:?}");
    assert_eq!(desk.seen("/card/code/update")[1].json()["new_code"], "NEWER");

    assert!(desk.table(&["code", "disable", CODE, "--reason", "refund"]).contains("invalid"));
    assert_eq!(desk.body("/card/code/unavailable"), json!({"code": CODE, "reason": "refund"}));
    desk.table(&["code", "mark", CARD, CODE, OPENID]);
    assert!(desk.table(&["code", "mark", CARD, CODE, OPENID, "--release"]).contains("free again"));
    let marks: Vec<Value> =
        desk.seen("/card/code/mark").iter().map(|seen| seen.json()["is_mark"].clone()).collect();
    assert_eq!(marks, [json!(true), json!(false)]);
    desk.direct("/card/code/unavailable", |_| (0, Vec::new()));
    let ran = desk.run(&["code", "disable", CODE]);
    assert_eq!(ran.code, Some(4), "whether it was done is not known: {ran:?}");
}

#[test]
fn a_form_is_for_the_card_that_is_named() {
    let desk = Desk::start();
    let path = "/card/membercard/activateuserform/set";
    desk.answer(path, OK);
    desk.file("form.json", r#"{"required_form":{"common_field_id_list":["USER_FORM_INFO_FLAG_NAME"]}}"#);
    assert_eq!(desk.json(&["member", "form", CARD, "form.json"])["form_set"], true);
    assert_eq!(desk.body(path)["card_id"], CARD);
    desk.file("other.json", r#"{"card_id":"pOther","required_form":{}}"#);
    let ran = desk.run(&["member", "form", CARD, "other.json"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("another card"), "{ran:?}");
    desk.file("six.toml", "[optional_form]\ncustom_field_list = ['1', '2', '3', '4', '5', '6']\n");
    let ran = desk.run(&["member", "form", CARD, "six.toml"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("custom_field_list"), "{ran:?}");
    desk.file("list.json", "[1]");
    assert_eq!(desk.run(&["member", "form", CARD, "list.json"]).code, Some(2));
    assert_eq!(desk.seen(path).len(), 1);
}

#[test]
fn test_users_are_replaced_as_a_whole() {
    let desk = Desk::start();
    let path = "/card/testwhitelist/set";
    desk.answer(path, OK);
    desk.file("testers.toml", &format!("openid = ['{OPENID}']\nusername = ['afdvvf']\n"));
    let said = desk.table(&["whitelist", "testers.toml"]);
    assert!(said.contains("2 users") && said.contains("nobody else"), "{said}");
    assert_eq!(desk.body(path), json!({"openid": [OPENID], "username": ["afdvvf"]}));
    let many: Vec<String> = (0..11).map(|number| format!("user{number}")).collect();
    desk.file("many.json", &json!({"username": many}).to_string());
    let ran = desk.run(&["whitelist", "many.json"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("openid and username together"), "{ran:?}");
}

#[test]
fn a_picture_is_measured_before_anybody_is_asked() {
    let desk = Desk::start();
    let path = "/cgi-bin/media/uploadimg";
    desk.answer(path, r#"{"url":"http://mmbiz.qpic.cn/mmbiz_png/LOGO/0"}"#);
    desk.answer("/cgi-bin/media/upload", r#"{"type":"image","media_id":"MEDIA","created_at":1700000000}"#);
    let mut picture = b"\x89PNG\r\n\x1a\n".to_vec();
    std::fs::write(desk.path().join("logo.png"), &picture).unwrap();
    picture.resize((1 << 20) + 1, 0);
    std::fs::write(desk.path().join("large.png"), &picture).unwrap();
    desk.file("text.png", "a picture of tea");
    for (file, words) in
        [("large.png", "1048577 bytes"), ("text.png", "JPG or PNG"), ("none.png", "cannot read none.png")]
    {
        let ran = desk.run(&["media", "upload", file]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains(words), "{file}: {ran:?}");
    }
    assert!(desk.seen("/cgi-bin/stable_token").is_empty(), "nobody was asked");
    assert_eq!(desk.json(&["media", "upload", "logo.png"])["url"], "http://mmbiz.qpic.cn/mmbiz_png/LOGO/0");
    let sent = String::from_utf8_lossy(&desk.seen(path)[0].body).into_owned();
    assert!(sent.contains("name=\"buffer\"; filename=\"logo.png\"") && sent.contains("image/png"), "{sent}");
    // A paper may be larger.
    assert!(desk.table(&["media", "upload", "--paper", "large.png"]).contains("MEDIA"));
}

#[test]
fn gift_pages_are_kept_and_taken_off() {
    let desk = Desk::start();
    let page = |call: &str| format!("/card/giftcard/{call}");
    desk.answer(&page("page/add"), &json!({"errcode": 0, "page_id": "P+1="}).to_string());
    desk.file("page.toml", PAGE_TOML);
    assert_eq!(desk.json(&["gift", "page", "add", "page.toml"])["page_id"], "P+1=");
    let sent = desk.body(&page("page/add"));
    assert_eq!(sent["page"]["theme_list"][0]["item_list"][0]["card_id"], CARD);
    desk.file("pale.toml", &PAGE_TOML.replace("#FB966E", "orange"));
    let ran = desk.run(&["gift", "page", "add", "pale.toml"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("title_color"), "{ran:?}");

    desk.answer(&page("page/get"), &json!({"errcode": 0, "page": sent["page"]}).to_string());
    let shown = desk.table(&["gift", "page", "get", "P+1="]);
    assert!(shown.contains("Tea as a gift") && shown.contains(&format!("Spring: {CARD}")), "{shown}");
    desk.answer(&page("page/update"), OK);
    desk.file("changes.toml", "page_id = 'P+1='\npage_title = 'Tea'\n");
    desk.table(&["gift", "page", "update", "changes.toml"]);
    assert_eq!(desk.body(&page("page/update")), json!({"page": {"page_id": "P+1=", "page_title": "Tea"}}));
    desk.answer(&page("page/batchget"), r#"{"errcode":0,"page_id_list":["P+1="]}"#);
    assert!(desk.table(&["gift", "page", "list"]).contains("P+1="));

    let control = json!({"errcode": 0, "control_info": {
        "biz_control_type": "E_PAGE_CONTROL_NORMAL", "system_biz_control_type": "E_PAGE_CONTROL_NORMAL",
        "list": [{"page_id": "P+1=", "page_control_type": "E_PAGE_CONTROL_BIZ",
                  "system_page_control_type": "E_PAGE_CONTROL_NORMAL"}],
    }});
    desk.answer(&page("maintain/set"), &control.to_string());
    assert!(desk.table(&["gift", "page", "maintain", "P+1="]).contains("off, by the merchant"));
    desk.json(&["gift", "page", "maintain", "--all", "--end"]);
    let sent: Vec<Value> = desk.seen(&page("maintain/set")).iter().map(|seen| seen.json()).collect();
    assert_eq!(sent, [json!({"page_id": "P+1=", "maintain": true}), json!({"all": true, "maintain": false})]);
    assert_eq!(desk.run(&["gift", "page", "maintain"]).code, Some(2));
}

fn order(id: &str) -> Value {
    json!({
        "order_id": id, "page_id": "P+1=", "trans_id": "T1", "create_time": 1_700_000_000,
        "pay_finish_time": "1700000100", "total_price": 19_900, "open_id": OPENID, "IsChatRoom": true,
        "card_list": [{"card_id": CARD, "price": 19_900, "code": CODE}],
    })
}

#[test]
fn gift_orders_are_listed_to_the_end_and_refunded_with_care() {
    let desk = Desk::start();
    let path = |call: &str| format!("/card/giftcard/order/{call}");
    desk.direct(&path("batchget"), |seen| {
        let offset = seen.json()["offset"].as_u64().unwrap();
        let some: Vec<Value> = (offset..130.min(offset + 100)).map(|at| order(&format!("Z{at}"))).collect();
        (200, json!({"errcode": 0, "total_count": 130, "order_list": some}).to_string().into_bytes())
    });
    let days = ["--from", "2023-11-01", "--to", "2023-11-30"];
    let ran = desk.run(&[&["gift", "order", "list", "--output", "json"][..], &days].concat());
    assert_eq!((ran.code, ran.stdout.lines().count()), (Some(0), 130), "{ran:?}");
    assert_eq!(desk.seen(&path("batchget")).len(), 2);
    assert_eq!(desk.seen(&path("batchget"))[0].json()["begin_time"], 1_698_768_000);
    let ran = desk.run(&["gift", "order", "list", "--from", "2023-11-01", "--to", "2023-12-31"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("31 days"), "{ran:?}");

    desk.answer(&path("get"), &json!({"errcode": 0, "order": order("Z1")}).to_string());
    let table = desk.table(&["gift", "order", "get", "Z1"]);
    for words in ["199.00", "a group", "2023-11-15 06:13:20", CODE] {
        assert!(table.contains(words), "{words}: {table}");
    }
    desk.answer(&path("refund"), OK);
    assert_eq!(desk.json(&["gift", "order", "refund", "Z1"]), json!({"order_id": "Z1", "refunded": true}));
    desk.direct(&path("refund"), |_| (502, b"x".to_vec()));
    let ran = desk.run(&["gift", "order", "refund", "Z1"]);
    assert!(ran.code == Some(4) && ran.stderr.contains("query"), "{ran:?}");
}

#[test]
fn coins_are_counted_and_their_orders_named() {
    let desk = Desk::start();
    desk.answer("/card/pay/getcoinsinfo", r#"{"errcode":0,"free_coin":200,"pay_coin":5,"total_coin":205}"#);
    assert!(desk.table(&["coins", "balance"]).contains("205 coins"));
    let order = json!({
        "order_id": "O1", "status": "ORDER_STATUS_SUCC", "create_time": 1_700_000_000, "desc": "stock",
        "free_coin_count": "3", "pay_coin_count": 4, "openid": OPENID, "order_type": "ORDER_TYPE_REDUCE",
    });
    desk.answer(
        "/card/pay/getorderlist",
        &json!({"errcode": 0, "total_num": 1, "order_list": [order]}).to_string(),
    );
    let table = desk.table(&["coins", "orders", "--type", "ORDER_TYPE_REDUCE", "--from", "2023-11-01"]);
    assert!(table.contains("spent on stock") && table.contains("3 free, 4 paid"), "{table}");
    let sent = desk.body("/card/pay/getorderlist");
    assert_eq!(
        (&sent["order_type"], &sent["begin_time"]),
        (&"ORDER_TYPE_REDUCE".into(), &1_698_768_000.into())
    );
    desk.answer("/card/pay/getorder", &json!({"errcode": 0, "order_info": order}).to_string());
    assert_eq!(desk.json(&["coins", "order", "O1"])["order_id"], "O1");
    let ran = desk.run(&["coins", "orders", "--type", "GOLD"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("ORDER_TYPE_WXPAY"), "{ran:?}");
}

#[test]
fn a_rule_that_does_not_hold_for_all_says_for_whom() {
    let desk = Desk::start();
    let path = |call: &str| format!("/card/paygiftcard/{call}");
    let rule = json!({
        "type": "RULE_TYPE_PAY_MEMBER_CARD",
        "base_info": {"mchid_list": ["1900000109", "1900000110"], "begin_time": 1_700_000_000, "end_time": 1_800_000_000},
        "member_rule": {"card_id": CARD, "least_cost": 100, "max_cost": 5_000},
    });
    desk.file("rule.json", &json!({"rule_info": rule}).to_string());
    let answer = json!({
        "errcode": 0, "rule_id": 1231, "succ_mchid_list": ["1900000110"],
        "fail_mchid_list": [{"mchid": "1900000109", "errcode": 72004, "errmsg": "mchid is occupied",
                             "occupy_rule_id": 77, "occupy_appid": APPID}],
    });
    desk.answer(&path("add"), &answer.to_string());
    let ran = desk.run(&["pay-gift", "add", "rule.json"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    for words in ["1231", "1900000110", "1900000109", "rule 77", "72004"] {
        assert!(ran.stdout.contains(words), "{words}: {ran:?}");
    }
    assert_eq!(desk.body(&path("add"))["rule_info"], rule);
    desk.file("back.json", &json!({"rule_info": rule}).to_string().replace("1800000000", "1600000000"));
    let ran = desk.run(&["pay-gift", "add", "back.json"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("before end_time"), "{ran:?}");
    desk.answer(&path("batchget"), &json!({"errcode": 0, "total_count": 1, "rule_list": [rule]}).to_string());
    assert!(desk.table(&["pay-gift", "list", "--effective"]).contains(CARD));
    assert_eq!(desk.body(&path("batchget"))["effective"], true);
    assert_eq!(desk.run(&["pay-gift", "get", "0"]).code, Some(2));
}

#[test]
fn shops_are_listed_page_by_page_and_never_for_ever() {
    let desk = Desk::start();
    let path = |call: &str| format!("/card/submerchant/{call}");
    desk.direct(&path("batchget"), |seen| {
        let after = seen.json()["begin_id"].as_i64().unwrap();
        // The last page is full too, and the one after it stands still.
        let ids = if after < 200 { after + 1..=after + 100 } else { 101..=200 };
        let some: Vec<Value> = ids.map(|id| json!({"merchant_id": id, "status": "APPROVED"})).collect();
        let next = if after < 200 { after + 100 } else { 200 };
        (200, json!({"info_list": some, "next_begin_id": next}).to_string().into_bytes())
    });
    let ran = desk.run(&["sub-merchant", "list", "--output", "json"]);
    assert_eq!((ran.code, desk.seen(&path("batchget")).len()), (Some(0), 3), "{ran:?}");

    desk.file(
        "shop.toml",
        "brand_name = 'Tea'\nlogo_url = 'http://mmbiz.qpic.cn/l/0'\nprotocol = 'M'\nagreement_media_id = 'M'\n\
         end_time = 2030-01-01T00:00:00+08:00\nprimary_category_id = 1\nsecondary_category_id = 101\n",
    );
    let info = json!({"info": {"merchant_id": "12", "brand_name": "Tea", "status": "CHECKING"}});
    desk.answer(&path("submit"), &info.to_string());
    desk.answer(&path("update"), &info.to_string());
    assert!(desk.table(&["sub-merchant", "add", "shop.toml"]).contains("under review"));
    desk.json(&["sub-merchant", "update", "12", "shop.toml"]);
    assert_eq!(desk.body(&path("update"))["info"]["merchant_id"], 12);
    desk.file("other.json", r#"{"info":{"merchant_id":13,"brand_name":"T","logo_url":"l","protocol":"M","end_time":1,"primary_category_id":1,"secondary_category_id":1}}"#);
    let ran = desk.run(&["sub-merchant", "update", "12", "other.json"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("another shop"), "{ran:?}");
    desk.direct(&path("get"), |seen| refusal(40139, seen));
    assert_eq!(desk.run(&["sub-merchant", "get", "12"]).code, Some(1));
}
