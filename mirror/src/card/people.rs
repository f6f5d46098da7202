//! What users do on their phones.

use rusqlite::Connection;
use serde_json::{Map, Value, json};

use super::account;
use super::account::{is_over, is_verified, status};
use super::act::{CardAct, ClaimCard, Deed};
use super::ask::{Ask, Failed, ensure};
use super::body::{Body, is_openid, number_of};
use super::codes::{begin, less_stock, redeem, taken};
use super::event::{self, Field};
use super::record::UserCard;
use super::templates::{flag, is_custom};
use crate::ledger::card::cards::{self, Card};
use crate::ledger::card::codes::{self, Code, State};
use crate::ledger::card::happenings::{self, Happening};
use crate::ledger::card::{gift_orders, qrcodes, things};
use crate::moment::Moment;
use crate::random;
use crate::rules::card::{
    ACTION_INFO, BAD_PARAMETER, CARD_EXT, CARD_ID, CARD_STATUS, GET_LIMIT, MEMBER_CARD, NO_CARD_ID, OPENID,
    SERIAL_CODE, STOCK, TESTERS_ONLY, TIME, UNSUPPORTED, USER_CARD_STATUS, WX_ACTIVATE,
};

/// Claims of a card by one user where the card says nothing.
const USUAL_GET_LIMIT: i64 = 50;
/// How long a gift waits for its taker.
const GIFT_DAYS: i64 = 1;

/// What a claim comes with.
#[derive(Default)]
struct Source {
    card_id: String,
    code: Option<String>,
    openid: Option<String>,
    outer_str: String,
    outer_id: i64,
    balance: Option<i64>,
    begins: Option<i64>,
}

