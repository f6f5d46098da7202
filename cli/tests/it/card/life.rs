//! Cards: create, get, list, update, delete, stock.

use serde_json::json;

use super::desk::{CARD, Desk, OK, refusal};

pub const CARD_TOML: &str = r#"
card_type = "CASH"

[cash]
least_cost = 10000
reduce_cost = 1500

[cash.base_info]
logo_url = "http://mmbiz.qpic.cn/mmbiz_png/INVENTED/0"
brand_name = "Tea Nook"
code_type = "CODE_TYPE_QRCODE"
title = "15 off 100"
color = "Color010"
notice = "Show this at the bar"
description = "One per table."
get_limit = 2
own_field = "kept"

[cash.base_info.sku]
quantity = 5000

[cash.base_info.date_info]
type = "DATE_TYPE_FIX_TIME_RANGE"
begin_timestamp = 2030-01-01T00:00:00+08:00
end_timestamp = 2030-12-31T23:59:59+08:00

[cash.advanced_info.abstract]
abstract = "Two pots, one price"
icon_url_list = ["http://mmbiz.qpic.cn/mmbiz_png/INVENTED/0"]
"#;

#[test]
fn a_card_is_made_from_toml_or_json() {
    let desk = Desk::start();
    let create = "/card/create";
    desk.answer(create, &json!({"errcode": 0, "errmsg": "ok", "card_id": CARD}).to_string());
    desk.file("card.toml", CARD_TOML);
    assert_eq!(desk.json(&["create", "card.toml"]), json!({"card_id": CARD}));
    let sent = desk.body(create);
    let cash = &sent["card"]["cash"];
    assert_eq!((&sent["card"]["card_type"], &cash["reduce_cost"]), (&"CASH".into(), &1500.into()));
    assert_eq!(cash["base_info"]["date_info"]["begin_timestamp"], 1_893_427_200);
    assert_eq!(cash["base_info"]["own_field"], "kept", "what is not known is sent");

    desk.file("card.json", &sent.to_string());
    assert!(desk.table(&["create", "card.json"]).contains(CARD));
    let fed = desk.fed(&["create", "-", "--output", "json"], &sent["card"].to_string());
    assert_eq!(fed.code, Some(0), "{fed:?}");
    let bodies: Vec<_> = desk.seen(create).iter().map(|seen| seen.json()).collect();
    assert!(bodies.len() == 3 && bodies.iter().all(|body| *body == sent), "{bodies:?}");
}

#[test]
fn a_card_that_breaks_a_limit_is_never_sent() {
    let desk = Desk::start();
    desk.file("card.toml", CARD_TOML);
    let checked = desk.table(&["create", "card.toml", "--dry-run"]);
    assert!(checked.contains("a good card of type CASH; nothing was sent"), "{checked}");
    let slip = desk.run(&["create", "card.toml", "--dry-run"]);
    assert!(slip.stderr.contains("sent as it is: cash.base_info.own_field"), "{slip:?}");
    desk.file("long.toml", &CARD_TOML.replace("15 off 100", "券券券券券券券券券券"));
    let flags: [&[&str]; 2] = [&["create", "long.toml"], &["create", "long.toml", "--dry-run"]];
    for arguments in flags {
        let ran = desk.run(arguments);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains("base_info.title") && ran.stderr.contains("27 bytes"), "{ran:?}");
    }
    for (text, words) in [
        ("card_type = 'CASH'", "needs the object cash"),
        ("card_type = 'PIZZA'\n[pizza]", "documented types"),
        ("=", "bad.toml is not TOML"),
        ("card_type = 'CASH'\n[cash.base_info.sku]\nquantity = 'many'", "cash.base_info.sku.quantity: "),
    ] {
        desk.file("bad.toml", text);
        let ran = desk.run(&["create", "bad.toml"]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains(words), "{text}: {ran:?}");
    }
    assert!(desk.seen("/card/create").is_empty() && desk.seen("/cgi-bin/stable_token").is_empty());
}

#[test]
fn what_stands_beside_a_cards_object_is_refused_and_not_lost() {
    let desk = Desk::start();
    desk.answer("/card/create", &json!({"errcode": 0, "errmsg": "ok", "card_id": CARD}).to_string());
    let top = |line: &str| format!("{line}\n{CARD_TOML}");
    for (text, words) in [
        (top("get_limit = 5\nnotes = 'x'"), "no place for: get_limit, notes; "),
        (format!("{CARD_TOML}\n[gift]\ngift = 'tea'\n[gift.base_info]\n"), "no place for: gift; "),
        (top("base_info = { title = 'x' }").replace("\"CASH\"", "\"cash\""), "no place for: base_info; "),
        (format!("{CARD_TOML}\n[pizza]\n"), "no place for: pizza; beside card_type there is cash alone"),
    ] {
        desk.file("card.toml", &text);
        for dry in [&[][..], &["--dry-run"]] {
            let ran = desk.run(&[&["create", "card.toml"], dry].concat());
            assert_eq!(ran.code, Some(2), "{ran:?}");
            assert!(ran.stderr.contains(words), "{words}: {ran:?}");
            assert!(!ran.stderr.contains("sent as it is"), "{ran:?}");
        }
    }
    assert!(desk.seen("/card/create").is_empty());
    // What stands in the object is the platform's to judge.
    desk.file("card.toml", &CARD_TOML.replace("least_cost", "future = 1\nleast_cost"));
    let ran = desk.run(&["create", "card.toml"]);
    assert!(ran.stderr.contains("cash.base_info.own_field") && ran.stderr.contains("cash.future"), "{ran:?}");
    let cash = &desk.body("/card/create")["card"]["cash"];
    assert_eq!((&cash["future"], &cash["base_info"]["own_field"]), (&1.into(), &"kept".into()));
}

