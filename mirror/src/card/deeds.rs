//! What users do with a card they have, and staff with a user's.

use rusqlite::Connection;
use serde_json::{Value, json};

use super::account;
use super::account::status;
use super::act::{CardAct, Deed, FormField};
use super::ask::{Ask, Failed, ensure};
use super::body::is_openid;
use super::codes::redeem;
use super::event::{self, Field};
use super::gifting::{accept, offer};
use super::holder::{Received, received};
use super::record::UserCard;
use super::templates::{flag, own_flag};
use crate::ledger::card::cards::Card;
use crate::ledger::card::codes::{self, Code, State};
use crate::ledger::card::happenings::{self, Happening};
use crate::ledger::card::things;
use crate::moment::Moment;
use crate::random;
use crate::rules::Refusal;
use crate::rules::card::{
    BAD_PARAMETER, CONSUME_SOURCE, FORM_INCOMPLETE, MEMBER_CARD, OPENID, UNSUPPORTED, USER_CARD_STATUS,
    WX_ACTIVATE,
};

/// Most that one payment may be, in fen; a day's sum stays far from the end of the numbers.
const MOST_PAID: i64 = 1_000_000_000_000;

/// Does it; answers the code as it is then.
pub(crate) fn act(ask: &Ask<'_>, deed: Deed, act: &CardAct) -> Result<UserCard, Failed> {
    let (card, mut code) = account::named(ask.db, ask.appid, &act.code, act.card_id.as_deref())?;
    let own = [("CardId", Field::Text(&card.card_id)), ("UserCardCode", Field::Text(&act.code))];
    match deed {
        Deed::Gift => offer(ask, &card, &mut code, act)?,
        Deed::Accept => {
            let friend = act.openid.as_deref().filter(|openid| is_openid(openid)).ok_or(&OPENID)?;
            return accept(ask, &card, code, friend);
        }
        Deed::Reopen => {
            ensure(code.state == State::GiftTimeout, &USER_CARD_STATUS)?;
            code.state = State::Normal;
        }
        Deed::Remove => {
            let may = matches!(code.state, State::Normal | State::Consumed);
            ensure(may, &USER_CARD_STATUS)?;
            code.state = State::Delete;
            event::raise(ask.db, ask.appid, &code.openid, "user_del_card", &own, ask.now)?;
        }
        Deed::Restore => {
            ensure(card.card_type == "MEMBER_CARD", &MEMBER_CARD)?;
            ensure(code.state == State::Delete, &USER_CARD_STATUS)?;
            code.state = State::Normal;
            received(ask, &card, &code, &Received { restored: true, ..Received::default() })?;
        }
        Deed::Redeem => {
            let source = act.source.as_deref().unwrap_or("FROM_MP");
            ensure(matches!(source, "FROM_MP" | "FROM_MOBILE_HELPER"), &CONSUME_SOURCE)?;
            let text = |given: &'_ Option<String>| given.clone().unwrap_or_default();
            let (place, staff) = (text(&act.location_name), text(&act.staff_openid));
            let (verify, remark) = (text(&act.verify_code), text(&act.remark_amount));
            let more = [
                ("LocationName", Field::Text(&place)),
                ("StaffOpenId", Field::Text(&staff)),
                ("VerifyCode", Field::Text(&verify)),
                ("RemarkAmount", Field::Text(&remark)),
            ];
            redeem(ask, &card, code, source, &more)?;
            let (card, code) = account::named(ask.db, ask.appid, &act.code, act.card_id.as_deref())?;
            return Ok(UserCard::new(&card, &code, ask.now));
        }
        Deed::View => {
            happenings::insert(ask.db, card.id, Happening::View, &code.openid, ask.now)?;
            if flag(&card, "need_push_on_view") {
                let outer = code.outer_str.clone();
                let fields = [own[0], own[1], ("OuterStr", Field::Text(&outer))];
                event::raise(ask.db, ask.appid, &code.openid, "user_view_card", &fields, ask.now)?;
            }
        }
        Deed::EnterSession => {
            event::raise(ask.db, ask.appid, &code.openid, "user_enter_session_from_card", &own, ask.now)?;
        }
        Deed::SubmitForm => return submit_form(ask, &card, code, act),
        Deed::Pay => pay(ask, &card, &code, act)?,
    }
    codes::save(ask.db, &code)?;
    Ok(UserCard::new(&card, &code, ask.now))
}

