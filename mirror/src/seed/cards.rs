//! `[[card_accounts]]` and `[[cards]]`: the card API of a seed.

use std::collections::HashSet;

use rusqlite::Connection;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use toml::Spanned;

use super::{File, SeedError, Source, World};
use crate::card::account_change::{CardAccountChange, CardReviewPolicy, PushMode};
use crate::card::ask::Failed;
use crate::card::seeding::{self, Stage};
use crate::error::MirrorError;
use crate::ledger::card::{accounts, cards};
use crate::merchant::DEFAULT_MCHID;

/// `[[card_accounts]]`
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CardAccountEntry {
    appid: Spanned<String>,
    url: Option<String>,
    token: Option<String>,
    encoding_aes_key: Option<String>,
    mode: Option<PushMode>,
    review: Option<CardReviewPolicy>,
    review_seconds: Option<i64>,
    custom_code: Option<bool>,
    bonus: Option<bool>,
    balance: Option<bool>,
    pay: Option<bool>,
}

/// `[[cards]]`
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CardEntry {
    appid: Option<Spanned<String>>,
    #[serde(rename = "type")]
    card_type: Spanned<String>,
    title: Spanned<String>,
    quantity: Spanned<i64>,
    #[serde(default)]
    status: Stage,
    /// More of `base_info`, as a client would send it.
    #[serde(default)]
    base_info: Map<String, Value>,
    /// More of the object of the type.
    #[serde(default)]
    details: Map<String, Value>,
}

/// Whether the tables are right in themselves.
pub(super) fn check(file: &File, source: &Source) -> Result<(), SeedError> {
    let mut seen = HashSet::new();
    for account in &file.card_accounts {
        let appid = &account.get_ref().appid;
        if !seen.insert(appid.get_ref()) {
            return Err(source.at(appid, format!("card account {} is there twice", appid.get_ref())));
        }
    }
    let mut seen = HashSet::new();
    for card in &file.cards {
        let card = card.get_ref();
        let appid = card.appid.as_ref().map(|appid| appid.get_ref().as_str());
        if !seen.insert((appid, card.card_type.get_ref(), card.title.get_ref())) {
            let reason = format!("there are two cards {}: give them different titles", card.title.get_ref());
            return Err(source.at(&card.title, reason));
        }
    }
    Ok(())
}

fn storage(error: rusqlite::Error) -> MirrorError {
    MirrorError::Storage(Box::new(error))
}

fn known(world: World<'_>, appid: &Spanned<String>, source: &Source) -> Result<String, SeedError> {
    let name = appid.get_ref();
    match world.merchants.owner_of(name) {
        Some(_) => Ok(name.clone()),
        None => Err(source.at(appid, format!("appid {name} is bound to no merchant of this mirror"))),
    }
}

/// Accounts and cards. Says what the store held already and held otherwise.
pub(super) fn apply(
    db: &Connection,
    file: &File,
    source: &Source,
    world: World<'_>,
) -> Result<Vec<String>, MirrorError> {
    let mut notes = Vec::new();
    for account in &file.card_accounts {
        notes.extend(put_account(db, account, source, world)?);
    }
    for card in &file.cards {
        notes.extend(put_card(db, card, source, world)?);
    }
    Ok(notes)
}

fn put_account(
    db: &Connection,
    spanned: &Spanned<CardAccountEntry>,
    source: &Source,
    world: World<'_>,
) -> Result<Option<String>, MirrorError> {
    let entry = spanned.get_ref().clone();
    let appid = known(world, &entry.appid, source)?;
    let change = CardAccountChange {
        appid: None,
        url: entry.url,
        token: entry.token,
        encoding_aes_key: entry.encoding_aes_key,
        mode: entry.mode,
        review: entry.review,
        review_seconds: entry.review_seconds,
        custom_code: entry.custom_code,
        bonus: entry.bonus,
        balance: entry.balance,
        pay: entry.pay,
    };
    let wanted = change.applied(&appid, accounts::Account::default()).map_err(|error| match error {
        MirrorError::CardAccount { reason, .. } => source.at(spanned, reason).into(),
        other => other,
    })?;
    if !accounts::exists(db, &appid).map_err(storage)? {
        accounts::save(db, &appid, &wanted).map_err(storage)?;
        return Ok(None);
    }
    let held = accounts::find(db, &appid).map_err(storage)?;
    Ok((held != wanted).then(|| format!("card account {appid}: the data file goes before the seed")))
}

