//! `favor card code …` and `favor card user-cards`.

use favor_card::{
    CardId, Code, CodeRef, CodeState, CodeStatus, Codes, CodesOrCount, DepositedCodes, DisableCode, GetCode,
    MarkCode, UpdateCode,
};
use serde_json::json;

use super::{Desk, file};
use crate::args::{self, CardCode, CardCodes, CodesOfFile, UserCards};
use crate::exit::{Exit, Partly};
use crate::output::Output;
use crate::stock::local;

/// As many as one call takes.
const BATCH: usize = 100;

pub(crate) async fn run(desk: &Desk<'_>, command: &CardCodes) -> anyhow::Result<Exit> {
    let codes = Codes::new(&desk.client);
    match command {
        CardCodes::Get(args) => get(desk, &codes, args).await?,
        CardCodes::Consume(args) => consume(desk, &codes, args).await?,
        CardCodes::Decrypt { encrypted } => {
            let decrypted = codes.decrypt(&encrypted.read()?).await?;
            if desk.output.is_json() {
                desk.output.json(&*decrypted)?;
            } else {
                desk.output.line(decrypted.code.as_str())?;
            }
        }
        CardCodes::Update(args) => update(desk, &codes, args).await?,
        CardCodes::Disable(args) => disable(desk, &codes, args).await?,
        CardCodes::Mark(args) => mark(desk, &codes, args).await?,
        CardCodes::Deposit(args) => return deposit(desk, &codes, args).await,
        CardCodes::Check(args) => return check(desk, &codes, args).await,
        CardCodes::Count { card_id } => {
            let deposited = codes.deposit_count(card_id).await?;
            if desk.output.is_json() {
                desk.output.json(&*deposited)?;
            } else {
                desk.output.line(&format!("{} codes are deposited for {card_id}", deposited.count))?;
            }
        }
    }
    Ok(Exit::Done)
}

async fn get(desk: &Desk<'_>, codes: &Codes, args: &CardCode) -> anyhow::Result<()> {
    let mut request = GetCode::new(args.code.code()?, false);
    request.card_id = args.card.clone();
    let state = codes.get(&request).await?;
    if desk.output.is_json() {
        return desk.output.json(&*state);
    }
    desk.output.facts(facts(&state))
}

fn facts(state: &CodeState) -> Vec<(&'static str, String)> {
    let mut facts =
        vec![("card", state.card.card_id.to_string()), ("holder", state.openid.as_str().to_owned())];
    if let Some(status) = &state.user_card_status {
        facts.push(("status", words(status)));
    }
    facts.push(("can be redeemed", if state.can_consume { "yes" } else { "no" }.to_owned()));
    if let (Some(begin), Some(end)) = (&state.card.begin_time, &state.card.end_time) {
        facts.push(("valid", format!("{} to {}", local(begin), local(end))));
    }
    let more = [
        ("channel", state.outer_str.clone()),
        ("member number", state.membership_number.clone()),
        ("points", state.bonus.map(|bonus| bonus.to_string())),
        ("balance", state.balance.map(|balance| balance.to_string())),
        ("order", state.order_id.clone()),
    ];
    facts.extend(more.into_iter().filter_map(|(name, value)| Some((name, value.filter(|v| !v.is_empty())?))));
    facts
}

pub(crate) fn words(status: &CodeStatus) -> String {
    let words = match status {
        CodeStatus::Normal => "usable",
        CodeStatus::Consumed => "redeemed",
        CodeStatus::Expired => "expired",
        CodeStatus::Gifting => "offered to a friend",
        CodeStatus::GiftTaken => "taken by a friend",
        CodeStatus::GiftLapsed => "back, as no friend took it",
        CodeStatus::Deleted => "deleted by its holder",
        CodeStatus::Unavailable => "made invalid",
        other => return other.to_string(),
    };
    format!("{words} ({status})")
}

async fn consume(desk: &Desk<'_>, codes: &Codes, args: &CardCode) -> anyhow::Result<()> {
    let mut code = CodeRef::new(args.code.code()?);
    code.card_id = args.card.clone();
    desk.confirm("redeem a code, which cannot be undone,")?;
    let consumed = codes.consume(&code).await?;
    if desk.output.is_json() {
        return desk.output.json(&*consumed);
    }
    desk.output.facts([
        ("redeemed", format!("one of {}", consumed.card.card_id)),
        ("holder", consumed.openid.as_str().to_owned()),
    ])
}

async fn update(desk: &Desk<'_>, codes: &Codes, args: &args::UpdateCode) -> anyhow::Result<()> {
    let mut request = UpdateCode::new(args.code.code()?, args.new_code.code()?);
    request.card_id = Some(args.card_id.clone());
    desk.confirm(&format!("change a code of card {}", args.card_id))?;
    codes.update(&request).await?;
    desk.done(&json!({"card_id": args.card_id, "updated": true}), "the code is changed")
}