/// A code was redeemed.
pub(super) fn verified(db: &Connection, card: &Card, code: &Code, now: Moment) -> rusqlite::Result<()> {
    happenings::insert(db, card.id, Happening::Verify, &code.openid, now)
}

/// A card becomes active, if it was not.
pub(super) fn activated(db: &Connection, card: &Card, code: &mut Code, now: Moment) -> rusqlite::Result<()> {
    if code.active {
        return Ok(());
    }
    code.active = true;
    happenings::insert(db, card.id, Happening::Active, &code.openid, now)
}

/// The user fills WeChat's own form. The card is active at once, or the page that is redirected to gets a ticket.
fn submit_form(ask: &Ask<'_>, card: &Card, mut code: Code, act: &CardAct) -> Result<UserCard, Failed> {
    ensure(card.card_type == "MEMBER_CARD", &MEMBER_CARD)?;
    ensure(own_flag(card, "wx_activate"), &WX_ACTIVATE)?;
    ensure(status(&code, ask.now) == "NORMAL", &USER_CARD_STATUS)?;
    check_filled(card, act)?;
    let info = json!({
        "common_field_list": act.common_field_list,
        "custom_field_list": act.custom_field_list,
    });
    code.face.insert("user_info".to_owned(), info.clone());
    let mut ticket = None;
    if own_flag(card, "wx_activate_after_submit") {
        let id = things::next(ask.db, ask.appid, "activate_ticket")?;
        let name = random::alphanumeric(43);
        things::insert(ask.db, ask.appid, "activate_ticket", (id, &name), &info, ask.now)?;
        ticket = Some(name);
    } else {
        activated(ask.db, card, &mut code, ask.now)?;
    }
    codes::save(ask.db, &code)?;
    let fields = [("CardId", Field::Text(&card.card_id)), ("UserCardCode", Field::Text(&code.code))];
    event::raise(ask.db, ask.appid, &code.openid, "submit_membercard_user_info", &fields, ask.now)?;
    Ok(UserCard { activate_ticket: ticket, ..UserCard::new(card, &code, ask.now) })
}

/// All that the form requires is there.
fn check_filled(card: &Card, act: &CardAct) -> Result<(), Failed> {
    let Some(required) = card.settings.get("form").map(|form| &form["required_form"]) else { return Ok(()) };
    let texts = |key: &str| required[key].as_array().into_iter().flatten().filter_map(Value::as_str);
    let has =
        |given: &[FormField], name: &str| given.iter().any(|field| field.name == name && field.is_filled());
    let rich = required["rich_field_list"].as_array().into_iter().flatten();
    let own = texts("custom_field_list").chain(rich.filter_map(|field| field["name"].as_str()));
    let missing = texts("common_field_id_list")
        .find(|name| !has(&act.common_field_list, name))
        .or_else(|| own.into_iter().find(|name| !has(&act.custom_field_list, name)));
    match missing {
        None => Ok(()),
        Some(name) => Err(Refusal::from(&FORM_INCOMPLETE)
            .with_message(format!("{}: {name}", FORM_INCOMPLETE.message))
            .into()),
    }
}

/// The user pays from the card.
fn pay(ask: &Ask<'_>, card: &Card, code: &Code, act: &CardAct) -> Result<(), Failed> {
    ensure(super::update::is_open(&card.settings, "pay_cell"), &UNSUPPORTED)?;
    ensure(status(code, ask.now) == "NORMAL", &USER_CARD_STATUS)?;
    let fee = act.fee.filter(|fee| *fee >= 0).ok_or(&BAD_PARAMETER)?;
    let due = act.original_fee.unwrap_or(fee);
    ensure((fee..=MOST_PAID).contains(&due), &BAD_PARAMETER)?;
    happenings::insert(ask.db, card.id, Happening::Pay(fee, due), &code.openid, ask.now)?;
    let (fee, due) = (fee.to_string(), due.to_string());
    let trans = act.trans_id.clone().unwrap_or_else(|| format!("1000{}", random::hex::<12>()));
    let fields = [
        ("CardId", Field::Text(&card.card_id)),
        ("UserCardCode", Field::Text(&code.code)),
        ("TransId", Field::Text(&trans)),
        ("LocationId", Field::Number(act.location_id.unwrap_or(0))),
        ("Fee", Field::Text(&fee)),
        ("OriginalFee", Field::Text(&due)),
    ];
    event::raise(ask.db, ask.appid, &code.openid, "user_pay_from_pay_cell", &fields, ask.now)?;
    Ok(())
}