fn held(title: &str) -> serde_json::Value {
    json!({"card_type": "CASH", "cash": {"least_cost": "10000", "reduce_cost": 1500, "base_info": {
        "id": CARD, "title": title, "brand_name": "Tea Nook", "code_type": "CODE_TYPE_QRCODE", "color": "#63B359",
        "status": "CARD_STATUS_VERIFY_OK", "sku": {"quantity": 4990, "total_quantity": 5000}, "get_limit": 2,
        "logo_url": "x", "notice": "n", "description": "d", "future": {"a": 1},
        "date_info": {"type": "DATE_TYPE_FIX_TERM", "fixed_term": 30, "fixed_begin_term": 1},
    }}})
}

#[test]
fn a_card_is_shown_in_words_and_whole() {
    let desk = Desk::start();
    let answer = json!({"errcode": 0, "errmsg": "ok", "card": held("15 off 100")});
    desk.answer("/card/get", &answer.to_string());
    let shown = desk.json(&["get", CARD]);
    assert_eq!(shown["cash"]["base_info"]["future"]["a"], 1, "{shown}");
    assert_eq!(shown["cash"]["least_cost"], 10_000);
    let table = desk.table(&["get", CARD]);
    for words in [
        "15 off 100",
        "approved (CARD_STATUS_VERIFY_OK)",
        "4990 left of 5000",
        "for 30 days, 1 day after the claim",
        "the platform's",
    ] {
        assert!(table.contains(words), "{words}: {table}");
    }
    assert_eq!(desk.seen("/card/get")[0].json(), json!({"card_id": CARD}));
}

#[test]
fn all_pages_of_cards_are_listed() {
    let desk = Desk::start();
    let list = "/card/batchget";
    desk.direct(list, |seen| {
        let offset = seen.json()["offset"].as_u64().unwrap();
        let ids: Vec<String> = (offset..120.min(offset + 50)).map(|at| format!("p{at}")).collect();
        (200, json!({"errcode": 0, "card_id_list": ids, "total_num": 120}).to_string().into_bytes())
    });
    let ran = desk.run(&["list", "--output", "json", "--status", "CARD_STATUS_VERIFY_OK"]);
    assert_eq!((ran.code, ran.stdout.lines().count()), (Some(0), 120), "{ran:?}");
    assert!(ran.stdout.starts_with("{\"card_id\":\"p0\"}\n"), "{ran:?}");
    assert_eq!(desk.seen(list).len(), 3);
    assert_eq!(desk.seen(list)[0].json()["status_list"], json!(["CARD_STATUS_VERIFY_OK"]));

    desk.answer(list, &json!({"errcode": 0, "card_id_list": [CARD], "total_num": 1}).to_string());
    desk.answer("/card/get", &json!({"errcode": 0, "card": held("A title")}).to_string());
    let table = desk.table(&["list", "--details"]);
    assert!(table.contains("A title") && table.contains("4990 left of 5000"), "{table}");
    desk.answer(list, &json!({"errcode": 0, "card_id_list": [], "total_num": 0}).to_string());
    assert_eq!(desk.table(&["list"]), "no cards\n");
    desk.table(&["list", "--status", "verify_ok"]);
    assert_eq!(desk.seen(list).last().unwrap().json()["status_list"], json!(["CARD_STATUS_VERIFY_OK"]));
    let ran = desk.run(&["list", "--status", "GOOD"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("CARD_STATUS_VERIFY_OK"), "{ran:?}");
}

#[test]
fn a_card_is_changed_restocked_and_deleted() {
    let desk = Desk::start();
    desk.answer("/card/update", r#"{"errcode":0,"errmsg":"ok","send_check":true}"#);
    desk.file("changes.toml", "[cash.base_info]\ntitle = 'Other'\n");
    let table = desk.table(&["update", CARD, "changes.toml"]);
    assert!(table.contains("back to review"), "{table}");
    assert_eq!(
        desk.body("/card/update"),
        json!({"card_id": CARD, "cash": {"base_info": {"title": "Other"}}})
    );
    // The file that made the card may be edited, and says its type.
    desk.file("whole.toml", "card_type = 'CASH'\n[cash.base_info]\ntitle = 'Other'\n");
    desk.table(&["update", CARD, "whole.toml"]);
    assert_eq!(desk.seen("/card/update")[1].json(), desk.seen("/card/update")[0].json());
    desk.file("empty.toml", "");
    let ran = desk.run(&["update", CARD, "empty.toml"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("[cash.base_info]"), "{ran:?}");
    let stock = "/card/modifystock";
    desk.answer(stock, OK);
    assert_eq!(
        desk.json(&["stock", CARD, "--increase", "500"]),
        json!({"card_id": CARD, "increased": 500, "reduced": null})
    );
    assert!(desk.table(&["stock", CARD, "--reduce", "3"]).contains("3 fewer of"));
    let bodies: Vec<_> = desk.seen(stock).iter().map(|seen| seen.json()).collect();
    assert_eq!(
        bodies,
        [
            json!({"card_id": CARD, "increase_stock_value": 500}),
            json!({"card_id": CARD, "reduce_stock_value": 3})
        ]
    );
    for arguments in [&["stock", CARD][..], &["stock", CARD, "--increase", "1", "--reduce", "1"]] {
        assert_eq!(desk.run(arguments).code, Some(2), "{arguments:?}");
    }
    desk.answer("/card/delete", OK);
    assert_eq!(desk.json(&["delete", CARD]), json!({"card_id": CARD, "deleted": true}));
    desk.direct("/card/delete", |seen| refusal(40073, seen));
    assert_eq!(desk.run(&["delete", CARD]).code, Some(1));
}
