//! General cards, which are gift cards, and red packets: their copies in users' hands.

use super::account::status;
use super::ask::{Ask, Failed, Told, ensure, told};
use super::deeds::activated;
use super::face;
use crate::ledger::card::cards::Card;
use crate::ledger::card::codes::{self, Code};
use crate::rules::card::{BALANCE, CARD_TYPE, NO_CARD_ID, REQUIRED, USER_CARD_STATUS};

/// A copy of this type of card that can be used.
fn held(ask: &Ask<'_>, card_type: &str) -> Result<(Card, Code), Failed> {
    let (card, code) = ask.code()?;
    ensure(card.card_type == card_type, &CARD_TYPE)?;
    ensure(status(&code, ask.now) == "NORMAL", &USER_CARD_STATUS)?;
    Ok((card, code))
}

/// The same of a general card, which always comes with its `card_id`.
fn general(ask: &Ask<'_>) -> Result<(Card, Code), Failed> {
    ask.body.optional_card_id()?.ok_or(&NO_CARD_ID)?;
    held(ask, "GENERAL_CARD")
}

/// `POST /card/generalcard/activate`
pub(super) fn activate(ask: &Ask<'_>) -> Told {
    let number = ask.body.needed("card_number", 20, &REQUIRED)?;
    let (card, mut code) = general(ask)?;
    face::activate(ask, &mut code)?;
    code.face.insert("card_number".to_owned(), number.into());
    activated(ask.db, &card, &mut code, ask.now)?;
    codes::save(ask.db, &code)?;
    Ok(told! {})
}

/// `POST /card/generalcard/unactivate`
pub(super) fn deactivate(ask: &Ask<'_>) -> Told {
    let (_, mut code) = general(ask)?;
    ensure(code.active, &USER_CARD_STATUS)?;
    code.active = false;
    codes::save(ask.db, &code)?;
    Ok(told! {})
}

/// `POST /card/generalcard/updateuser`
pub(super) fn update(ask: &Ask<'_>) -> Told {
    let (card, mut code) = general(ask)?;
    ensure(code.active, &USER_CARD_STATUS)?;
    if let Some(may) = ask.body.flag("can_give_friend")? {
        code.face.insert("can_give_friend".to_owned(), may.into());
    }
    // Absolute values alone.
    face::update(ask, &card, code, false)
}

/// `POST /card/luckymoney/updateuserbalance`
pub(super) fn red_packet(ask: &Ask<'_>) -> Told {
    let (_, mut code) = held(ask, "LUCKY_MONEY")?;
    let fen = ask.body.number("balance")?.ok_or(&REQUIRED)?;
    ensure(fen >= 0, &BALANCE)?;
    code.face.insert("balance".to_owned(), fen.into());
    codes::save(ask.db, &code)?;
    Ok(told! {})
}
