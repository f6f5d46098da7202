//! `[[stocks.given]]`: coupons that users hold already, each given, paid with and refunded at its own moment.

use rusqlite::Connection;
use serde::Deserialize;
use serde_json::{Map, Value};
use toml::Spanned;

use super::apply::{World, known, storage};
use super::{SeedError, Source, When};
use crate::coupon::{self, SendRequest};
use crate::error::MirrorError;
use crate::ledger::users;
use crate::moment::Moment;
use crate::payment::{self, Redeem, Refund};
use crate::rules::Refusal;

/// A coupon in somebody's hands.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GivenEntry {
    openid: Spanned<String>,
    /// The sender's, under which the user is known; without it, the user's own or the sender's first.
    appid: Option<Spanned<String>>,
    sender: Option<Spanned<String>>,
    out_request_no: Option<Spanned<String>>,
    at: Option<Spanned<When>>,
    paid: Option<Spanned<PaidEntry>>,
    refunded: Option<Spanned<RefundedEntry>>,
}

/// What was paid with it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PaidEntry {
    at: Option<Spanned<When>>,
    total_fen: Option<i64>,
    merchant: Option<String>,
    transaction_id: Option<String>,
}

/// What of that was refunded.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefundedEntry {
    at: Option<Spanned<When>>,
    amount_fen: Option<i64>,
}

impl GivenEntry {
    /// The number it is given under, and who sends it; `index` counts from 0 within its stock.
    pub(super) fn number(&self, stock: &str, index: usize) -> String {
        match &self.out_request_no {
            Some(number) => number.get_ref().clone(),
            None => format!("{stock}_{}", index + 1),
        }
    }

    pub(super) fn sender<'a>(&'a self, creator: &'a str) -> &'a str {
        self.sender.as_ref().map_or(creator, |sender| sender.get_ref())
    }
}

/// The stock that coupons are given of.
#[derive(Clone, Copy)]
pub(super) struct Stock<'a> {
    pub(super) id: i64,
    pub(super) creator: &'a str,
    /// Its `out_request_no`.
    pub(super) number: &'a str,
    /// The first moment at which a coupon could be given.
    pub(super) open: Moment,
}

/// Does with a coupon what an entry says.
pub(super) fn give(
    db: &Connection,
    stock: Stock<'_>,
    (index, entry): (usize, &GivenEntry),
    source: &Source,
    world: World<'_>,
) -> Result<(), MirrorError> {
    let at = past(entry.at.as_ref(), stock.open.min(world.now), source, world)?;
    let sender = match &entry.sender {
        Some(sender) => known(world, sender, source, "sender")?,
        None => world.merchants.find(stock.creator).ok_or(MirrorError::NotFound { what: "merchant" })?,
    };
    let openid = entry.openid.get_ref();
    let appid = match &entry.appid {
        Some(appid) => appid.get_ref().clone(),
        None => users::find(db, openid)
            .map_err(storage)?
            .and_then(|user| user.appid)
            .unwrap_or_else(|| sender.public.appid.clone()),
    };
    // As a client would send it, so that a client that repeats it is answered with this coupon.
    let body = [
        ("stock_id", stock.id.to_string()),
        ("out_request_no", entry.number(stock.number, index)),
        ("appid", appid),
        ("stock_creator_mchid", stock.creator.to_owned()),
    ];
    let body: Map<String, Value> =
        body.map(|(key, value)| (key.to_owned(), value.into())).into_iter().collect();
    let refused = |refusal: &Refusal| {
        let rule = refusal.rule;
        let reason = format!(
            "the coupon cannot be given: {} ({} {})",
            rule.explanation,
            rule.code,
            refusal.message().trim_end()
        );
        source.error(entry.place_of(refusal), reason)
    };
    let request = SendRequest::read(openid.clone(), &body).map_err(|refusal| refused(&refusal))?;
    let id = coupon::give(db, &sender, &request, world.monthly_cap, at)
        .map_err(storage)?
        .map_err(|refusal| refused(&refusal))?;
    let Some(paid) = &entry.paid else {
        return match &entry.refunded {
            Some(refunded) => Err(source.at(refunded, "what was not paid cannot be refunded").into()),
            None => Ok(()),
        };
    };
    let paid_at = pay(db, id, paid, at, source, world)?;
    match &entry.refunded {
        Some(refunded) => refund(db, id, refunded, paid_at, source, world),
        None => Ok(()),
    }
}

fn pay(
    db: &Connection,
    id: i64,
    entry: &Spanned<PaidEntry>,
    earliest: Moment,
    source: &Source,
    world: World<'_>,
) -> Result<Moment, MirrorError> {
    let PaidEntry { at, total_fen, merchant, transaction_id } = entry.get_ref();
    let moment = past(at.as_ref(), earliest, source, world)?;
    if let Some(at) = at.as_ref().filter(|_| moment < earliest) {
        return Err(source.at(at, "a coupon cannot be paid with before it was given").into());
    }
    let payment = Redeem {
        total_amount: *total_fen,
        consume_mchid: merchant.clone(),
        transaction_id: transaction_id.clone(),
        ..Redeem::default()
    };
    match payment::pay_in(db, id, &payment, moment).map_err(storage)? {
        Ok(_) => Ok(moment),
        Err(error) => Err(told(error, entry, source, "paid with")),
    }
}

fn refund(
    db: &Connection,
    id: i64,
    entry: &Spanned<RefundedEntry>,
    earliest: Moment,
    source: &Source,
    world: World<'_>,
) -> Result<(), MirrorError> {
    let RefundedEntry { at, amount_fen } = entry.get_ref();
    let moment = past(at.as_ref(), earliest, source, world)?;
    if let Some(at) = at.as_ref().filter(|_| moment < earliest) {
        return Err(source.at(at, "a payment cannot be refunded before it was made").into());
    }
    match payment::refund_in(db, id, Refund { amount: *amount_fen }, moment).map_err(storage)? {
        Ok(_) => Ok(()),
        Err(error) => Err(told(error, entry, source, "refunded")),
    }
}

/// A moment that is not in the future.
fn past(
    given: Option<&Spanned<When>>,
    default: Moment,
    source: &Source,
    world: World<'_>,
) -> Result<Moment, SeedError> {
    let Some(when) = given else { return Ok(default) };
    let moment = when.get_ref().moment(world.now);
    if moment > world.now {
        return Err(source.at(when, "what has been done cannot lie in the future"));
    }
    Ok(moment)
}

fn told<T>(error: MirrorError, entry: &Spanned<T>, source: &Source, what: &str) -> MirrorError {
    match error {
        MirrorError::Refused { reason } => {
            source.at(entry, format!("the coupon cannot be {what}: {reason}")).into()
        }
        other => other,
    }
}

impl GivenEntry {
    /// What of the entry a refusal is about.
    fn place_of(&self, refusal: &Refusal) -> usize {
        let field = refusal.detail.as_ref().and_then(|detail| detail["field"].as_str());
        let place = match (refusal.rule.id, field) {
            (_, Some("/out_request_no")) | ("send.number_reused", _) => {
                self.out_request_no.as_ref().map(Spanned::span)
            }
            (_, Some("/appid")) | ("send.appid" | "send.openid", _) => self.appid.as_ref().map(Spanned::span),
            ("send.state" | "send.window", _) => self.at.as_ref().map(Spanned::span),
            ("send.cross_merchant" | "send.not_a_sender", _) => self.sender.as_ref().map(Spanned::span),
            _ => None,
        };
        place.unwrap_or_else(|| self.openid.span()).start
    }
}
