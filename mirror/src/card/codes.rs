//! Codes: deposit, look, redeem, replace, invalidate.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::account::{can_consume, is_over, is_verified, status};
use super::ask::{Ask, Failed, Told, ensure, told};
use super::base_info::{LAST_SECOND, date_type};
use super::body::{Body, CODE_BYTES, number_of};
use super::deeds::verified;
use super::event::{self, Field};
use super::face;
use super::marks;
use super::templates::is_deposited;
use crate::ledger::card::cards::{self, Card};
use crate::ledger::card::codes::{self, Code, State};
use crate::ledger::card::happenings::{self, Happening};
use crate::moment::Moment;
use crate::rules::card::{
    BIND_OPENID, CARD_STATUS, CODE, CONSUMED, EMPTY_CODE, ENCRYPT_CODE, NO_CODE, NO_OPENID, SAME_CODE, TIME,
    TOO_MANY_CODES, UNSUPPORTED, USE_LIMIT, USER_CARD_STATUS,
};

/// Most codes in one call.
const BATCH: usize = 100;
/// Longest code that takes another's place, in bytes.
const NEW_CODE_BYTES: usize = 64;
/// Uses of a card by one user where the card says nothing.
const USUAL_USE_LIMIT: i64 = 50;

/// The codes of a batch, and their card.
fn batch<'a>(ask: &Ask<'a>) -> Result<(Card, Vec<&'a str>), Failed> {
    let card = ask.card()?;
    let codes = ask.body.texts("code")?.ok_or(&NO_CODE)?;
    ensure(!codes.is_empty(), &EMPTY_CODE)?;
    ensure(codes.len() <= BATCH, &TOO_MANY_CODES)?;
    ensure(codes.iter().all(|code| !code.is_empty()), &EMPTY_CODE)?;
    ensure(codes.iter().all(|code| code.len() <= CODE_BYTES), &CODE)?;
    Ok((card, codes))
}

/// `POST /card/code/deposit`
pub(super) fn deposit(ask: &Ask<'_>) -> Told {
    let (card, codes) = batch(ask)?;
    ensure(is_deposited(&card), &BIND_OPENID)?;
    ensure(is_verified(&card), &CARD_STATUS)?;
    let distinct: HashSet<_> = codes.iter().collect();
    ensure(distinct.len() == codes.len(), &SAME_CODE)?;
    let (mut kept, mut known) = (Vec::new(), Vec::new());
    for code in codes {
        if codes::in_card(ask.db, card.id, code)?.is_some() {
            known.push(code);
        } else {
            codes::save(ask.db, &new_code(codes::next(ask.db)?, card.id, code, true))?;
            kept.push(code);
        }
    }
    Ok(told! {"succ_code": kept, "duplicate_code": known, "fail_code": Vec::<&str>::new()})
}

/// A code that nobody has.
pub(super) fn new_code(id: i64, card: i64, code: &str, own: bool) -> Code {
    Code {
        id,
        card,
        code: code.to_owned(),
        own,
        state: State::Deposited,
        openid: String::new(),
        begins: 0,
        ends: None,
        encrypted: None,
        outer_str: String::new(),
        outer_id: 0,
        claimed: None,
        gift_due: None,
        active: false,
        face: Map::new(),
    }
}

/// `POST /card/code/getdepositcount`
pub(super) fn deposit_count(ask: &Ask<'_>) -> Told {
    let card = ask.card()?;
    let count = if is_deposited(&card) { codes::deposited(ask.db, card.id)? } else { 0 };
    Ok(told! {"count": count})
}

/// `POST /card/code/checkcode`
pub(super) fn check(ask: &Ask<'_>) -> Told {
    let (card, wanted) = batch(ask)?;
    let (mut there, mut missing) = (Vec::new(), Vec::new());
    for code in wanted {
        let found = codes::in_card(ask.db, card.id, code)?;
        if found.is_some() { there.push(code) } else { missing.push(code) }
    }
    Ok(told! {"exist_code": there, "not_exist_code": missing})
}

/// `POST /card/code/get`
pub(super) fn get(ask: &Ask<'_>) -> Told {
    let (card, code) = ask.code()?;
    let status = status(&code, ask.now);
    // The vendor's own default is not known; without the field nothing is refused.
    if ask.body.flag("check_consume")?.unwrap_or(false) {
        ensure(status != "CONSUMED", &CONSUMED)?;
        ensure(status == "NORMAL", &USER_CARD_STATUS)?;
    }
    let mut about = Map::new();
    about.insert("card_id".to_owned(), card.card_id.clone().into());
    about.insert("begin_time".to_owned(), code.begins.into());
    about.insert("end_time".to_owned(), code.ends.unwrap_or(i64::from(i32::MAX)).into());
    about.insert("code".to_owned(), code.code.clone().into());
    for key in ["card_number", "bonus", "balance"] {
        if let Some(value) = code.face.get(key).filter(|_| card.card_type == "GENERAL_CARD") {
            about.insert(key.to_owned(), value.clone());
        }
    }
    let mut answer = told! {
        "card": about,
        "openid": code.openid,
        "can_consume": can_consume(&code, ask.now),
        "user_card_status": status,
        "outer_str": code.outer_str,
    };
    for key in ["membership_number", "bonus", "balance", "user_info", "background_pic_url", "order_id"] {
        if let Some(value) = code.face.get(key) {
            answer.insert(key.to_owned(), value.clone());
        }
    }
    Ok(answer)
}

