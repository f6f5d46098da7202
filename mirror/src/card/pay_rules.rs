//! Rules by which who pays is given a member card.

use serde_json::{Value, json};

use super::ask::{Ask, Failed, Told, ensure, told};
use super::body::{Body, number_of};
use crate::ledger::card::cards;
use crate::ledger::card::things;
use crate::rules::card::{BAD_PARAMETER, MEMBER_CARD, NO_MATCH, PARAMETER, REQUIRED, RULE_ID, TIME};

const KIND: &str = "pay_rule";
const MEMBERS: &str = "RULE_TYPE_PAY_MEMBER_CARD";
const PAGE: i64 = 100;

/// `POST /card/paygiftcard/add`: merchants with a rule already are told apart.
pub(super) fn add(ask: &Ask<'_>) -> Told {
    let rule = ask.body.object("rule_info")?.ok_or(&REQUIRED)?;
    ensure(rule.text("type", 64)? == Some(MEMBERS), &PARAMETER)?;
    let base = rule.object("base_info")?.ok_or(&REQUIRED)?;
    let member = rule.object("member_rule")?.ok_or(&REQUIRED)?;
    let (begin, end) =
        (base.number("begin_time")?.ok_or(&REQUIRED)?, base.number("end_time")?.ok_or(&REQUIRED)?);
    ensure(begin <= end && end > ask.now.seconds(), &TIME)?;
    check_member(ask, member)?;
    let wanted = base.texts("mchid_list")?.filter(|list| !list.is_empty()).ok_or(&REQUIRED)?;
    let (mut taken, mut kept) = (Vec::new(), Vec::new());
    for mchid in wanted {
        match holder(ask, mchid)? {
            Some(rule) => taken.push(json!({
                "mchid": mchid, "errcode": 72004, "errmsg": "mchid is occupied", "occupy_rule_id": rule,
                "occupy_appid": ask.appid,
            })),
            None => kept.push(mchid),
        }
    }
    let id = things::next(ask.db, ask.appid, KIND)?;
    let mut whole = Value::Object(rule.0.clone());
    whole["base_info"]["mchid_list"] = json!(kept);
    things::insert(ask.db, ask.appid, KIND, (id, &id.to_string()), &whole, ask.now)?;
    Ok(told! {"rule_id": id, "fail_mchid_list": taken, "succ_mchid_list": kept})
}

fn check_member(ask: &Ask<'_>, member: Body<'_>) -> Result<(), Failed> {
    let card = cards::find(ask.db, member.card_id()?)?.filter(|card| card.appid == ask.appid);
    ensure(card.ok_or(&NO_MATCH)?.card_type == "MEMBER_CARD", &MEMBER_CARD)?;
    let least = member.number("least_cost")?.ok_or(&REQUIRED)?;
    let most = member.number("max_cost")?.ok_or(&REQUIRED)?;
    ensure(0 <= least && least <= most, &BAD_PARAMETER)?;
    for key in ["jump_url", "app_brand_id", "app_brand_pass"] {
        member.text(key, 128)?;
    }
    Ok(())
}

/// Whether a rule is in force.
fn is_effective(ask: &Ask<'_>, rule: &Value) -> bool {
    number_of(&rule["base_info"]["end_time"]).is_some_and(|end| end >= ask.now.seconds())
}

/// The rule in force that a merchant has already.
fn holder(ask: &Ask<'_>, mchid: &str) -> Result<Option<i64>, Failed> {
    let all = things::all(ask.db, ask.appid, KIND)?;
    let has = |rule: &Value| {
        rule["base_info"]["mchid_list"].as_array().is_some_and(|list| list.iter().any(|held| held == mchid))
    };
    Ok(all.iter().find(|thing| is_effective(ask, &thing.body) && has(&thing.body)).map(|thing| thing.id))
}

fn shown(ask: &Ask<'_>, thing: things::Thing) -> Value {
    let mut rule = thing.body;
    let status = if is_effective(ask, &rule) { "RULE_STATUS_OK" } else { "RULE_STATUS_EXPIRED" };
    rule["base_info"]["status"] = status.into();
    rule["base_info"]["create_time"] = thing.created.seconds().into();
    rule["base_info"]["update_time"] = thing.updated.seconds().into();
    rule
}

/// `POST /card/paygiftcard/delete`
pub(super) fn delete(ask: &Ask<'_>) -> Told {
    let id = ask.body.number("rule_id")?.ok_or(&RULE_ID)?;
    ensure(things::delete(ask.db, ask.appid, KIND, &id.to_string())?, &RULE_ID)?;
    Ok(told! {})
}

/// `POST /card/paygiftcard/getbyid`
pub(super) fn get(ask: &Ask<'_>) -> Told {
    let id = ask.body.number("rule_id")?.ok_or(&RULE_ID)?;
    let rule = things::find(ask.db, ask.appid, KIND, &id.to_string())?.ok_or(&RULE_ID)?;
    Ok(told! {"rule_info": shown(ask, rule)})
}

/// `POST /card/paygiftcard/batchget`
pub(super) fn list(ask: &Ask<'_>) -> Told {
    ensure(ask.body.text("type", 64)? == Some(MEMBERS), &PARAMETER)?;
    let effective = ask.body.flag("effective")?.unwrap_or(false);
    let offset = ask.body.number("offset")?.unwrap_or(0);
    let count = ask.body.number("count")?.ok_or(&PARAMETER)?;
    ensure(offset >= 0 && (1..=PAGE).contains(&count), &PARAMETER)?;
    let mut all = things::all(ask.db, ask.appid, KIND)?;
    all.retain(|thing| !effective || is_effective(ask, &thing.body));
    let total = all.len();
    let page: Vec<Value> = all
        .into_iter()
        .skip(usize::try_from(offset).unwrap_or(usize::MAX))
        .take(usize::try_from(count).unwrap_or(0))
        .map(|thing| shown(ask, thing))
        .collect();
    Ok(told! {"total_count": total, "rule_list": page})
}