async fn disable(desk: &Desk<'_>, codes: &Codes, args: &args::DisableCode) -> anyhow::Result<()> {
    let mut request = DisableCode::new(args.which.code.code()?);
    request.card_id = args.which.card.clone();
    request.reason = args.reason.clone();
    desk.confirm("make a code invalid, which cannot be undone,")?;
    codes.disable(&request).await?;
    desk.done(&json!({"disabled": true}), "the code is invalid")
}

async fn mark(desk: &Desk<'_>, codes: &Codes, args: &args::MarkCode) -> anyhow::Result<()> {
    let (code, openid) = (args.code.code()?, args.openid.openid()?);
    let request = MarkCode::new(code, args.card_id.clone(), openid, !args.release);
    let (asked, said) = if args.release {
        ("let go of a reserved code", "the code is free again")
    } else {
        ("reserve a code", "the code is reserved for about five minutes")
    };
    desk.confirm(&format!("{asked} of card {}", args.card_id))?;
    codes.mark(&request).await?;
    desk.done(&json!({"card_id": args.card_id, "marked": !args.release}), said)
}

#[derive(Default)]
struct Deposited {
    taken: i64,
    known: i64,
    refused: i64,
    refused_codes: Vec<Code>,
    /// Of which no answer has come.
    left: usize,
}

impl Deposited {
    fn add(&mut self, sent: usize, answer: &DepositedCodes) {
        self.left = self.left.saturating_sub(sent);
        let count = |codes: &Option<CodesOrCount>| codes.as_ref().map_or(0, CodesOrCount::count);
        self.taken = self.taken.saturating_add(count(&answer.succ_code));
        self.known = self.known.saturating_add(count(&answer.duplicate_code));
        self.refused = self.refused.saturating_add(count(&answer.fail_code));
        if let Some(codes) = &answer.fail_code {
            self.refused_codes.extend_from_slice(codes.codes());
        }
    }

    fn show(&self, id: &CardId, output: &Output) -> anyhow::Result<()> {
        if output.is_json() {
            return output.json(&json!({
                "card_id": id, "taken": self.taken, "known": self.known, "refused": self.refused,
                "refused_codes": self.refused_codes, "left": self.left,
            }));
        }
        let mut facts = vec![
            ("taken", self.taken.to_string()),
            ("there already", self.known.to_string()),
            ("refused", self.refused.to_string()),
        ];
        if self.left > 0 {
            facts.push(("left", self.left.to_string()));
        }
        output.facts(facts)?;
        self.refused_codes.iter().try_for_each(|code| output.line(&format!("refused: {code}")))
    }
}

async fn deposit(desk: &Desk<'_>, codes: &Codes, args: &CodesOfFile) -> anyhow::Result<Exit> {
    let all = file::codes(&args.file)?;
    let id = &args.card_id;
    desk.confirm(&format!("deposit {} codes for card {id}", all.len()))?;
    let mut sum = Deposited { left: all.len(), ..Deposited::default() };
    for batch in all.chunks(BATCH) {
        match codes.deposit(id, batch).await {
            Ok(answer) => sum.add(batch.len(), &answer),
            Err(error) if sum.left == all.len() => return Err(error.into()),
            Err(error) => {
                // Why it ended matters more than a reader who is gone.
                let _ = sum.show(id, desk.output);
                let there = sum.taken.saturating_add(sum.known);
                let done = format!(
                    "broken off: {there} of {} codes are deposited, {} refused, {} left",
                    all.len(),
                    sum.refused,
                    sum.left
                );
                let rest = "the same command goes on: codes that are there already stay as they are";
                return Err(Partly { done, rest, error }.into());
            }
        }
    }
    sum.show(id, desk.output)?;
    Ok(if sum.refused > 0 { Exit::Refused } else { Exit::Done })
}

async fn check(desk: &Desk<'_>, codes: &Codes, args: &CodesOfFile) -> anyhow::Result<Exit> {
    let (mut there, mut missing) = (Vec::new(), Vec::new());
    for batch in file::codes(&args.file)?.chunks(BATCH) {
        let checked = codes.check(&args.card_id, batch).await?.into_value();
        there.extend(checked.exist_code);
        missing.extend(checked.not_exist_code);
    }
    if desk.output.is_json() {
        desk.output.json(&json!({"card_id": args.card_id, "deposited": there, "missing": missing}))?;
    } else {
        let (here, not) = (there.len().to_string(), missing.len().to_string());
        desk.output.facts([("deposited", here), ("missing", not)])?;
        for code in &missing {
            desk.output.line(&format!("missing: {code}"))?;
        }
    }
    Ok(if missing.is_empty() { Exit::Done } else { Exit::Refused })
}

pub(crate) async fn of_user(desk: &Desk<'_>, args: &UserCards) -> anyhow::Result<()> {
    let held = Codes::new(&desk.client).list_of_user(&args.openid.openid()?, args.card.as_ref()).await?;
    if desk.output.is_json() {
        return desk.output.json(&*held);
    }
    let row = |card: &CardId, code: &Code| [card.to_string(), code.to_string()];
    let rows = held.card_list.iter().map(|one| row(&one.card_id, &one.code)).collect();
    desk.output.rows(["card", "code"], rows, "no cards")
}
