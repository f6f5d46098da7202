//! Sub-merchants: shops for which an account issues cards, and the stores' own mini programs.

use rusqlite::Connection;
use serde_json::{Value, json};

use super::ask::{Ask, Failed, Told, ensure, told};
use super::base_info::is_picture;
use super::body::{Body, number_of};
use super::event::{self, Field};
use super::record::SubMerchantReview;
use crate::ledger::card::things::{self, Thing};
use crate::moment::Moment;
use crate::rules::card::{
    CARD_STATUS, CATEGORY, IMAGE_URL, MEDIA_ID, PARAMETER, POI, REQUIRED, SUB_MERCHANT, TIME,
};

/// How a sub-merchant is kept.
pub(super) const KIND: &str = "sub_merchant";
const PAGE: i64 = 100;
/// How long uploaded papers are kept.
const MEDIA_DAYS: i64 = 3;
/// Number, name, and the same of what is under it.
type Category = (i64, &'static str, [(i64, &'static str); 2]);
/// Categories and what is under them. The vendor changes its own at will; these stand for them.
const CATEGORIES: [Category; 2] = [
    (1, "Food", [(101, "Cantonese"), (102, "Tea and coffee")]),
    (2, "Shops", [(201, "Supermarkets"), (202, "Clothes")]),
];

/// What was sent about a sub-merchant, checked.
fn info<'a>(ask: &Ask<'a>) -> Result<Body<'a>, Failed> {
    let info = ask.body.object("info")?.ok_or(&REQUIRED)?;
    info.needed("brand_name", 36, &REQUIRED)?;
    ensure(is_picture(info.needed("logo_url", 128, &REQUIRED)?), &IMAGE_URL)?;
    let own_account = info.text("app_id", 128)?.is_some_and(|appid| !appid.is_empty());
    let licence = info.text("agreement_media_id", 512)?.is_some_and(|media| !media.is_empty());
    ensure(own_account || licence, &REQUIRED)?;
    info.needed("protocol", 512, &REQUIRED)?;
    for key in ["protocol", "agreement_media_id", "operator_media_id"] {
        if let Some(media) = info.text(key, 512)?.filter(|media| !media.is_empty()) {
            let kept = things::find(ask.db, ask.appid, "media", media)?.ok_or(&MEDIA_ID)?;
            ensure(ask.now < kept.created.plus_days(MEDIA_DAYS), &MEDIA_ID)?;
        }
    }
    ensure(info.number("end_time")?.ok_or(&REQUIRED)? > ask.now.seconds(), &TIME)?;
    let primary = info.number("primary_category_id")?.ok_or(&REQUIRED)?;
    let secondary = info.number("secondary_category_id")?.ok_or(&REQUIRED)?;
    let fits = CATEGORIES
        .iter()
        .any(|(id, _, under)| *id == primary && under.iter().any(|(id, _)| *id == secondary));
    ensure(fits, &CATEGORY)?;
    Ok(info)
}

fn record(info: Body<'_>, id: i64, created: Moment, now: Moment) -> Value {
    json!({
        "merchant_id": id,
        "app_id": info.0.get("app_id").cloned().unwrap_or_else(|| "".into()),
        "create_time": created.seconds(),
        "update_time": now.seconds(),
        "brand_name": info.0.get("brand_name"),
        "logo_url": info.0.get("logo_url"),
        "status": "CHECKING",
        "begin_time": created.seconds(),
        "end_time": info.0.get("end_time").and_then(number_of),
        "primary_category_id": info.0.get("primary_category_id").and_then(number_of),
        "secondary_category_id": info.0.get("secondary_category_id").and_then(number_of),
    })
}

/// The authorisation runs out by itself.
fn shown(mut body: Value, now: Moment) -> Value {
    if body["status"] == "APPROVED" && body["end_time"].as_i64().is_some_and(|end| now.seconds() > end) {
        body["status"] = "EXPIRED".into();
    }
    body
}

fn found(db: &Connection, appid: &str, id: i64) -> Result<Thing, Failed> {
    things::find(db, appid, KIND, &id.to_string())?.ok_or_else(|| (&SUB_MERCHANT).into())
}

/// Whether cards may be made for it.
pub(super) fn is_approved(ask: &Ask<'_>, id: i64) -> Result<bool, Failed> {
    Ok(shown(found(ask.db, ask.appid, id)?.body, ask.now)["status"] == "APPROVED")
}

/// `POST /card/submerchant/submit`
pub(super) fn submit(ask: &Ask<'_>) -> Told {
    let info = info(ask)?;
    let id = things::next(ask.db, ask.appid, KIND)?;
    let body = record(info, id, ask.now, ask.now);
    things::insert(ask.db, ask.appid, KIND, (id, &id.to_string()), &body, ask.now)?;
    Ok(told! {"info": body})
}

