//! `POST /card/create`

use rusqlite::Connection;
use serde_json::Map;

use super::ask::{Ask, Told, ensure, told};
use super::base_info::new_base;
use super::due;
use super::kinds::{TYPES, key_of, new_type};
use crate::ledger::card::accounts;
use crate::ledger::card::cards::{self, Card, NOT_VERIFY};
use crate::ledger::first_ids;
use crate::rules::card::{CARD_TYPE, REQUIRED, SKU};

/// `POST /card/create`
pub(super) fn create(ask: &Ask<'_>) -> Told {
    let card = ask.body.object("card")?.ok_or(&REQUIRED)?;
    let card_type = card.text("card_type", 64)?.ok_or(&REQUIRED)?;
    ensure(TYPES.contains(&card_type), &CARD_TYPE)?;
    let key = key_of(card_type);
    let foreign =
        card.0.keys().any(|other| *other != key && TYPES.iter().any(|known| key_of(known) == *other));
    ensure(!foreign, &CARD_TYPE)?;
    let whole = card.object(&key)?.ok_or(&CARD_TYPE)?;
    let base = whole.object("base_info")?.ok_or(&REQUIRED)?;
    let account = accounts::find(ask.db, ask.appid)?;
    let (custom, deposit) = new_base(ask, base, &account)?;
    new_type(card_type, whole, base, (custom, deposit), &account)?;
    let quantity = base.object("sku")?.ok_or(&SKU)?.number("quantity")?.ok_or(&SKU)?;
    let id = cards::next(ask.db)?;
    let mut card = Card {
        id,
        card_id: card_id(ask.db, id)?,
        appid: ask.appid.to_owned(),
        card_type: card_type.to_owned(),
        body: whole.0.clone(),
        status: NOT_VERIFY.to_owned(),
        review_due: None,
        quantity,
        total: quantity,
        created: ask.now,
        updated: ask.now,
        settings: Map::new(),
    };
    due::to_review(&mut card, &account, ask.now);
    cards::insert(ask.db, &card)?;
    Ok(told! {"card_id": card.card_id})
}

/// 28 characters that begin with `p`; the same number and seed give the same one.
fn card_id(db: &Connection, number: i64) -> rusqlite::Result<String> {
    let seed = first_ids::seed(db)?.unwrap_or(0);
    Ok(format!("p{}", crate::ids::text("card", seed, number, 27)))
}
