//! `/datacube`: what happened on each day, up to yesterday.

use serde_json::{Map, Value};

use super::ask::{Ask, Failed, Told, ensure, told};
use super::body::Body;
use crate::ledger::card::cards::{self, Card};
use crate::ledger::card::happenings;
use crate::moment::{Moment, day_number};
use crate::rules::card::{CARD_ID, DATE_FORMAT, DATE_RANGE, MEMBER_CARD, PARAMETER};

/// Most days in one answer.
const LONGEST: i64 = 62;
const DAY_SECONDS: i64 = 24 * 60 * 60;
const BEIJING_OFFSET: i64 = 8 * 60 * 60;
/// The types of free coupons, and their numbers in the answers.
const COUPONS: [(&str, i64); 5] =
    [("DISCOUNT", 0), ("CASH", 1), ("GIFT", 2), ("GENERAL_COUPON", 3), ("GROUPON", 4)];

/// The days asked for.
fn days(ask: &Ask<'_>) -> Result<std::ops::RangeInclusive<i64>, Failed> {
    let day = |key: &str| -> Result<i64, Failed> {
        let text = ask.body.text(key, 64)?.ok_or(&DATE_FORMAT)?;
        // The calendar's parser is content with fewer digits.
        ensure(text.len() == 10, &DATE_FORMAT)?;
        Ok(day_number(text).ok_or(&DATE_FORMAT)?)
    };
    let (begin, end) = (day("begin_date")?, day("end_date")?);
    let fits = begin <= end && end - begin < LONGEST && end < ask.now.beijing_day();
    ensure(fits, &DATE_RANGE)?;
    Ok(begin..=end)
}

/// Whether cards made through the API are asked for. There are no others here.
fn of_api(ask: &Ask<'_>) -> Result<bool, Failed> {
    match ask.body.number("cond_source")? {
        Some(0) => Ok(false),
        Some(1) => Ok(true),
        _ => Err((&PARAMETER).into()),
    }
}

fn date(day: i64) -> String {
    Moment::from_millis((day * DAY_SECONDS - BEIJING_OFFSET) * 1_000)
        .date_time()
        .format("%Y-%m-%d")
        .to_string()
}

/// Figures of one day; none when nothing happened.
fn row(
    ask: &Ask<'_>,
    cards: &[i64],
    day: i64,
    kinds: &[(&str, &str)],
) -> Result<Option<Map<String, Value>>, Failed> {
    let mut row = Map::new();
    let mut sum = 0;
    row.insert("ref_date".to_owned(), date(day).into());
    for (kind, name) in kinds {
        let (times, people) = if *kind == "expire" {
            let first = day * DAY_SECONDS - BEIJING_OFFSET;
            happenings::expired(ask.db, cards, (first, first + DAY_SECONDS - 1))?
        } else {
            happenings::counted(ask.db, cards, kind, day)?
        };
        sum += times;
        row.insert(format!("{name}_cnt"), times.into());
        row.insert(format!("{name}_user"), people.into());
    }
    Ok((sum > 0).then_some(row))
}

const USUAL: [(&str, &str); 5] = [
    ("view", "view"),
    ("receive", "receive"),
    ("verify", "verify"),
    ("given", "given"),
    ("expire", "expire"),
];

fn numbers(cards: &[Card]) -> Vec<i64> {
    cards.iter().map(|card| card.id).collect()
}

/// `POST /datacube/getcardbizuininfo`
pub(super) fn summary(ask: &Ask<'_>) -> Told {
    let days = days(ask)?;
    let mut list = Vec::new();
    if of_api(ask)? {
        let all = numbers(&cards::all(ask.db, ask.appid)?);
        for day in days {
            list.extend(row(ask, &all, day, &USUAL)?);
        }
    }
    Ok(told! {"list": list})
}

