//! The card API's other side: what users do on their phones, and the owner of an account in its console. The HTTP
//! control calls and the methods of [`crate::CardDesk`] both come here.

use rusqlite::{Connection, OptionalExtension as _};
use serde_json::{Map, Value};

use super::account_change::CardAccountChange;
use super::act::{CardAct, ClaimCard, Deed};
use super::ask::{Ask, Failed};
use super::body::Body;
use super::record::{
    CardAccount, CardEventRecord, CardMessageRecord, CardReview, CoinOrder, SubMerchantReview, UserCard,
};
use super::shown::{CardList, CodeFilter, ShownCard, ShownCode};
use super::{claim, coins, deeds, due, push, sub_merchants, tokens as card_tokens, views};
use crate::error::MirrorError;
use crate::ledger::card::{accounts, cards, codes, events, messages, qrcodes, tokens, views as rows};
use crate::ledger::{LedgerError, all_or_nothing};
use crate::moment::Moment;
use crate::rules::Refusal;
use crate::rules::card::{CARD_ID, CARD_STATUS, SCANNED, SERIAL_CODE};
use crate::state::App;

/// Most codes and events one call answers.
pub(super) const LARGEST_PAGE: u32 = 10_000;
/// Most cards one call answers.
const MOST_CARDS: u32 = 1_000;
/// Most codes of all cards one call answers.
const MOST_HELD_CODES: u32 = 500;

/// What a control call is told.
pub(crate) fn failed(failed: Failed) -> MirrorError {
    match failed {
        Failed::Refused(refusal) => {
            let rule = refusal.rule;
            let reason =
                format!("errcode {}: {}; the rule is: {}", rule.code, refusal.message(), rule.note());
            MirrorError::Refused { reason }
        }
        Failed::Store(error) => LedgerError::from(error).into(),
    }
}

/// Work as an account, all of it or nothing.
pub(crate) async fn as_account<T: Send + 'static>(
    app: &App,
    whose: impl FnOnce(&Connection) -> Result<String, Failed> + Send + 'static,
    work: impl FnOnce(&Ask<'_>) -> Result<T, Failed> + Send + 'static,
) -> Result<T, MirrorError> {
    let now = app.clocks.now();
    let done = app.ledger.write(move |db| {
        all_or_nothing(db, |db| {
            let appid = whose(db)?;
            work(&asking(db, &appid, now, &Map::new()))
        })
    });
    let done = done.await?.map_err(failed)?;
    app.timeline.changed();
    Ok(done)
}

pub(crate) fn owner_of_card(db: &Connection, card_id: &str) -> Result<String, Failed> {
    Ok(cards::find(db, card_id)?.ok_or(&CARD_ID)?.appid)
}

/// Server codes are known without their card.
fn owner_of_code(db: &Connection, code: &str) -> Result<String, Failed> {
    let found = db
        .prepare_cached(
            "SELECT appid FROM cards JOIN card_codes ON card = cards.id WHERE code = ?1 AND own = 0",
        )?
        .query_row([code], |row| row.get(0))
        .optional()?;
    found.ok_or_else(|| (&SERIAL_CODE).into())
}

pub(crate) async fn claim(app: &App, claim: ClaimCard) -> Result<UserCard, MirrorError> {
    let (ticket, card_id, msg_id) = (claim.ticket.clone(), claim.card_id.clone(), claim.msg_id);
    let whose = move |db: &Connection| match (ticket, card_id) {
        _ if msg_id.is_some() => match messages::find(db, msg_id.unwrap_or_default())? {
            Some(message) => Ok(message.appid),
            None => Err(Refusal::from(&CARD_ID).with_message("no message has this msg_id".to_owned()).into()),
        },
        (Some(ticket), _) => match qrcodes::find(db, &ticket)? {
            Some(code) => Ok(code.appid),
            None => Err((&SCANNED).into()),
        },
        (None, Some(card_id)) => owner_of_card(db, &card_id),
        (None, None) => Err((&CARD_ID).into()),
    };
    as_account(app, whose, move |ask| claim::claim(ask, &claim)).await
}

