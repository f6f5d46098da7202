//! `favor campaign list` and `history`.

use favor_campaign::OutcomeState;
use favor_core::time;
use serde_json::json;

use super::find::find;
use super::place::Place;
use super::shown;
use crate::args::{Global, LedgerPlace, OneCampaign};
use crate::exit::Exit;
use crate::output::Output;
use crate::stock::local;

pub(crate) async fn campaigns(args: &LedgerPlace, global: &Global, output: &Output) -> anyhow::Result<Exit> {
    let opened = Place::of(args, global)?.open_read_only().await?;
    let campaigns = opened.books().campaigns().await?;
    opened.close().await;
    if output.is_json() {
        for campaign in &campaigns {
            output.json(&shown::campaign(&campaign.manifest, &campaign.standing))?;
        }
        return Ok(Exit::Done);
    }
    let rows = campaigns.iter().map(|campaign| {
        let count = |state| campaign.standing.count(state).to_string();
        [
            campaign.manifest.name.to_string(),
            shown::state(&campaign.standing),
            campaign.manifest.stock_id.to_string(),
            campaign.standing.people.to_string(),
            count(OutcomeState::Sent),
            count(OutcomeState::Refused),
            count(OutcomeState::Parked),
            count(OutcomeState::Unknown),
            count(OutcomeState::Open),
            local(&campaign.manifest.planned_at),
        ]
    });
    let heading =
        ["campaign", "state", "stock", "people", "sent", "refused", "parked", "unknown", "open", "planned"];
    output.rows(heading, rows.collect(), "no campaigns")?;
    Ok(Exit::Done)
}

pub(crate) async fn history(args: &OneCampaign, global: &Global, output: &Output) -> anyhow::Result<Exit> {
    let opened = Place::of(&args.place, global)?.open_read_only().await?;
    let books = opened.books();
    let campaign = find(&*books, &args.name).await?;
    let history = books.history(campaign.id).await?;
    opened.close().await;
    if output.is_json() {
        for entry in &history {
            let at = time::to_wire(&entry.at);
            output.json(&json!({ "at": at, "what": entry.what, "detail": entry.detail }))?;
        }
        return Ok(Exit::Done);
    }
    let rows = history
        .into_iter()
        .map(|entry| [local(&entry.at), entry.what, entry.detail.unwrap_or_default()])
        .collect();
    output.rows(["at", "what", "detail"], rows, "nothing has happened")?;
    Ok(Exit::Done)
}
