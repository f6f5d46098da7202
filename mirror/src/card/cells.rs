//! The pay cell and the self-redeem cell.

use serde_json::{Value, json};

use super::account::is_verified;
use super::ask::{Ask, Failed, Told, ensure, told};
use super::templates::flag;
use super::update::is_open;
use crate::ledger::card::accounts;
use crate::ledger::card::cards::{self, Card};
use crate::rules::card::{CELLS, NO_LOCATION, NO_PAY, ONE_CELL, REQUIRED, VERIFIED};

/// `POST /card/paycell/set`
pub(super) fn pay(ask: &Ask<'_>) -> Told {
    let card = ask.card()?;
    let open = ask.body.flag("is_open")?.ok_or(&REQUIRED)?;
    if open {
        ensure(accounts::find(ask.db, ask.appid)?.pay, &NO_PAY)?;
        fits(&card, &CELLS)?;
        ensure(!is_open(&card.settings, "self_consume_cell"), &ONE_CELL)?;
    }
    set(ask, card, "pay_cell", json!({ "is_open": open }))
}

/// `POST /card/selfconsumecell/set`
pub(super) fn self_consume(ask: &Ask<'_>) -> Told {
    let card = ask.card()?;
    let open = ask.body.flag("is_open")?.ok_or(&REQUIRED)?;
    let code = ask.body.flag("need_verify_cod")?.unwrap_or(false);
    let amount = ask.body.flag("need_remark_amount")?.unwrap_or(false);
    if open {
        fits(&card, &ONE_CELL)?;
        ensure(!is_open(&card.settings, "pay_cell"), &ONE_CELL)?;
    }
    let cell = json!({ "is_open": open, "need_verify_cod": code, "need_remark_amount": amount });
    set(ask, card, "self_consume_cell", cell)
}

/// A cell needs a reviewed card with stores and no centre button.
fn fits(card: &Card, center: &'static crate::rules::Rule) -> Result<(), Failed> {
    ensure(is_verified(card), &VERIFIED)?;
    let base = &card.body["base_info"];
    let stores = base["location_id_list"].as_array().is_some_and(|list| !list.is_empty());
    ensure(stores || flag(card, "use_all_locations"), &NO_LOCATION)?;
    let button = ["center_title", "center_sub_title", "center_url"];
    let has_button = button.iter().any(|key| base[*key].as_str().is_some_and(|text| !text.is_empty()));
    ensure(!has_button, center)
}

fn set(ask: &Ask<'_>, mut card: Card, key: &str, cell: Value) -> Told {
    card.settings.insert(key.to_owned(), cell);
    card.updated = ask.now;
    cards::save(ask.db, &card)?;
    Ok(told! {})
}