pub(crate) async fn act(app: &App, deed: Deed, act: CardAct) -> Result<UserCard, MirrorError> {
    let (code, card_id) = (act.code.clone(), act.card_id.clone());
    let whose = move |db: &Connection| match card_id {
        Some(card_id) => owner_of_card(db, &card_id),
        None => owner_of_code(db, &code),
    };
    as_account(app, whose, move |ask| deeds::act(ask, deed, &act)).await
}

/// The account that is named, or the first there is.
pub(crate) fn appid_of(app: &App, given: Option<String>) -> Result<String, MirrorError> {
    let merchants = app.merchants();
    match given {
        Some(appid) if merchants.owner_of(&appid).is_some() => Ok(appid),
        Some(_) => Err(MirrorError::NotFound { what: "appid" }),
        None => merchants
            .all()
            .find_map(|merchant| merchant.public.appids.first().cloned())
            .ok_or(MirrorError::NotFound { what: "merchant with an appid" }),
    }
}

fn account(db: &Connection, appid: &str) -> rusqlite::Result<CardAccount> {
    Ok(CardAccount::new(appid, &accounts::find(db, appid)?, card_tokens::counts(db, appid)?))
}

/// Sets an account up. A new address is kept only if it answers the echostr.
pub(crate) async fn set_account(
    app: &App,
    mut change: CardAccountChange,
) -> Result<CardAccount, MirrorError> {
    let appid = appid_of(app, change.appid.take())?;
    let pushes = change.url.is_some() || change.token.is_some();
    let held = app.ledger.read({
        let appid = appid.clone();
        move |db| accounts::find(db, &appid)
    });
    let changed = change.clone().applied(&appid, held.await?)?;
    if pushes {
        push::check_address(app, &changed).await?;
    }
    // Somebody else may have changed it while the address was asked.
    let saved = app.ledger.write(move |db| {
        Ok(match change.applied(&appid, accounts::find(db, &appid)?) {
            Ok(changed) => {
                accounts::save(db, &appid, &changed)?;
                Ok(account(db, &appid)?)
            }
            Err(error) => Err(error),
        })
    });
    saved.await?
}

pub(crate) async fn list_accounts(app: &App) -> Result<Vec<CardAccount>, MirrorError> {
    let appids: Vec<String> =
        app.merchants().all().flat_map(|merchant| merchant.public.appids.clone()).collect();
    Ok(app.ledger.read(move |db| appids.iter().map(|appid| account(db, appid)).collect()).await?)
}

/// All tokens of an account are stale from now on. Answers how many those are.
pub(crate) async fn stale_tokens(app: &App, appid: Option<String>) -> Result<usize, MirrorError> {
    let appid = appid_of(app, appid)?;
    let now = app.clocks.now();
    let stale = app.ledger.write(move |db| {
        let plain = tokens::replace(db, &appid, tokens::Kind::Plain, now)?;
        Ok(plain + tokens::replace(db, &appid, tokens::Kind::Stable, now)?)
    });
    Ok(stale.await?)
}

/// The review answers now.
pub(crate) async fn review(
    app: &App,
    card_id: String,
    refused: Option<String>,
) -> Result<CardReview, MirrorError> {
    let owner = card_id.clone();
    let review = move |ask: &Ask<'_>| {
        let mut card = cards::find(ask.db, &card_id)?.ok_or(&CARD_ID)?;
        if card.status != cards::NOT_VERIFY {
            return Err((&CARD_STATUS).into());
        }
        due::review(ask.db, &mut card, refused.as_deref(), ask.now)?;
        Ok(CardReview { card_id: card.card_id, status: card.status })
    };
    as_account(app, move |db| owner_of_card(db, &owner), review).await
}

pub(crate) async fn review_sub_merchant(
    app: &App,
    appid: Option<String>,
    id: i64,
    refused: Option<String>,
) -> Result<SubMerchantReview, MirrorError> {
    let appid = appid_of(app, appid)?;
    let review = move |ask: &Ask<'_>| sub_merchants::review(ask, id, refused.as_deref());
    as_account(app, move |_| Ok(appid), review).await
}