/// `POST /card/submerchant/update`: it is reviewed again.
pub(super) fn update(ask: &Ask<'_>) -> Told {
    let info = info(ask)?;
    let id = info.number("merchant_id")?.ok_or(&SUB_MERCHANT)?;
    let held = found(ask.db, ask.appid, id)?;
    let body = record(info, id, held.created, ask.now);
    things::update(ask.db, ask.appid, (KIND, &id.to_string()), &body, ask.now)?;
    Ok(told! {"info": body})
}

/// `POST /card/submerchant/get`
pub(super) fn get(ask: &Ask<'_>) -> Told {
    let id = ask.body.number("merchant_id")?.ok_or(&SUB_MERCHANT)?;
    Ok(told! {"info": shown(found(ask.db, ask.appid, id)?.body, ask.now)})
}

/// `POST /card/submerchant/batchget`
pub(super) fn list(ask: &Ask<'_>) -> Told {
    let after = ask.body.number("begin_id")?.unwrap_or(0);
    let limit = ask.body.number("limit")?.ok_or(&PARAMETER)?;
    ensure((1..=PAGE).contains(&limit), &PARAMETER)?;
    let status = ask.body.text("status", 32)?.filter(|status| !status.is_empty());
    let all = things::all(ask.db, ask.appid, KIND)?;
    let page: Vec<Value> = all
        .into_iter()
        .map(|thing| shown(thing.body, ask.now))
        .filter(|body| body["merchant_id"].as_i64().is_some_and(|id| id > after))
        .filter(|body| status.is_none_or(|status| body["status"] == status))
        .take(usize::try_from(limit).unwrap_or(0))
        .collect();
    let last = page.last().and_then(|body| body["merchant_id"].as_i64()).unwrap_or(after);
    Ok(told! {"info_list": page, "next_begin_id": last})
}

/// `GET /card/getapplyprotocol`
pub(super) fn categories(_: &Ask<'_>) -> Told {
    let secondary = |(id, name): &(i64, &str)| {
        json!({
            "secondary_category_id": id, "category_name": name, "need_qualification_stuffs": [],
            "can_choose_prepaid_card": 1, "can_choose_payment_card": 1,
        })
    };
    let list: Vec<Value> = CATEGORIES
        .iter()
        .map(|(id, name, under)| {
            json!({
                "primary_category_id": id, "category_name": name,
                "secondary_category": under.iter().map(secondary).collect::<Vec<_>>(),
            })
        })
        .collect();
    Ok(told! {"category": list})
}

/// The review of a sub-merchant answers.
pub(crate) fn review(ask: &Ask<'_>, id: i64, refused: Option<&str>) -> Result<SubMerchantReview, Failed> {
    let mut body = found(ask.db, ask.appid, id)?.body;
    ensure(body["status"] == "CHECKING", &CARD_STATUS)?;
    let status = if refused.is_some() { "REJECTED" } else { "APPROVED" };
    body["status"] = status.into();
    things::update(ask.db, ask.appid, (KIND, &id.to_string()), &body, ask.now)?;
    let fields = [
        ("MerchantId", Field::Number(id)),
        ("IsPass", Field::Number(i64::from(refused.is_none()))),
        ("Reason", Field::Text(refused.unwrap_or_default())),
    ];
    event::raise(ask.db, ask.appid, "", "card_merchant_check_result", &fields, ask.now)?;
    Ok(SubMerchantReview { merchant_id: id, status: status.to_owned() })
}

/// The store that a call names.
fn store(ask: &Ask<'_>) -> Result<String, Failed> {
    let id = ask.body.number("poi_id")?.filter(|id| *id > 0).ok_or(&POI)?;
    Ok(id.to_string())
}

/// `POST /card/storewxa/get`
pub(super) fn store_card(ask: &Ask<'_>) -> Told {
    match things::find(ask.db, ask.appid, "store", &store(ask)?)? {
        Some(held) => Ok(told! {"card_id": held.body}),
        None => Ok(told! {}),
    }
}

/// `POST /card/storewxa/set`
pub(super) fn set_store_card(ask: &Ask<'_>) -> Told {
    let (store, card) = (store(ask)?, ask.card()?);
    let body = Value::from(card.card_id);
    if things::find(ask.db, ask.appid, "store", &store)?.is_some() {
        things::update(ask.db, ask.appid, ("store", &store), &body, ask.now)?;
    } else {
        let id = things::next(ask.db, ask.appid, "store")?;
        things::insert(ask.db, ask.appid, "store", (id, &store), &body, ask.now)?;
    }
    Ok(told! {})
}
