//! Cards and codes as an account may see them.

use rusqlite::Connection;

use super::ask::{Ask, Failed, ensure};
use crate::ledger::card::cards::{self, Card, DELETE, DISPATCH, VERIFY_OK};
use crate::ledger::card::codes::{self, Code, State};
use crate::moment::Moment;
use crate::rules::card::{CARD_ID, CARD_STATUS, SERIAL_CODE};

impl Ask<'_> {
    /// The card of this account, deleted or not.
    pub(super) fn any_card(&self) -> Result<Card, Failed> {
        self.card_named(self.body.card_id()?)
    }

    pub(super) fn card_named(&self, card_id: &str) -> Result<Card, Failed> {
        let card = cards::find(self.db, card_id)?.filter(|card| card.appid == self.appid);
        card.ok_or_else(|| (&CARD_ID).into())
    }

    /// The card, unless it is deleted.
    pub(super) fn card(&self) -> Result<Card, Failed> {
        let card = self.any_card()?;
        ensure(card.status != DELETE, &CARD_STATUS)?;
        Ok(card)
    }

    /// The code that `code` and, for custom codes, `card_id` name. Somebody has or had it.
    pub(super) fn code(&self) -> Result<(Card, Code), Failed> {
        let code = self.body.code()?;
        named(self.db, self.appid, code, self.body.optional_card_id()?)
    }
}

/// A code that somebody has or had. One that was given away is gone.
pub(super) fn named(
    db: &Connection,
    appid: &str,
    code: &str,
    card_id: Option<&str>,
) -> Result<(Card, Code), Failed> {
    let (card, code) = known(db, appid, code, card_id)?;
    ensure(code.state != State::GiftSucc, &SERIAL_CODE)?;
    Ok((card, code))
}

/// The same, and those given away too.
pub(super) fn known(
    db: &Connection,
    appid: &str,
    code: &str,
    card_id: Option<&str>,
) -> Result<(Card, Code), Failed> {
    let found = match card_id {
        Some(card_id) => {
            let card = cards::find(db, card_id)?.filter(|card| card.appid == appid).ok_or(&CARD_ID)?;
            codes::in_card(db, card.id, code)?.map(|code| (card, code))
        }
        None => match codes::server(db, appid, code)? {
            Some(code) => cards::by_number(db, code.card)?.map(|card| (card, code)),
            None => None,
        },
    };
    found.filter(|(_, code)| code.state != State::Deposited).ok_or_else(|| (&SERIAL_CODE).into())
}

/// Whether the review has let a card pass.
pub(super) fn is_verified(card: &Card) -> bool {
    card.status == VERIFY_OK || card.status == DISPATCH
}

/// `user_card_status`: what is kept, or that the time is over.
pub(super) fn status(code: &Code, now: Moment) -> &'static str {
    match code.state {
        State::Normal if is_over(code, now) => "EXPIRE",
        state => state.name(),
    }
}

pub(super) fn is_over(code: &Code, now: Moment) -> bool {
    code.ends.is_some_and(|ends| now.seconds() > ends)
}

/// Whether a code can be redeemed now.
pub(super) fn can_consume(code: &Code, now: Moment) -> bool {
    code.state == State::Normal && now.seconds() >= code.begins && !is_over(code, now)
}
