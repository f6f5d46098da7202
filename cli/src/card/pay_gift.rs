//! `favor card pay-gift …`

use favor_card::{ListPayGifts, PayGiftRule, PayGiftType, PayGifts};
use serde_json::json;

use super::{Desk, file};
use crate::args::PayGift;
use crate::exit::Exit;
use crate::stock::local;

/// As many as are asked for at a time.
const PAGE: i64 = 50;

pub(crate) async fn run(desk: &Desk<'_>, command: &PayGift) -> anyhow::Result<Exit> {
    let rules = PayGifts::new(&desk.client);
    match command {
        PayGift::Add(args) => {
            let rule: PayGiftRule = file::object(&args.file, "rule_info", desk.output)?;
            desk.confirm("add a rule by which paying gives a member card")?;
            return add(desk, &rules, &rule).await;
        }
        PayGift::List { effective } => list(desk, &rules, *effective).await?,
        PayGift::Get(args) => {
            let answer = rules.get(args.rule_id).await?;
            if desk.output.is_json() {
                desk.output.json(&answer.rule_info)?;
            } else {
                desk.output.facts(facts(&answer.rule_info))?;
            }
        }
        PayGift::Delete(args) => {
            let id = args.rule_id;
            desk.confirm(&format!("delete rule {id}"))?;
            rules.delete(id).await?;
            desk.done(
                &json!({"rule_id": id, "deleted": true}),
                &format!("rule {id} is deleted; cards that users have stay"),
            )?;
        }
    }
    Ok(Exit::Done)
}

async fn add(desk: &Desk<'_>, rules: &PayGifts, rule: &PayGiftRule) -> anyhow::Result<Exit> {
    let added = rules.add(rule).await?;
    if desk.output.is_json() {
        desk.output.json(&*added)?;
    } else {
        let mut facts = vec![("rule", added.rule_id.to_string())];
        if !added.succ_mchid_list.is_empty() {
            let merchants: Vec<_> = added.succ_mchid_list.iter().map(ToString::to_string).collect();
            facts.push(("holds for", merchants.join(", ")));
        }
        for failed in &added.fail_mchid_list {
            let mut why = failed.code().map_or_else(
                || failed.errmsg.clone().unwrap_or_default(),
                |code| format!("{} ({code})", code.meaning()),
            );
            if let Some(other) = failed.occupy_rule_id {
                why.push_str(&format!(": rule {other}"));
            }
            if let Some(account) = &failed.occupy_appid {
                why.push_str(&format!(" of account {account}"));
            }
            facts.push(("not for", format!("{}: {why}", failed.mchid)));
        }
        desk.output.facts(facts)?;
    }
    Ok(if added.fail_mchid_list.is_empty() { Exit::Done } else { Exit::Refused })
}

async fn list(desk: &Desk<'_>, rules: &PayGifts, effective: bool) -> anyhow::Result<()> {
    let mut all = Vec::new();
    loop {
        let offset = i64::try_from(all.len())?;
        let page = rules
            .list(&ListPayGifts::new(PayGiftType::MemberCard, effective, offset, PAGE))
            .await?
            .into_value();
        let is_last = page.rule_list.is_empty();
        all.extend(page.rule_list);
        if is_last || i64::try_from(all.len())? >= page.total_count {
            break;
        }
    }
    if desk.output.is_json() {
        return all.iter().try_for_each(|rule| desk.output.json(rule));
    }
    if all.iter().any(|rule| id(rule).is_empty()) {
        desk.output.talk("the platform does not say the rules' numbers here: add prints them");
    }
    let rows = all.iter().map(row).collect();
    desk.output.rows(["rule", "card", "payments", "merchants", "from", "until"], rows, "no rules")
}

/// Rules of a list name themselves by `rule_id`, which no page documents.
fn id(rule: &PayGiftRule) -> String {
    rule.extra.get("rule_id").map(|id| id.to_string().trim_matches('"').to_owned()).unwrap_or_default()
}

fn payments(rule: &PayGiftRule) -> String {
    rule.member_rule
        .as_ref()
        .map(|member| format!("{} to {}", member.least_cost, member.max_cost))
        .unwrap_or_default()
}

fn card(rule: &PayGiftRule) -> String {
    rule.member_rule.as_ref().map(|member| member.card_id.to_string()).unwrap_or_default()
}

fn row(rule: &PayGiftRule) -> [String; 6] {
    let base = &rule.base_info;
    [
        id(rule),
        card(rule),
        payments(rule),
        base.mchid_list.len().to_string(),
        local(&base.begin_time),
        local(&base.end_time),
    ]
}

fn facts(rule: &PayGiftRule) -> Vec<(&'static str, String)> {
    let base = &rule.base_info;
    let merchants: Vec<_> = base.mchid_list.iter().map(ToString::to_string).collect();
    let mut facts = vec![
        ("rule", id(rule)),
        ("type", rule.kind.to_string()),
        ("card", card(rule)),
        ("payments", payments(rule)),
        ("merchants", merchants.join(", ")),
        ("from", local(&base.begin_time)),
        ("until", local(&base.end_time)),
        ("status", base.status.as_ref().map(ToString::to_string).unwrap_or_default()),
    ];
    facts.retain(|(_, value)| !value.is_empty());
    facts
}
