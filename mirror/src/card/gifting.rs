//! A card goes from one user to another.

use rusqlite::Connection;
use serde_json::Value;

use super::account::is_over;
use super::act::CardAct;
use super::ask::{Ask, Failed, ensure};
use super::body::flag_of;
use super::codes::taken;
use super::event::{self, Field};
use super::holder::{Received, hand_over, received};
use super::record::UserCard;
use crate::ledger::card::cards::Card;
use crate::ledger::card::codes::{self, Code, State};
use crate::ledger::card::gift_orders;
use crate::ledger::card::happenings::{self, Happening};
use crate::moment::Moment;
use crate::rules::card::{OWN_GIFT, UNSUPPORTED, USER_CARD_STATUS};

/// How long a gift waits for its taker.
const GIFT_DAYS: i64 = 1;

/// A user offers a card to a friend.
pub(super) fn offer(ask: &Ask<'_>, card: &Card, code: &mut Code, act: &CardAct) -> Result<(), Failed> {
    ensure(code.state == State::Normal && !is_over(code, ask.now), &USER_CARD_STATUS)?;
    ensure(flag_of(&card.body["base_info"]["can_give_friend"]) != Some(false), &UNSUPPORTED)?;
    check_givable(code)?;
    code.state = State::Gifting;
    code.gift_due = Some(ask.now.plus_days(GIFT_DAYS));
    happenings::insert(ask.db, card.id, Happening::Given, &code.openid, ask.now)?;
    let friend = act.openid.as_deref().unwrap_or_default();
    Ok(offered(ask.db, card, code, (false, friend, act.chat_room), ask.now)?)
}

/// The merchant has not taken the button of gifting from this copy.
pub(super) fn check_givable(code: &Code) -> Result<(), Failed> {
    ensure(code.face.get("can_give_friend") != Some(&Value::Bool(false)), &UNSUPPORTED)
}

fn offered(
    db: &Connection,
    card: &Card,
    code: &Code,
    (returned, friend, chat_room): (bool, &str, bool),
    now: Moment,
) -> rusqlite::Result<()> {
    let fields = [
        ("CardId", Field::Text(&card.card_id)),
        ("UserCardCode", Field::Text(&code.code)),
        ("IsReturnBack", Field::Number(i64::from(returned))),
        ("FriendUserName", Field::Text(friend)),
        ("IsChatRoom", Field::Number(i64::from(chat_room))),
    ];
    event::raise(db, &card.appid, &code.openid, "user_gifting_card", &fields, now)
}

/// A gift that nobody took comes back.
pub(super) fn came_back(db: &Connection, card: &Card, code: &Code, now: Moment) -> rusqlite::Result<()> {
    offered(db, card, code, (true, "", false), now)
}

/// A friend takes a gift. Server codes change; a merchant's own stay until it replaces them.
pub(super) fn accept(ask: &Ask<'_>, card: &Card, mut code: Code, friend: &str) -> Result<UserCard, Failed> {
    ensure(code.state == State::Gifting, &USER_CARD_STATUS)?;
    ensure(code.openid != friend, &OWN_GIFT)?;
    let (giver, old_code) = (code.openid.clone(), code.code.clone());
    let mut new = if code.own {
        code.clone()
    } else {
        let mut new = taken(ask, card, None)?;
        new.begins = code.begins;
        new.ends = code.ends;
        new.face = code.face.clone();
        new.active = code.active;
        new.outer_str = code.outer_str.clone();
        new.outer_id = code.outer_id;
        code.state = State::GiftSucc;
        code.gift_due = None;
        codes::save(ask.db, &code)?;
        new
    };
    hand_over(&mut new, friend);
    new.claimed = None;
    new.gift_due = None;
    codes::save(ask.db, &new)?;
    gift_orders::follow(ask.db, (code.id, new.id), friend)?;
    let told = Received { giver: &giver, old_code: &old_code, ..Received::default() };
    received(ask, card, &new, &told)?;
    Ok(UserCard::new(card, &new, ask.now))
}
