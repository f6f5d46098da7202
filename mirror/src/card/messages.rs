//! Cards sent as messages. Nothing is delivered: a message waits until a control call claims from it.

use serde_json::{Map, Value};

use super::account::is_verified;
use super::ask::{Ask, Failed, Told, ensure, told};
use super::body::{Body, is_openid};
use super::claim::check_ext;
use super::templates::is_custom;
use crate::ledger::card::cards::{Card, DELETE};
use crate::ledger::card::events;
use crate::ledger::card::messages::{self, Message, Recipients};
use crate::rules::card::{
    CARD_EXT, CARD_ID, CARD_STATUS, MASS_OPENIDS, MESSAGE_TIME, MESSAGE_TYPE, NO_OPENID, OPENID, REQUIRED,
    UNSUPPORTED,
};

/// How long after an act of a user an account may write to that user, in days.
const REPLY_DAYS: i64 = 2;
/// Users of one message.
const FEWEST: usize = 2;
const MOST: usize = 10_000;
/// Longest `card_ext`, in bytes.
const EXT_BYTES: usize = 4_096;

/// The card of a message, and its `card_ext`.
fn card_of(ask: &Ask<'_>) -> Result<(Card, Option<String>), Failed> {
    ensure(ask.body.text("msgtype", 32)? == Some("wxcard"), &MESSAGE_TYPE)?;
    let wxcard = ask.body.object("wxcard")?.ok_or(&REQUIRED)?;
    let card = ask.card_named(wxcard.card_id()?)?;
    ensure(card.status != DELETE, &CARD_ID)?;
    let ext = wxcard.text("card_ext", EXT_BYTES)?.filter(|ext| !ext.is_empty());
    if let Some(ext) = ext {
        let object: Map<String, Value> = serde_json::from_str(ext).map_err(|_| &CARD_EXT)?;
        check_ext(ask, &card.card_id, &object)?;
        ensure(!is_custom(&card) || Body(&object).has("code"), &CARD_EXT)?;
    }
    Ok((card, ext.map(str::to_owned)))
}

fn keep(
    ask: &Ask<'_>,
    call: &str,
    (card, card_ext): (Card, Option<String>),
    recipients: Recipients,
) -> Result<i64, Failed> {
    let message = Message {
        id: 0,
        appid: ask.appid.to_owned(),
        call: call.to_owned(),
        card_id: card.card_id,
        card_ext,
        recipients,
        created: ask.now,
    };
    Ok(messages::insert(ask.db, &message)?)
}

/// `POST /cgi-bin/message/custom/send`: an answer to a user who did something in the last 48 hours.
pub(super) fn custom(ask: &Ask<'_>) -> Told {
    let openid = ask.body.text("touser", usize::MAX)?.filter(|openid| !openid.is_empty());
    let openid = openid.ok_or(&NO_OPENID)?;
    ensure(is_openid(openid), &OPENID)?;
    let sent = card_of(ask)?;
    ensure(is_verified(&sent.0), &CARD_STATUS)?;
    ensure(!is_custom(&sent.0), &UNSUPPORTED)?;
    let since = ask.now.plus_days(-REPLY_DAYS);
    ensure(events::was_active(ask.db, ask.appid, openid, since)?, &MESSAGE_TIME)?;
    let recipients = Recipients { openids: vec![openid.to_owned()], ..Recipients::default() };
    keep(ask, "card.message_custom", sent, recipients)?;
    Ok(told! {})
}

/// Every account of a mass message gets it at once.
fn mass(ask: &Ask<'_>, call: &str, recipients: Recipients) -> Told {
    let sent = card_of(ask)?;
    ensure(is_verified(&sent.0), &CARD_STATUS)?;
    ensure(!is_custom(&sent.0) || sent.1.is_some(), &CARD_EXT)?;
    let id = keep(ask, call, sent, recipients)?;
    Ok(told! {"msg_id": id, "msg_data_id": id})
}

/// `POST /cgi-bin/message/mass/sendall`: to all, or to those with a tag.
pub(super) fn to_tag(ask: &Ask<'_>) -> Told {
    let filter = ask.body.object("filter")?.ok_or(&REQUIRED)?;
    let all = filter.flag("is_to_all")?.unwrap_or(false);
    let tag = filter.number("tag_id")?;
    ensure(all || tag.is_some(), &REQUIRED)?;
    mass(ask, "card.message_tag", Recipients { all, tag, ..Recipients::default() })
}

/// `POST /cgi-bin/message/mass/send`: to these users.
pub(super) fn to_users(ask: &Ask<'_>) -> Told {
    let openids = ask.body.texts("touser")?.ok_or(&NO_OPENID)?;
    ensure((FEWEST..=MOST).contains(&openids.len()), &MASS_OPENIDS)?;
    ensure(openids.iter().all(|openid| is_openid(openid)), &MASS_OPENIDS)?;
    let openids = openids.into_iter().map(str::to_owned).collect();
    mass(ask, "card.message_users", Recipients { openids, ..Recipients::default() })
}

/// `POST /cgi-bin/message/mass/preview`: to one user, also of a card in review.
pub(super) fn preview(ask: &Ask<'_>) -> Told {
    let text = |key: &str| Ok::<_, Failed>(ask.body.text(key, 64)?.filter(|text| !text.is_empty()));
    let (openid, wechat_id) = (text("touser")?, text("towxname")?);
    ensure(openid.is_some() || wechat_id.is_some(), &NO_OPENID)?;
    ensure(openid.is_none_or(is_openid), &OPENID)?;
    let sent = card_of(ask)?;
    ensure(!is_custom(&sent.0) || sent.1.is_some(), &CARD_EXT)?;
    let recipients = Recipients {
        openids: openid.map(str::to_owned).into_iter().collect(),
        wechat_id: wechat_id.map(str::to_owned),
        ..Recipients::default()
    };
    let id = keep(ask, "card.message_preview", sent, recipients)?;
    Ok(told! {"msg_id": id})
}

/// Whether a user can have got a message. Tags and WeChat ids are not known here, so they may be anybody's.
pub(super) fn is_for(message: &Message, openid: &str) -> bool {
    let to = &message.recipients;
    to.all || to.tag.is_some() || to.wechat_id.is_some() || to.openids.iter().any(|held| held == openid)
}
