//! What happens by itself: the review answers, gifts that nobody took go back.

use rusqlite::Connection;

use super::account_change::CardReviewPolicy;
use super::event::{self, Field};
use crate::ledger::card::accounts::{self, Account};
use crate::ledger::card::cards::{self, Card, VERIFY_FAIL, VERIFY_OK};
use crate::ledger::card::codes::{self, State};
use crate::ledger::card::views;
use crate::moment::Moment;

/// What a review says when an account is set up to be refused.
const REASON: &str = "the account's reviews are set to fail";

/// A card goes to the review; it answers by itself unless the account is reviewed by hand.
pub(super) fn to_review(card: &mut Card, account: &Account, now: Moment) {
    let answers = account.review != CardReviewPolicy::Manual;
    card.review_due = answers.then(|| now.plus_millis(account.review_seconds.saturating_mul(1_000)));
}

/// The review answers.
pub(crate) fn review(
    db: &Connection,
    card: &mut Card,
    refused: Option<&str>,
    now: Moment,
) -> rusqlite::Result<()> {
    card.review_due = None;
    card.updated = now;
    let id = ("CardId", Field::Text(&card.card_id));
    let (status, event, fields) = match refused {
        None => (VERIFY_OK, "card_pass_check", vec![id]),
        Some(reason) => (VERIFY_FAIL, "card_not_pass_check", vec![id, ("RefuseReason", Field::Text(reason))]),
    };
    event::raise(db, &card.appid, "", event, &fields, now)?;
    status.clone_into(&mut card.status);
    cards::save(db, card)?;
    views::set_refuse_reason(db, card.id, refused)
}

/// Everything due by now.
pub(crate) fn happen(db: &Connection, now: Moment) -> rusqlite::Result<()> {
    for mut card in cards::reviewed_by(db, now)? {
        let fails = accounts::find(db, &card.appid)?.review == CardReviewPolicy::Fail;
        review(db, &mut card, fails.then_some(REASON), now)?;
    }
    for mut code in codes::gifts_back_by(db, now)? {
        code.gift_due = None;
        code.state = State::GiftTimeout;
        codes::save(db, &code)?;
        if super::gift_cards::back(db, &code, now)? {
            continue;
        }
        if let Some(card) = cards::by_number(db, code.card)? {
            super::gifting::came_back(db, &card, &code, now)?;
        }
    }
    Ok(())
}
