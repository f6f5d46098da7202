//! What is printed on a member card or a general card: points, balance, fields.

use serde_json::{Value, json};

use super::ask::{Ask, Failed, Told, ensure, told};
use super::base_info::LAST_SECOND;
use super::body::number_of;
use super::event::{self, Field};
use super::templates::own_flag;
use crate::ledger::card::cards::Card;
use crate::ledger::card::codes::{self, Code};
use crate::rules::Rule;
use crate::rules::card::{BALANCE, BONUS, TIME};

/// What a new copy of a card shows.
pub(super) fn begin(card: &Card, code: &mut Code) {
    let number = |key: &str| card.body.get(key).and_then(number_of).unwrap_or(0);
    let automatic = own_flag(card, "auto_activate");
    match card.card_type.as_str() {
        "MEMBER_CARD" => {
            let on_joining =
                card.body.get("bonus_rule").and_then(|rule| number_of(&rule["init_increase_bonus"]));
            let bonus = on_joining.filter(|_| automatic).unwrap_or(0);
            code.face.insert("bonus".to_owned(), bonus.into());
            code.face.insert("balance".to_owned(), 0.into());
        }
        "GENERAL_CARD" => {
            code.face.insert("bonus".to_owned(), number("init_bonus").into());
            code.face.insert("balance".to_owned(), number("init_balance").into());
        }
        _ => return,
    }
    code.active = automatic;
}

/// A number on the face.
pub(super) fn number(code: &Code, key: &str) -> i64 {
    code.face.get(key).and_then(Value::as_i64).unwrap_or(0)
}

/// Texts of an update and their bytes.
const TEXTS: [(&str, usize); 5] = [
    ("custom_field_value1", 12),
    ("custom_field_value2", 12),
    ("custom_field_value3", 12),
    ("background_pic_url", 128),
    ("membership_number", 20),
];

/// Changes points, balance and fields. Both an absolute value and a change given, the absolute one counts.
pub(super) fn update(ask: &Ask<'_>, card: &Card, mut code: Code, deltas: bool) -> Told {
    for key in ["record_bonus", "record_balance"] {
        ask.body.text(key, 42)?;
    }
    if let Some(notify) = ask.body.object("notify_optional")? {
        for key in notify.0.keys() {
            notify.flag(key)?;
        }
    }
    for (key, most) in TEXTS {
        if let Some(text) = ask.body.text(key, most)? {
            code.face.insert(key.to_owned(), text.into());
        }
    }
    let mut new = |key: &str, delta: &str, rule: &'static Rule| -> Result<i64, Failed> {
        let held = number(&code, key);
        let change = if deltas { ask.body.number(delta)? } else { None };
        let next = match (ask.body.number(key)?, change) {
            (Some(next), _) => Some(next),
            (None, Some(change)) => held.checked_add(change),
            (None, None) => Some(held),
        };
        let next = next.filter(|next| *next >= 0).ok_or(rule)?;
        code.face.insert(key.to_owned(), next.into());
        next.checked_sub(held).ok_or_else(|| rule.into())
    };
    let more_bonus = new("bonus", "add_bonus", &BONUS)?;
    let more_balance = new("balance", "add_balance", &BALANCE)?;
    codes::save(ask.db, &code)?;
    if more_bonus != 0 || more_balance != 0 {
        let fields = [
            ("CardId", Field::Text(&card.card_id)),
            ("UserCardCode", Field::Text(&code.code)),
            ("ModifyBonus", Field::Number(more_bonus)),
            ("ModifyBalance", Field::Number(more_balance)),
        ];
        event::raise(ask.db, ask.appid, &code.openid, "update_member_card", &fields, ask.now)?;
    }
    Ok(told! {
        "result_bonus": number(&code, "bonus"),
        "result_balance": number(&code, "balance"),
        "openid": code.openid,
    })
}

/// What activation prints on the card.
pub(super) fn activate(ask: &Ask<'_>, code: &mut Code) -> Result<(), Failed> {
    for (from, to, most) in [
        ("init_custom_field_value1", "custom_field_value1", 12),
        ("init_custom_field_value2", "custom_field_value2", 12),
        ("init_custom_field_value3", "custom_field_value3", 12),
        ("background_pic_url", "background_pic_url", 128),
        ("bonus_url", "bonus_url", 128),
        ("balance_url", "balance_url", 128),
    ] {
        if let Some(text) = ask.body.text(from, most)? {
            code.face.insert(to.to_owned(), text.into());
        }
    }
    ask.body.text("init_bonus_record", 32)?;
    for (from, to, rule) in [("init_bonus", "bonus", &BONUS), ("init_balance", "balance", &BALANCE)] {
        if let Some(number) = ask.body.number(from)? {
            ensure(number >= 0, rule)?;
            code.face.insert(to.to_owned(), json!(number));
        }
    }
    let second = |key: &str| -> Result<Option<i64>, Failed> {
        let given = ask.body.number(key)?;
        ensure(given.is_none_or(|second| (0..=LAST_SECOND).contains(&second)), &TIME)?;
        Ok(given)
    };
    code.begins = second("activate_begin_time")?.unwrap_or(code.begins);
    code.ends = second("activate_end_time")?.or(code.ends);
    ensure(code.ends.is_none_or(|ends| code.begins <= ends), &TIME)
}
