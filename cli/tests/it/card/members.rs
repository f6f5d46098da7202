//! Member cards.

use serde_json::json;

use super::desk::{CARD, CODE, Desk, OK, OPENID};

#[test]
fn a_member_card_is_activated() {
    let desk = Desk::start();
    let path = "/card/membercard/activate";
    desk.answer(path, OK);
    let arguments = ["member", "activate", CODE, "--bonus", "100", "--balance", "50yuan", "--field1", "Gold"];
    assert_eq!(desk.json(&arguments), json!({"activated": true}));
    assert_eq!(
        desk.body(path),
        json!({
            "membership_number": CODE, "code": CODE, "init_bonus": 100, "init_balance": 5000,
            "init_custom_field_value1": "Gold",
        })
    );
    let ran = desk.run(&["member", "activate", CODE, "--field1", "金金金金金"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("12 bytes"), "{ran:?}");
    let ran = desk.run(&["member", "activate", CODE, "--balance", "50"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("say the unit"), "{ran:?}");
}

#[test]
fn a_member_is_shown_with_what_the_form_says() {
    let desk = Desk::start();
    let path = "/card/membercard/userinfo/get";
    let member = json!({
        "errcode": 0, "openid": OPENID, "nickname": "Xiaoming", "membership_number": CODE, "bonus": 120,
        "balance": "5000", "sex": "MALE", "user_card_status": "NORMAL", "has_active": true,
        "user_info": {
            "common_field_list": [{"name": "USER_FORM_INFO_FLAG_MOBILE", "value": "15500000000"}],
            "custom_field_list": [{"name": "Tea", "value": "", "value_list": ["green", "black"]}],
        },
    });
    desk.answer(path, &member.to_string());
    let table = desk.table(&["member", "info", CARD, CODE]);
    for words in ["Xiaoming", "120", "usable", "MOBILE", "15500000000", "green, black"] {
        assert!(table.contains(words), "{words}: {table}");
    }
    assert_eq!(desk.body(path), json!({"card_id": CARD, "code": CODE}));
    assert_eq!(
        desk.json(&["member", "info", CARD, CODE])["user_info"]["common_field_list"][0]["value"],
        "15500000000"
    );
}

#[test]
fn what_a_member_has_is_changed() {
    let desk = Desk::start();
    let path = "/card/membercard/updateuser";
    let answer = json!({"errcode": 0, "result_bonus": 100, "result_balance": 4500, "openid": OPENID});
    desk.answer(path, &answer.to_string());
    let alone = desk.run(&["member", "update", CARD, CODE, "--add-bonus", "-20", "--add-balance=-5yuan"]);
    assert_eq!(alone.code, Some(0), "{alone:?}");
    assert!(alone.stderr.contains("a repeat makes this change again"), "{alone:?}");
    assert!(alone.stdout.contains("100") && alone.stdout.contains("45"), "{alone:?}");
    let both = [
        "member",
        "update",
        CARD,
        CODE,
        "--bonus",
        "100",
        "--add-bonus",
        "-20",
        "--bonus-text",
        "tea",
        "--silent",
    ];
    let ran = desk.run(&both);
    assert!(ran.code == Some(0) && !ran.stderr.contains("repeat"), "{ran:?}");
    let sent: Vec<_> = desk.seen(path).iter().map(|seen| seen.json()).collect();
    assert_eq!(sent[0], json!({"card_id": CARD, "code": CODE, "add_bonus": -20, "add_balance": -500}));
    assert_eq!(
        sent[1],
        json!({
            "card_id": CARD, "code": CODE, "bonus": 100, "add_bonus": -20, "record_bonus": "tea",
            "notify_optional": {"is_notify_bonus": false, "is_notify_balance": false},
        })
    );
    let ran = desk.run(&["member", "update", CARD, CODE]);
    assert!(ran.code == Some(2) && ran.stderr.contains("required"), "{ran:?}");
}