/// `POST /datacube/getcardcardinfo`
pub(super) fn cards(ask: &Ask<'_>) -> Told {
    let days = days(ask)?;
    let wanted = ask.body.optional_card_id()?;
    if let Some(card_id) = wanted {
        ask.card_named(card_id)?;
    }
    let mut list = Vec::new();
    if of_api(ask)? {
        let all = cards::all(ask.db, ask.appid)?;
        let number =
            |card: &Card| COUPONS.iter().find(|(known, _)| *known == card.card_type).map(|(_, n)| *n);
        for day in days {
            for card in all.iter().filter(|card| wanted.is_none_or(|wanted| wanted == card.card_id)) {
                let Some(kind) = number(card) else { continue };
                if let Some(mut row) = row(ask, &[card.id], day, &USUAL)? {
                    row.insert("card_id".to_owned(), card.card_id.clone().into());
                    row.insert("card_type".to_owned(), kind.into());
                    list.push(row);
                }
            }
        }
    }
    Ok(told! {"list": list})
}

const OF_MEMBERS: [(&str, &str); 3] = [("view", "view"), ("receive", "receive"), ("verify", "verify")];

/// `POST /datacube/getcardmembercardinfo`
pub(super) fn members(ask: &Ask<'_>) -> Told {
    let days = days(ask)?;
    let mut list = Vec::new();
    if of_api(ask)? {
        let mut found = cards::all(ask.db, ask.appid)?;
        found.retain(|card| card.card_type == "MEMBER_CARD");
        let all = numbers(&found);
        for day in days {
            let (actives, people) = happenings::counted(ask.db, &all, "active", day)?;
            let held = row(ask, &all, day, &OF_MEMBERS)?;
            let Some(mut row) = with_zeros(held, actives > 0, day, &OF_MEMBERS) else { continue };
            row.insert("active_user".to_owned(), people.into());
            totals(ask, &all, day, &mut row)?;
            list.push(row);
        }
    }
    Ok(told! {"list": list})
}

/// The row; one of zeros where something else happened.
fn with_zeros(
    row: Option<Map<String, Value>>,
    something: bool,
    day: i64,
    kinds: &[(&str, &str)],
) -> Option<Map<String, Value>> {
    row.or_else(|| {
        something.then(|| {
            let mut row = Map::new();
            row.insert("ref_date".to_owned(), date(day).into());
            for (_, name) in kinds {
                row.insert(format!("{name}_cnt"), 0.into());
                row.insert(format!("{name}_user"), 0.into());
            }
            row
        })
    })
}

fn totals(ask: &Ask<'_>, cards: &[i64], day: i64, row: &mut Map<String, Value>) -> Result<(), Failed> {
    let (people, claims) = happenings::total(ask.db, cards, day)?;
    row.insert("total_user".to_owned(), people.into());
    row.insert("total_receive_user".to_owned(), claims.into());
    Ok(())
}

/// `POST /datacube/getcardmembercarddetail`
pub(super) fn member_card(ask: &Ask<'_>) -> Told {
    let days = days(ask)?;
    let card = ask.card_named(ask.body.optional_card_id()?.ok_or(&CARD_ID)?)?;
    ensure(card.card_type == "MEMBER_CARD", &MEMBER_CARD)?;
    let base = card.body["base_info"].as_object().cloned().unwrap_or_default();
    let sub = Body(&base).object("sub_merchant_info")?.map(|sub| sub.number("merchant_id"));
    let sub = sub.transpose()?.flatten().unwrap_or(0);
    let mut list = Vec::new();
    for day in days {
        let one = [card.id];
        let (times, people) = happenings::counted(ask.db, &one, "active", day)?;
        let (fee, due) = happenings::paid(ask.db, &one, day)?;
        let held = row(ask, &one, day, &OF_MEMBERS)?;
        let Some(mut row) = with_zeros(held, times > 0 || due > 0, day, &OF_MEMBERS) else { continue };
        for (key, value) in [
            ("cardid", Value::from(card.card_id.clone())),
            // 1 is the account itself, 2 a sub-merchant of it.
            ("merchanttype", Value::from(if sub > 0 { 2 } else { 1 })),
            ("submerchantid", sub.into()),
            ("active_cnt", times.into()),
            ("active_user", people.into()),
            ("new_user", happenings::newcomers(ask.db, &one, day)?.into()),
            ("payOriginalFee", due.into()),
            ("fee", fee.into()),
        ] {
            row.insert(key.to_owned(), value);
        }
        totals(ask, &one, day, &mut row)?;
        list.push(row);
    }
    Ok(told! {"list": list})
}
