//! Puts into the store what a seed says and the store lacks.

use std::collections::HashSet;
use std::time::Duration;

use rusqlite::Connection;
use serde_json::{Map, Value, json};
use toml::Spanned;

use super::entry::Stage;
use super::given::{self, Stock};
use super::{MerchantEntry, Seed, SeedError, Source, StockEntry, UserEntry, When};
use crate::directory::Directory;
use crate::error::MirrorError;
use crate::ledger::users::UserState;
use crate::ledger::{callbacks, prefunds, requests, stocks, users};
use crate::merchant::{DEFAULT_MCHID, KnownMerchant, MerchantSeed};
use crate::moment::Moment;
use crate::rules::lifecycle::{Action, LifecycleView};
use crate::rules::readings::Readings;
use crate::rules::start::StartView;
use crate::rules::{Refusal, ensure, parameter};
use crate::stock::{self, NewStock, StockState, lifecycle};

/// What a seed is put into.
#[derive(Debug, Clone, Copy)]
pub(crate) struct World<'a> {
    pub(crate) merchants: &'a Directory,
    /// How long a new stock cannot be started.
    pub(crate) start_delay: Duration,
    /// Face value in fen that a merchant may give one user in a month.
    pub(crate) monthly_cap: Option<i64>,
    /// What the test clock shows.
    pub(crate) now: Moment,
}

/// The merchants of a seed, each with a way to say where it is.
pub(crate) fn merchants(
    seed: &Seed,
    now: Moment,
) -> impl Iterator<Item = Result<(MerchantSeed, impl Fn(String) -> SeedError + '_), SeedError>> + '_ {
    let source = &seed.source;
    seed.file.merchants.iter().map(move |entry| {
        let given = entry.get_ref();
        let private_key_pem = match (&given.private_key_pem, &given.private_key_file) {
            (Some(pem), _) => Some(pem.get_ref().clone()),
            (None, Some(file)) => {
                let path = source.folder.join(file.get_ref());
                let read = std::fs::read_to_string(&path);
                Some(read.map_err(|error| {
                    source.at(file, format!("{} cannot be read: {error}", path.display()))
                })?)
            }
            (None, None) => None,
        };
        let merchant = MerchantSeed {
            appids: given.appids.as_ref().map(|appids| appids.get_ref().clone()).unwrap_or_default(),
            balance_fen: given.balance_fen.as_ref().map_or(0, |balance| *balance.get_ref()),
            private_key_pem,
            api_v3_key: given.api_v3_key.as_ref().map(|key| key.get_ref().clone()),
            certificate: given.certificate,
            certificate_expires: given
                .certificate_expires
                .as_ref()
                .map(|when| when.get_ref().moment(now).date_time()),
            product_permission: given.product_permission,
            event_permission: given.event_permission,
            public_key_only: given.public_key_only,
            brand: given.brand.clone(),
            service_provider: given.service_provider.as_ref().map(|provider| provider.get_ref().clone()),
            ..MerchantSeed::new(given.mchid.get_ref().clone())
        };
        let key = given.private_key_pem.as_ref().map(Spanned::span);
        let key = key.or(given.private_key_file.as_ref().map(Spanned::span));
        let place = key.map_or(entry.span().start, |span| span.start);
        Ok((merchant, move |reason| source.error(place, reason)))
    })
}

/// How a merchant that the store holds differs from what a seed says.
pub(crate) fn note_differences(held: &KnownMerchant, seed: &MerchantSeed) -> Option<String> {
    let differs = [
        ("appids", !seed.appids.is_empty() && seed.appids != held.public.appids),
        ("api_v3_key", seed.api_v3_key.as_ref().is_some_and(|key| *key != held.public.api_v3_key)),
        ("product_permission", seed.product_permission != held.product_permission),
        ("event_permission", seed.event_permission != held.event_permission),
        ("public_key_only", seed.public_key_only != held.public_key_only),
        ("brand", seed.brand != held.brand),
        ("service_provider", seed.service_provider != held.service_provider),
    ];
    let names: Vec<_> = differs.iter().filter(|(_, differs)| *differs).map(|(name, _)| *name).collect();
    (!names.is_empty()).then(|| {
        format!("merchant {}: the data file goes before the seed in {}", held.mchid(), names.join(", "))
    })
}

/// Users, stocks and cards. Says what the store held already and held otherwise.
pub(crate) fn apply(db: &Connection, seed: &Seed, world: World<'_>) -> Result<Vec<String>, MirrorError> {
    let mut notes = Vec::new();
    for entry in &seed.file.merchants {
        if let Some(provider) = &entry.get_ref().service_provider {
            known(world, provider, &seed.source, "service provider")?;
        }
    }
    let appids: HashSet<&str> =
        world.merchants.all().flat_map(|merchant| &merchant.public.appids).map(String::as_str).collect();
    for user in &seed.file.users {
        notes.extend(put_user(db, user.get_ref(), &appids, &seed.source)?);
    }
    for merchant in &seed.file.merchants {
        notes.extend(put_callback(db, merchant.get_ref(), world.now)?);
    }
    for (index, stock) in seed.file.stocks.iter().enumerate() {
        notes.extend(put_stock(db, stock, index, &seed.source, world)?);
    }
    notes.extend(super::cards::apply(db, &seed.file, &seed.source, world)?);
    prefunds::release_ended(db, world.now).map_err(storage)?;
    Ok(notes)
}

pub(super) fn storage(error: rusqlite::Error) -> MirrorError {
    MirrorError::Storage(Box::new(error))
}

pub(super) fn known<'a>(
    world: World<'a>,
    mchid: &Spanned<String>,
    source: &Source,
    role: &str,
) -> Result<std::sync::Arc<KnownMerchant>, SeedError> {
    let find = world.merchants.find(mchid.get_ref());
    find.ok_or_else(|| source.at(mchid, format!("{role} {} is no merchant of this mirror", mchid.get_ref())))
}

