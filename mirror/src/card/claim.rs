//! A user takes a card: from a QR code, from a page with a signed `cardExt`, from a message, or from a shelf.

use serde_json::{Map, Value};

use super::account::{is_over, is_verified};
use super::act::ClaimCard;
use super::ask::{Ask, Failed, ensure};
use super::body::{is_openid, number_of};
use super::codes::{begin, begin_at, less_stock, taken};
use super::holder::{Received, hand_over, received};
use super::messages::is_for;
use super::record::UserCard;
use super::templates::{flag, get_limit, is_custom};
use crate::ledger::card::happenings::{self, Happening};
use crate::ledger::card::{cards, codes, messages, page_claims, qrcodes, tokens};
use crate::rules::card::{
    BALANCE, CARD_EXT, CARD_EXT_REPEATED, CARD_ID, CARD_STATUS, GET_LIMIT, NO_CARD_ID, OPENID, SCANNED,
    SERIAL_CODE, STOCK, TESTERS_ONLY, TIME, TO_ANOTHER,
};

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
    /// Of a page's `cardExt`.
    signature: Option<String>,
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
        signature: None,
    };
    if let Some(id) = claim.msg_id {
        let message = messages::find(ask.db, id)?.filter(|message| message.appid == ask.appid);
        let message = message.ok_or(&CARD_ID)?;
        ensure(is_for(&message, &claim.openid), &TO_ANOTHER)?;
        ensure(claim.card_id.as_ref().is_none_or(|id| *id == message.card_id), &CARD_ID)?;
        let Some(ext) = &message.card_ext else {
            return Ok(Source { card_id: message.card_id, ..Source::default() });
        };
        // Its signature was looked at when it was sent, and the ticket may have run out since.
        let object: Map<String, Value> = serde_json::from_str(ext).map_err(|_| &CARD_EXT)?;
        return Ok(Source { signature: text(&object, "signature"), ..from(&object, message.card_id) });
    }
    if let Some(ticket) = &claim.ticket {
        let scanned = qrcodes::find(ask.db, ticket)?.filter(|code| code.appid == ask.appid);
        let scanned = scanned.ok_or(&SCANNED)?;
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
            Ok(Source { signature: text(&object, "signature"), ..from(&object, card_id) })
        }
        None => Ok(Source { card_id, code: claim.code.clone(), ..Source::default() }),
    }
}

/// The phone's check of a page's signature: over the api_ticket, the card and what `cardExt` itself names.
pub(super) fn check_ext(ask: &Ask<'_>, card_id: &str, ext: &Map<String, Value>) -> Result<(), Failed> {
    let held = tokens::ticket(ask.db, ask.appid, "wx_card")?.ok_or(&CARD_EXT)?;
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
    if let Some(signature) = &source.signature {
        ensure(page_claims::first(ask.db, card.id, &claim.openid, signature)?, &CARD_EXT_REPEATED)?;
    }
    let limit = get_limit(&card);
    let had = happenings::times(ask.db, card.id, &claim.openid, Happening::Receive)?;
    ensure(limit == 0 || had < limit, &GET_LIMIT)?;
    ensure(card.quantity > 0, &STOCK)?;
    ensure(source.code.is_none() || is_custom(&card), &SERIAL_CODE)?;
    let mut code = taken(ask, &card, source.code.as_deref())?;
    hand_over(&mut code, &claim.openid);
    begin(&card, &mut code, ask.now)?;
    if let Some(begins) = source.begins {
        begin_at(&card, &mut code, begins)?;
    }
    ensure(!is_over(&code, ask.now), &TIME)?;
    // Of other cards the amount of a red packet means nothing.
    if let Some(balance) = source.balance.filter(|_| card.card_type == "LUCKY_MONEY") {
        ensure(balance >= 0, &BALANCE)?;
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