/// Cards of an account, or of all, newest first, and how many there are.
pub(crate) async fn cards(app: &App, appid: Option<String>, limit: u32) -> Result<CardList, MirrorError> {
    let limit = limit.min(MOST_CARDS);
    let list = app.ledger.read(move |db| {
        let appid = appid.as_deref();
        Ok(CardList { total: rows::total(db, appid)?, cards: views::list(db, appid, limit)? })
    });
    Ok(list.await?)
}

/// A card with all that belongs to it.
pub(crate) async fn card(app: &App, card_id: String) -> Result<ShownCard, MirrorError> {
    let now = app.clocks.now();
    let found = app.ledger.read(move |db| views::show(db, &card_id, now)).await?;
    found.ok_or(MirrorError::NotFound { what: "card" })
}

/// Codes that somebody has or had, newest first.
pub(crate) async fn held_codes(
    app: &App,
    wanted: CodeFilter,
    limit: u32,
) -> Result<Vec<ShownCode>, MirrorError> {
    let (now, limit) = (app.clocks.now(), limit.min(MOST_HELD_CODES));
    let found = app.ledger.read(move |db| views::codes(db, &wanted, limit, now)).await?;
    found.ok_or(MirrorError::NotFound { what: "card" })
}

/// Codes of a card, oldest first.
pub(crate) async fn codes(app: &App, card_id: String, limit: u32) -> Result<Vec<UserCard>, MirrorError> {
    let owner = card_id.clone();
    let limit = limit.min(LARGEST_PAGE);
    let codes = move |ask: &Ask<'_>| codes_of(ask, &card_id, limit);
    as_account(app, move |db| owner_of_card(db, &owner), codes).await
}

/// Events with what became of them, newest first.
pub(crate) async fn events(app: &App, limit: u32) -> Result<Vec<CardEventRecord>, MirrorError> {
    let limit = limit.min(LARGEST_PAGE);
    let found = app.ledger.read(move |db| events::list(db, limit)).await?;
    Ok(found.into_iter().map(CardEventRecord::from).collect())
}

/// An event with what became of it.
pub(crate) async fn event(app: &App, id: i64) -> Result<CardEventRecord, MirrorError> {
    let found = app.ledger.read(move |db| events::find(db, id)).await?;
    found.map(CardEventRecord::from).ok_or(MirrorError::NotFound { what: "event" })
}

/// Delivers an event once more; answers it as it is then.
pub(crate) async fn replay(app: &App, id: i64) -> Result<CardEventRecord, MirrorError> {
    event(app, id).await?;
    // A caller that goes away does not stop it halfway.
    let replayed = tokio::spawn(push::replay(std::sync::Arc::clone(app), id));
    replayed.await.map_err(|_| MirrorError::Stopped)??;
    event(app, id).await
}

/// Cards that were sent as messages, newest first.
pub(crate) async fn messages(app: &App, limit: u32) -> Result<Vec<CardMessageRecord>, MirrorError> {
    let limit = limit.min(LARGEST_PAGE);
    let found = app.ledger.read(move |db| messages::list(db, limit)).await?;
    Ok(found.into_iter().map(CardMessageRecord::from).collect())
}

/// Somebody pays a recharge of coins.
pub(crate) async fn pay_coins(
    app: &App,
    order_id: String,
    openid: Option<String>,
) -> Result<CoinOrder, MirrorError> {
    let owner = order_id.clone();
    let pay = move |ask: &Ask<'_>| coins::paid(ask, &order_id, openid);
    as_account(app, move |db| coins::owner(db, &owner), pay).await
}

/// The codes of a card, oldest first.
fn codes_of(ask: &Ask<'_>, card_id: &str, limit: u32) -> Result<Vec<UserCard>, Failed> {
    let card = ask.card_named(card_id)?;
    let found = codes::of_card(ask.db, card.id, limit)?;
    Ok(found.iter().map(|code| UserCard::new(&card, code, ask.now)).collect())
}

/// An ask of the control page, which has no body of its own.
fn asking<'a>(db: &'a Connection, appid: &'a str, now: Moment, empty: &'a Map<String, Value>) -> Ask<'a> {
    Ask { db, appid, now, body: Body(empty) }
}