fn put_callback(db: &Connection, entry: &MerchantEntry, now: Moment) -> Result<Option<String>, MirrorError> {
    let Some(url) = entry.callback_url.as_ref().map(Spanned::get_ref) else { return Ok(None) };
    let mchid = entry.mchid.get_ref();
    let Some(held) = callbacks::find(db, mchid).map_err(storage)? else {
        callbacks::save(db, mchid, url, entry.callback_switch, now).map_err(storage)?;
        return Ok(None);
    };
    let pushes = callbacks::target(db, mchid).map_err(storage)?.is_some();
    let same = held == *url && pushes == entry.callback_switch;
    Ok((!same).then(|| format!("merchant {mchid}: the data file goes before the seed in callback_url")))
}

fn put_user(
    db: &Connection,
    entry: &UserEntry,
    appids: &HashSet<&str>,
    source: &Source,
) -> Result<Option<String>, MirrorError> {
    if let Some(appid) = &entry.appid
        && !appids.contains(appid.get_ref().as_str())
    {
        let reason = format!("appid {} is bound to no merchant of this mirror", appid.get_ref());
        return Err(source.at(appid, reason).into());
    }
    let wanted = UserState {
        appid: entry.appid.as_ref().map(|appid| appid.get_ref().clone()),
        abnormal: entry.abnormal,
        risky: entry.risky,
        person: entry.person.clone(),
    };
    let openid = entry.openid.get_ref();
    match users::find(db, openid).map_err(storage)? {
        Some(held) if held == wanted => Ok(None),
        Some(_) => Ok(Some(format!("user {openid}: the data file goes before the seed"))),
        None => {
            users::save(db, openid, &wanted).map_err(storage)?;
            Ok(None)
        }
    }
}

/// When the steps of a stock's life are taken.
struct Times {
    created: Moment,
    started: Moment,
    /// The latest moment at which something can still be done to it.
    last: Moment,
}

impl Times {
    fn of(entry: &StockEntry, world: World<'_>) -> (Self, Moment, Moment) {
        let at = |when: &Option<Spanned<When>>, default: When| {
            when.as_ref().map_or(default, |when| *when.get_ref()).moment(world.now)
        };
        let begins = at(&entry.begin, When::NOW);
        let ends = entry.end.as_ref().map_or(begins.plus_days(30), |when| when.get_ref().moment(world.now));
        let delay = i64::try_from(world.start_delay.as_millis()).unwrap_or(i64::MAX);
        let created = match &entry.created {
            Some(when) => when.get_ref().moment(world.now),
            None => begins.min(world.now).plus_millis(-delay),
        };
        let started = created.plus(world.start_delay).min(world.now);
        (Self { created, started, last: ends.min(world.now).max(started) }, begins, ends)
    }
}