fn text(object: &Map<String, Value>, key: &str) -> Option<String> {
    object.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn source(ask: &Ask<'_>, claim: &ClaimCard) -> Result<Source, Failed> {
    let from = |object: &Map<String, Value>, card_id: String| Source {
        card_id,
        code: text(object, "code"),
        openid: text(object, "openid"),
        outer_str: text(object, "outer_str").unwrap_or_default(),
        outer_id: object.get("outer_id").and_then(number_of).unwrap_or(0),
        balance: object.get("balance").and_then(number_of),
        begins: object.get("fixed_begintimestamp").and_then(number_of),
    };
    if let Some(ticket) = &claim.ticket {
        let scanned = qrcodes::find(ask.db, ticket)?.filter(|code| code.appid == ask.appid);
        let scanned = scanned.ok_or(&ACTION_INFO)?;
        ensure(ask.now < scanned.expires, &TIME)?;
        ensure(!(scanned.once && scanned.used), &STOCK)?;
        let objects = scanned.cards.iter().filter_map(Value::as_object);
        let wanted = |object: &&Map<String, Value>| {
            claim.card_id.as_ref().is_none_or(|id| text(object, "card_id").as_ref() == Some(id))
        };
        let object = objects.into_iter().find(wanted).ok_or(&CARD_ID)?;
        qrcodes::use_up(ask.db, ticket)?;
        return Ok(from(object, text(object, "card_id").unwrap_or_default()));
    }
    let card_id = claim.card_id.clone().ok_or(&NO_CARD_ID)?;
    match &claim.card_ext {
        Some(given) => {
            let object: Map<String, Value> = serde_json::from_str(given).map_err(|_| &CARD_EXT)?;
            check_ext(ask, &card_id, &object)?;
            Ok(from(&object, card_id))
        }
        None => Ok(Source { card_id, code: claim.code.clone(), ..Source::default() }),
    }
}

/// The phone's check of a page's signature: over the api_ticket, the card and what `cardExt` itself names.
fn check_ext(ask: &Ask<'_>, card_id: &str, ext: &Map<String, Value>) -> Result<(), Failed> {
    let held = crate::ledger::card::tokens::ticket(ask.db, ask.appid, "wx_card")?.ok_or(&CARD_EXT)?;
    ensure(ask.now < held.expires, &CARD_EXT)?;
    // A number in the place of the timestamp's text is refused, as on the phone.
    let timestamp = text(ext, "timestamp").ok_or(&CARD_EXT)?;
    let mut values = vec![held.ticket, card_id.to_owned(), timestamp];
    values.extend(["nonce_str", "code", "openid"].iter().filter_map(|key| text(ext, key)));
    values.extend(ext.get("balance").and_then(number_of).map(|fen| fen.to_string()));
    let given = text(ext, "signature").unwrap_or_default();
    ensure(super::cipher::sorted_sha1(&values) == given, &CARD_EXT)
}

/// A user takes a card.
pub(crate) fn claim(ask: &Ask<'_>, claim: &ClaimCard) -> Result<UserCard, Failed> {
    ensure(is_openid(&claim.openid), &OPENID)?;
    let source = source(ask, claim)?;
    let mut card = ask.card_named(&source.card_id)?;
    ensure(card.status != cards::DELETE, &CARD_STATUS)?;
    let tests = !is_verified(&card);
    ensure(!tests || qrcodes::is_tester(ask.db, ask.appid, &claim.openid)?, &TESTERS_ONLY)?;
    let bound = source.openid.as_deref();
    ensure(bound.is_none_or(|openid| openid == claim.openid), &OPENID)?;
    ensure(bound.is_some() || !flag(&card, "bind_openid"), &OPENID)?;
    let limit = card.body["base_info"]["get_limit"].as_i64().unwrap_or(USUAL_GET_LIMIT);
    let had = codes::claimed_by(ask.db, card.id, &claim.openid)?;
    ensure(limit == 0 || had < limit, &GET_LIMIT)?;
    ensure(card.quantity > 0, &STOCK)?;
    ensure(source.code.is_none() || is_custom(&card), &SERIAL_CODE)?;
    let mut code = taken(ask, &card, source.code.as_deref())?;
    hand_over(&mut code, &claim.openid);
    begin(&card, &mut code, ask.now);
    if let Some(begins) = source.begins.filter(|_| code.ends.is_some()) {
        // The term began in the merchant's own system.
        let shift = begins - code.begins;
        code.begins = begins;
        code.ends = code.ends.map(|ends| ends.saturating_add(shift));
    }
    ensure(!is_over(&code, ask.now), &TIME)?;
    if let Some(balance) = source.balance {
        code.face.insert("balance".to_owned(), balance.into());
    }
    code.claimed = Some(ask.now);
    code.outer_str = claim.outer_str.clone().unwrap_or(source.outer_str);
    code.outer_id = source.outer_id;
    codes::save(ask.db, &code)?;
    happenings::insert(ask.db, card.id, Happening::Receive, &claim.openid, ask.now)?;
    if code.active {
        happenings::insert(ask.db, card.id, Happening::Active, &claim.openid, ask.now)?;
    }
    let told = Received {
        union_id: claim.union_id.as_deref(),
        recommended: claim.recommended,
        ..Received::default()
    };
    received(ask, &card, &code, &told)?;
    less_stock(ask, &mut card)?;
    Ok(UserCard::new(&card, &code, ask.now))
}

/// A code is in this user's hands from now on, under a new encrypted form.
pub(super) fn hand_over(code: &mut Code, openid: &str) {
    use base64::Engine as _;
    code.state = State::Normal;
    openid.clone_into(&mut code.openid);
    let secret = random::alphanumeric(60);
    code.encrypted = Some(base64::engine::general_purpose::STANDARD.encode(format!("{secret}\u{fb}\u{ff}")));
}

/// What the event of a new holder says.
#[derive(Default)]
pub(super) struct Received<'a> {
    giver: &'a str,
    old_code: &'a str,
    restored: bool,
    recommended: bool,
    union_id: Option<&'a str>,
}

pub(super) fn received(ask: &Ask<'_>, card: &Card, code: &Code, told: &Received<'_>) -> Result<(), Failed> {
    let mut fields = vec![
        ("CardId", Field::Text(&card.card_id)),
        ("IsGiveByFriend", Field::Number(i64::from(!told.giver.is_empty()))),
        ("UserCardCode", Field::Text(&code.code)),
        ("FriendUserName", Field::Text(told.giver)),
        ("OuterId", Field::Number(code.outer_id)),
        ("OldUserCardCode", Field::Text(told.old_code)),
        ("OuterStr", Field::Text(&code.outer_str)),
        ("IsRestoreMemberCard", Field::Number(i64::from(told.restored))),
        ("IsRecommendByFriend", Field::Number(i64::from(told.recommended))),
    ];
    fields.extend(told.union_id.map(|id| ("UnionId", Field::Text(id))));
    event::raise(ask.db, ask.appid, &code.openid, "user_get_card", &fields, ask.now)?;
    Ok(())
}

