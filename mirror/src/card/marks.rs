//! Marks of codes that several people hold: one of them puts the code aside before it is redeemed.
//!
//! Such coupons are retired, and no card of today is one. Marks are kept all the same for every code, and who redeems
//! meets those of others.

use super::ask::{Ask, Failed, Told, ensure, told};
use super::codes::usable;
use crate::ledger::card::codes::Code;
use crate::ledger::card::marks;
use crate::rules::card::{MARKED, NO_CARD_ID, NO_OPENID, REQUIRED};

/// How long a mark stays, in milliseconds.
const LIFE: i64 = 5 * 60 * 1_000;

/// `POST /card/code/mark`
pub(super) fn mark(ask: &Ask<'_>) -> Told {
    ask.body.code()?;
    ask.body.optional_card_id()?.ok_or(&NO_CARD_ID)?;
    let openid = ask.body.openid(&NO_OPENID)?;
    let sets = ask.body.flag("is_mark")?.ok_or(&REQUIRED)?;
    let (_, code) = ask.code()?;
    usable(&code, ask.now)?;
    check(ask, &code, openid)?;
    if sets {
        marks::set(ask.db, code.id, openid, ask.now.plus_millis(LIFE))?;
    } else {
        marks::clear(ask.db, code.id)?;
    }
    Ok(told! {})
}

/// Nobody but this user has put the code aside.
pub(super) fn check(ask: &Ask<'_>, code: &Code, openid: &str) -> Result<(), Failed> {
    let holder = marks::holder(ask.db, code.id, ask.now)?;
    ensure(holder.is_none_or(|holder| holder == openid), &MARKED)
}