fn put_stock(
    db: &Connection,
    spanned: &Spanned<StockEntry>,
    index: usize,
    source: &Source,
    world: World<'_>,
) -> Result<Option<String>, MirrorError> {
    let entry = spanned.get_ref();
    let creator = match &entry.creator {
        Some(mchid) => known(world, mchid, source, "creator")?,
        None => world.merchants.find(DEFAULT_MCHID).ok_or(MirrorError::NotFound { what: "merchant" })?,
    };
    for sender in &entry.senders {
        known(world, sender, source, "sender")?;
    }
    let (times, begins, ends) = Times::of(entry, world);
    if let Some(created) = entry.created.as_ref().filter(|_| times.created > world.now) {
        return Err(source.at(created, "a stock cannot have been created in the future").into());
    }
    let number = match &entry.out_request_no {
        Some(number) => number.get_ref().clone(),
        None => format!("seed_{}", index + 1),
    };
    let refused = |what: &str, refusal: &Refusal| {
        let field = refusal.detail.as_ref().and_then(|detail| detail["field"].as_str());
        let late = (refusal.rule.id == "start.too_soon").then_some(entry.created.as_ref()).flatten();
        let place = field
            .and_then(|field| entry.place_of(field))
            .or(late.map(|created| created.span().start))
            .unwrap_or(spanned.span().start);
        let rule = refusal.rule;
        let message = refusal.message().trim_end();
        let reason = format!("the stock cannot be {what}: {} ({} {message})", rule.explanation, rule.code);
        MirrorError::from(source.error(place, reason))
    };
    if let Some(earlier) = requests::earlier_create(db, creator.mchid(), &number).map_err(storage)? {
        let held = stocks::find(db, earlier.made).map_err(storage)?;
        let lacks = lacks_coupons(db, entry, creator.mchid(), &number)?;
        return Ok(held
            .filter(|held| lacks || differs(held, entry))
            .map(|held| format!("stock {} ({number}): the data file goes before the seed", held.id)));
    }
    let body = create_body(entry, creator.mchid(), &number, begins, ends)
        .ok_or_else(|| source.at(&entry.coupons, "the budget of this stock is beyond any number"))?;
    let plane = !body.values().any(parameter::outside_basic_plane);
    let new = ensure(plane, &parameter::PLANE)
        .and_then(|()| NewStock::read(&body))
        .map_err(|refusal| refused("created", &refusal))?;
    let view = stock::create_view(&creator, world.merchants, &new, Readings::default());
    let (id, _) = stock::create_in(db, view, &new, times.created)
        .map_err(storage)?
        .map_err(|refusal| refused("created", &refusal))?;
    for sender in &entry.senders {
        stocks::add_sender(db, id, sender.get_ref()).map_err(storage)?;
    }
    let act = |action: Action, what: &str| -> Result<(), MirrorError> {
        let view = LifecycleView {
            mchid: creator.mchid().to_owned(),
            product_permission: creator.product_permission,
            stock: None,
            readings: Readings::default(),
        };
        lifecycle::act_in(db, view, Some(id), action, creator.mchid(), times.last)
            .map_err(storage)?
            .map(drop)
            .map_err(|refusal| refused(what, &refusal))
    };
    if matches!(entry.state, Stage::Running | Stage::Paused) {
        let view = StartView {
            mchid: creator.mchid().to_owned(),
            product_permission: creator.product_permission,
            stock: None,
            balance: 0,
            running_elsewhere: 0,
            delay: world.start_delay,
            readings: Readings::default(),
        };
        stock::start_in(db, view, Some(id), creator.mchid(), times.started)
            .map_err(storage)?
            .map_err(|refusal| refused("started", &refusal))?;
    }
    let stock = Stock { id, creator: creator.mchid(), number: &number, open: times.started.max(begins) };
    for given in entry.given.iter().enumerate() {
        given::give(db, stock, given, source, world)?;
    }
    match entry.state {
        Stage::Created | Stage::Running => {}
        Stage::Audit => stocks::mark_reviewed(db, id, true).map_err(storage)?,
        Stage::Paused => act(Action::Pause, "paused")?,
        Stage::Stopped => act(Action::Stop, "stopped")?,
    }
    Ok(None)
}