fn put_card(
    db: &Connection,
    spanned: &Spanned<CardEntry>,
    source: &Source,
    world: World<'_>,
) -> Result<Option<String>, MirrorError> {
    let entry = spanned.get_ref();
    let appid = match &entry.appid {
        Some(appid) => known(world, appid, source)?,
        None => {
            let merchant = world.merchants.find(DEFAULT_MCHID);
            merchant.ok_or(MirrorError::NotFound { what: "merchant" })?.public.appid.clone()
        }
    };
    let (card_type, title) = (entry.card_type.get_ref(), entry.title.get_ref());
    let held = cards::all(db, &appid).map_err(storage)?;
    let same =
        |card: &&cards::Card| card.card_type == *card_type && card.body["base_info"]["title"] == **title;
    if let Some(held) = held.iter().find(same) {
        let differs = held.total != *entry.quantity.get_ref();
        return Ok(differs.then(|| format!("card {title}: the data file goes before the seed")));
    }
    let made = seeding::put(db, &appid, world.now, &body(entry), entry.status);
    made.map(|()| None).map_err(|failed| match failed {
        Failed::Refused(refusal) => {
            let rule = refusal.rule;
            let place = match rule.id {
                "card.quantity" | "card.sku" => entry.quantity.span(),
                "card.card_type" => entry.card_type.span(),
                _ => spanned.span(),
            };
            let reason = format!(
                "the card cannot be made: errcode {}: {}; the rule is: {}",
                rule.code,
                refusal.message(),
                rule.note()
            );
            source.error(place.start, reason).into()
        }
        Failed::Store(error) => storage(error),
    })
}

/// What a client would send: what the entry says, over what is usual.
fn body(entry: &CardEntry) -> Map<String, Value> {
    let (card_type, title) = (entry.card_type.get_ref(), entry.title.get_ref());
    let is_kept = matches!(card_type.as_str(), "MEMBER_CARD" | "GENERAL_CARD");
    let date = if is_kept {
        json!({"type": "DATE_TYPE_PERMANENT"})
    } else {
        json!({"type": "DATE_TYPE_FIX_TERM", "fixed_term": 30, "fixed_begin_term": 0})
    };
    let mut base = json!({
        "logo_url": "http://mmbiz.qpic.cn/mmbiz_png/seed/0",
        "brand_name": "Seed",
        "code_type": "CODE_TYPE_QRCODE",
        "title": title,
        "color": "Color010",
        "notice": "Show this.",
        "description": "Made by the seed.",
        "date_info": date,
        "sku": {"quantity": entry.quantity.get_ref()},
    });
    let mut whole = match card_type.as_str() {
        "GROUPON" => json!({ "deal_detail": title }),
        "GIFT" => json!({ "gift": title }),
        "GENERAL_COUPON" => json!({ "default_detail": title }),
        "MEETING_TICKET" => json!({ "meeting_detail": title }),
        "MEMBER_CARD" => json!({
            "prerogative": title, "supply_bonus": true, "supply_balance": false, "auto_activate": true,
        }),
        _ => json!({}),
    };
    for (key, value) in &entry.base_info {
        base[key] = value.clone();
    }
    for (key, value) in &entry.details {
        whole[key] = value.clone();
    }
    whole["base_info"] = base;
    let mut card = Map::new();
    card.insert("card_type".to_owned(), card_type.clone().into());
    card.insert(card_type.to_lowercase(), whole);
    let mut body = Map::new();
    body.insert("card".to_owned(), card.into());
    body
}