/// `POST /card/code/consume`
pub(super) fn consume(ask: &Ask<'_>) -> Told {
    let (card, code) = ask.code()?;
    let (card_id, openid) = (card.card_id.clone(), code.openid.clone());
    redeem(ask, &card, code, "FROM_API", &[])?;
    Ok(told! {"card": json!({ "card_id": card_id }), "openid": openid})
}

/// Redeems a code, from whatever source.
pub(super) fn redeem(
    ask: &Ask<'_>,
    card: &Card,
    mut code: Code,
    source: &str,
    more: &[(&str, Field<'_>)],
) -> Result<(), Failed> {
    ensure(!matches!(card.card_type.as_str(), "MEMBER_CARD" | "GENERAL_CARD"), &UNSUPPORTED)?;
    usable(&code, ask.now)?;
    ensure(ask.now.seconds() >= code.begins, &TIME)?;
    marks::check(ask, &code, &code.openid)?;
    let limit = number_of(&card.body["base_info"]["use_limit"]).unwrap_or(USUAL_USE_LIMIT);
    let used = happenings::times(ask.db, card.id, &code.openid, Happening::Verify)?;
    ensure(limit == 0 || used < limit, &USE_LIMIT)?;
    code.state = State::Consumed;
    codes::save(ask.db, &code)?;
    verified(ask.db, card, &code, ask.now)?;
    let outer = code.outer_str.clone();
    let mut fields = vec![
        ("CardId", Field::Text(&card.card_id)),
        ("UserCardCode", Field::Text(&code.code)),
        ("ConsumeSource", Field::Text(source)),
    ];
    for key in ["LocationName", "StaffOpenId", "VerifyCode", "RemarkAmount"] {
        let given = more.iter().find(|(name, _)| *name == key).map_or(Field::Text(""), |(_, field)| *field);
        fields.push((key, given));
    }
    fields.push(("OuterStr", Field::Text(&outer)));
    event::raise(ask.db, ask.appid, &code.openid, "user_consume_card", &fields, ask.now)?;
    Ok(())
}

/// Neither consumed, nor on its way to a friend, nor over.
pub(super) fn usable(code: &Code, now: Moment) -> Result<(), Failed> {
    ensure(code.state != State::Consumed, &CONSUMED)?;
    ensure(code.state == State::Normal && !is_over(code, now), &USER_CARD_STATUS)
}

/// `POST /card/code/decrypt`
pub(super) fn decrypt(ask: &Ask<'_>) -> Told {
    let encrypted = ask.body.needed("encrypt_code", 128, &ENCRYPT_CODE)?;
    let code = codes::by_encrypted(ask.db, ask.appid, encrypted)?.ok_or(&ENCRYPT_CODE)?;
    Ok(told! {"code": code.code})
}

/// `POST /card/code/update`
pub(super) fn update(ask: &Ask<'_>) -> Told {
    let (card, mut code) = ask.code()?;
    let new = ask.body.needed("new_code", usize::MAX, &NO_CODE)?;
    ensure(new.len() <= NEW_CODE_BYTES, &CODE)?;
    ensure(code.own, &UNSUPPORTED)?;
    usable(&code, ask.now)?;
    ensure(codes::in_card(ask.db, card.id, new)?.is_none(), &SAME_CODE)?;
    new.clone_into(&mut code.code);
    codes::save(ask.db, &code)?;
    Ok(told! {})
}

/// `POST /card/code/unavailable`
pub(super) fn unavailable(ask: &Ask<'_>) -> Told {
    let (_, mut code) = ask.code()?;
    ask.body.text("reason", 3_072)?;
    ensure(code.state != State::Consumed, &CONSUMED)?;
    let open = matches!(code.state, State::Normal | State::Gifting | State::GiftTimeout);
    ensure(open && !is_over(&code, ask.now), &USER_CARD_STATUS)?;
    code.state = State::Unavailable;
    code.gift_due = None;
    codes::save(ask.db, &code)?;
    Ok(told! {})
}

/// `POST /card/user/getcardlist`
pub(super) fn of_user(ask: &Ask<'_>) -> Told {
    let openid = ask.body.openid(&NO_OPENID)?;
    let card_id = ask.body.optional_card_id()?;
    if let Some(card_id) = card_id {
        ask.card_named(card_id)?;
    }
    let held: Vec<Value> = codes::of_user(ask.db, ask.appid, openid)?
        .into_iter()
        .filter(|(code, of)| code.state != State::GiftSucc && card_id.is_none_or(|wanted| wanted == of))
        .map(|(code, of)| json!({ "code": code.code, "card_id": of }))
        .collect();
    Ok(told! {"card_list": held, "has_share_card": false})
}

/// A code that a user gets: as the server makes it, as the merchant named it, or from the pool.
pub(super) fn taken(ask: &Ask<'_>, card: &Card, named: Option<&str>) -> Result<Code, Failed> {
    use crate::rules::card::{SERIAL_CODE, STOCK};
    if is_deposited(card) {
        let free = codes::count(ask.db, card.id, State::Deposited)?;
        // Any of them, but the same one in each run.
        let place = if free > 0 { (card.total - card.quantity) * 7 % free } else { 0 };
        return Ok(codes::pooled(ask.db, card.id, place.max(0))?.ok_or(&STOCK)?);
    }
    let id = codes::next(ask.db)?;
    if super::templates::is_custom(card) {
        let named = named.ok_or(&SERIAL_CODE)?;
        ensure((1..=CODE_BYTES).contains(&named.len()), &CODE)?;
        ensure(codes::in_card(ask.db, card.id, named)?.is_none(), &SAME_CODE)?;
        return Ok(new_code(id, card.id, named, true));
    }
    let seed = crate::ledger::first_ids::seed(ask.db)?.unwrap_or(0);
    let mut number = id;
    loop {
        let digits = crate::ids::digits("code", seed, number, 12);
        if !codes::exists(ask.db, &digits)? {
            return Ok(new_code(id, card.id, &digits, false));
        }
        number += 1_000_000_000;
    }
}

/// What a code gets when somebody takes it: validity, and what is printed on it.
pub(super) fn begin(card: &Card, code: &mut Code, now: Moment) -> Result<(), Failed> {
    let date = card.body["base_info"]["date_info"].as_object().cloned().unwrap_or_default();
    let date = Body(&date);
    let second = |key: &str| date.number(key).ok().flatten();
    match date_type(date) {
        Some("DATE_TYPE_FIX_TIME_RANGE") => {
            code.begins = second("begin_timestamp").unwrap_or(0);
            code.ends = second("end_timestamp");
        }
        Some("DATE_TYPE_FIX_TERM") => {
            let waits = second("fixed_begin_term").unwrap_or(0);
            let term = second("fixed_term").unwrap_or(0);
            // Days are those of the calendar in Beijing; the day of the claim counts as the first.
            let today = now.next_beijing_midnight().plus_days(-1);
            code.begins = if waits == 0 { now.seconds() } else { today.plus_days(waits).seconds() };
            let end = today.plus_days(waits + term.max(1)).seconds() - 1;
            code.ends = Some(second("end_timestamp").map_or(end, |last| last.min(end)));
        }
        _ => {
            code.begins = now.seconds();
            code.ends = None;
        }
    }
    face::begin(card, code);
    ensure(code.ends.is_none_or(|ends| code.begins <= ends), &TIME)
}

/// The term began in the merchant's own system. It goes on no longer than the card does.
pub(super) fn begin_at(card: &Card, code: &mut Code, begins: i64) -> Result<(), Failed> {
    let Value::Object(date) = &card.body["base_info"]["date_info"] else { return Ok(()) };
    let date = Body(date);
    if date_type(date) != Some("DATE_TYPE_FIX_TERM") {
        return Ok(());
    }
    ensure((0..=LAST_SECOND).contains(&begins), &TIME)?;
    let shift = begins - code.begins;
    let last = date.number("end_timestamp")?.unwrap_or(i64::MAX);
    code.begins = begins;
    code.ends = code.ends.map(|ends| ends.saturating_add(shift).min(last));
    ensure(code.ends.is_none_or(|ends| begins <= ends), &TIME)
}

/// Keeps a card's stock after a claim.
pub(super) fn less_stock(ask: &Ask<'_>, card: &mut Card) -> Result<(), Failed> {
    let before = card.quantity;
    card.quantity -= 1;
    cards::save(ask.db, card)?;
    remind(ask, card, before)
}

/// Tells that the stock of a card that began with more than 200 has come down to 100, or to none.
pub(super) fn remind(ask: &Ask<'_>, card: &Card, before: i64) -> Result<(), Failed> {
    let first = number_of(&card.body["base_info"]["sku"]["quantity"]).unwrap_or(0).max(card.total);
    let falls_to = |mark: i64| before > mark && card.quantity <= mark;
    if first > 200 && (falls_to(100) || falls_to(0)) {
        let detail = format!("the card has {} left", card.quantity);
        let fields = [("CardId", Field::Text(&card.card_id)), ("Detail", Field::Text(&detail))];
        event::raise(ask.db, ask.appid, "", "card_sku_remind", &fields, ask.now)?;
    }
    Ok(())
}