/// Whether a stock made earlier under the number is another one.
fn differs(held: &StockState, entry: &StockEntry) -> bool {
    held.name != *entry.name.get_ref()
        || held.coupon_amount != *entry.coupon_amount_fen.get_ref()
        || held.transaction_minimum != *entry.threshold_fen.get_ref()
        || held.max_coupons != *entry.coupons.get_ref()
        || held.max_coupons_per_user != entry.per_user
        || held.no_cash != entry.no_cash
}

/// Whether a coupon of the seed was never given.
fn lacks_coupons(
    db: &Connection,
    entry: &StockEntry,
    creator: &str,
    stock: &str,
) -> Result<bool, MirrorError> {
    for (index, given) in entry.given.iter().enumerate() {
        let number = given.number(stock, index);
        if requests::earlier_send(db, given.sender(creator), &number).map_err(storage)?.is_none() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What a client would send; none when the budget is beyond 64 bits.
fn create_body(
    entry: &StockEntry,
    creator: &str,
    number: &str,
    begins: Moment,
    ends: Moment,
) -> Option<Map<String, Value>> {
    let max_amount = entry.coupons.get_ref().checked_mul(*entry.coupon_amount_fen.get_ref())?;
    let mut body = json!({
        "stock_name": entry.name.get_ref(),
        "belong_merchant": creator,
        "available_begin_time": begins.rfc3339(),
        "available_end_time": ends.rfc3339(),
        "stock_use_rule": {
            "max_coupons": entry.coupons.get_ref(),
            "max_amount": max_amount,
            "max_coupons_per_user": entry.per_user,
            "natural_person_limit": entry.natural_person_limit,
            "prevent_api_abuse": entry.prevent_api_abuse,
        },
        "coupon_use_rule": {
            "fixed_normal_coupon": {
                "coupon_amount": entry.coupon_amount_fen.get_ref(),
                "transaction_minimum": entry.threshold_fen.get_ref(),
            },
            "available_merchants": entry
                .merchants
                .as_ref()
                .map_or_else(|| vec![creator.to_owned()], |merchants| merchants.get_ref().clone()),
        },
        "no_cash": entry.no_cash,
        "stock_type": "NORMAL",
        "out_request_no": number,
    });
    if let Some(amount) = &entry.daily_budget_fen {
        body["stock_use_rule"]["max_amount_by_day"] = json!(amount.get_ref());
    }
    if let Some(items) = &entry.items {
        body["coupon_use_rule"]["available_items"] = json!(items.get_ref());
    }
    if let Some(tags) = &entry.goods_tag {
        body["coupon_use_rule"]["goods_tag"] = json!(tags.get_ref());
    }
    if let Some(kinds) = &entry.trade_type {
        body["coupon_use_rule"]["trade_type"] = json!(kinds.get_ref());
    }
    if !entry.combine_use {
        body["coupon_use_rule"]["combine_use"] = json!(false);
    }
    if entry.second_day_available || entry.minutes_after_receive.is_some() || entry.hours.is_some() {
        let mut time = json!({ "second_day_available": entry.second_day_available });
        if let Some(hours) = &entry.hours {
            time["fix_available_time"] = hours.get_ref().body();
        }
        if let Some(minutes) = entry.minutes_after_receive {
            time["available_time_after_receive"] = json!(minutes);
        }
        body["coupon_use_rule"]["coupon_available_time"] = time;
    }
    if let Some(comment) = &entry.comment {
        body["comment"] = json!(comment);
    }
    if let Some(description) = &entry.description {
        body["pattern_info"] = json!({ "description": description });
    }
    match body {
        Value::Object(body) => Some(body),
        _ => None,
    }
}