/// Does it; answers the code as it is then.
pub(crate) fn act(ask: &Ask<'_>, deed: Deed, act: &CardAct) -> Result<UserCard, Failed> {
    let (card, mut code) = account::named(ask.db, ask.appid, &act.code, act.card_id.as_deref())?;
    let own = [("CardId", Field::Text(&card.card_id)), ("UserCardCode", Field::Text(&act.code))];
    match deed {
        Deed::Gift => {
            ensure(code.state == State::Normal && !is_over(&code, ask.now), &USER_CARD_STATUS)?;
            let may = &card.body["base_info"]["can_give_friend"];
            ensure(*may != false && *may != 0, &UNSUPPORTED)?;
            check_givable(&code)?;
            code.state = State::Gifting;
            code.gift_due = Some(ask.now.plus_days(GIFT_DAYS));
            happenings::insert(ask.db, card.id, Happening::Given, &code.openid, ask.now)?;
            let friend = act.openid.as_deref().unwrap_or_default();
            offered(ask.db, &card, &code, (false, friend, act.chat_room), ask.now)?;
        }
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
            ensure(matches!(source, "FROM_MP" | "FROM_MOBILE_HELPER"), &BAD_PARAMETER)?;
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

/// A gift goes out or comes back.
pub(super) fn gift_event(
    db: &Connection,
    card: &Card,
    code: &Code,
    returned: bool,
    friend: &str,
    now: Moment,
) -> rusqlite::Result<()> {
    offered(db, card, code, (returned, friend, false), now)
}

/// A friend takes a gift. Server codes change; a merchant's own stay until it replaces them.
pub(super) fn accept(ask: &Ask<'_>, card: &Card, mut code: Code, friend: &str) -> Result<UserCard, Failed> {
    ensure(code.state == State::Gifting, &USER_CARD_STATUS)?;
    ensure(code.openid != friend, &OPENID)?;
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
    let yes = |key: &str| card.body.get(key).and_then(Value::as_bool) == Some(true);
    ensure(card.card_type == "MEMBER_CARD", &MEMBER_CARD)?;
    ensure(yes("wx_activate"), &WX_ACTIVATE)?;
    ensure(status(&code, ask.now) == "NORMAL", &USER_CARD_STATUS)?;
    let info = json!({
        "common_field_list": act.common_field_list,
        "custom_field_list": act.custom_field_list,
    });
    code.face.insert("user_info".to_owned(), info.clone());
    let mut ticket = None;
    if yes("wx_activate_after_submit") {
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

/// The user pays from the card.
fn pay(ask: &Ask<'_>, card: &Card, code: &Code, act: &CardAct) -> Result<(), Failed> {
    ensure(super::update::is_open(&card.settings, "pay_cell"), &UNSUPPORTED)?;
    ensure(status(code, ask.now) == "NORMAL", &USER_CARD_STATUS)?;
    let fee = act.fee.filter(|fee| *fee >= 0).ok_or(&BAD_PARAMETER)?;
    let due = act.original_fee.unwrap_or(fee);
    ensure(due >= fee, &BAD_PARAMETER)?;
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

/// The codes of a card, oldest first.
pub(crate) fn codes_of(ask: &Ask<'_>, card_id: &str, limit: u32) -> Result<Vec<UserCard>, Failed> {
    let card = ask.card_named(card_id)?;
    let found = codes::of_card(ask.db, card.id, limit)?;
    Ok(found.iter().map(|code| UserCard::new(&card, code, ask.now)).collect())
}

/// An ask of the control page, which has no body of its own.
pub(crate) fn asking<'a>(
    db: &'a Connection,
    appid: &'a str,
    now: Moment,
    empty: &'a Map<String, Value>,
) -> Ask<'a> {
    Ask { db, appid, now, body: Body(empty) }
}
