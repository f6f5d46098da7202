//! `favor campaign discard` and `purge`: a plan given up, and people forgotten.

use anyhow::Context as _;
use serde_json::json;

use super::find::find;
use super::place::Place;
use crate::args::{Global, OneCampaign};
use crate::confirm::confirm_forever;
use crate::exit::Exit;
use crate::output::Output;

pub(crate) async fn discard(args: &OneCampaign, global: &Global, output: &Output) -> anyhow::Result<Exit> {
    let opened = Place::of(&args.place, global)?.open_beside().await?;
    let books = opened.books();
    let campaign = find(&*books, &args.name).await?;
    books.discard(campaign.id).await.with_context(|| format!("campaign {}", args.name))?;
    opened.close().await;
    if output.is_json() {
        output.json(&json!({ "name": args.name.as_str(), "discarded": true }))?;
    } else {
        output.line(&format!("campaign {} is no longer in the ledger", args.name))?;
    }
    Ok(Exit::Done)
}

pub(crate) async fn purge(args: &OneCampaign, global: &Global, output: &Output) -> anyhow::Result<Exit> {
    let opened = Place::of(&args.place, global)?.open_beside().await?;
    let books = opened.books();
    let campaign = find(&*books, &args.name).await?;
    let people = campaign.standing.people;
    confirm_forever(
        global.yes,
        &format!(
            "forget the openids of {people} people of campaign {}: it can then not be started, retried or audited \
             again, and its report names nobody",
            args.name
        ),
    )?;
    let forgotten = books.purge(campaign.id).await.with_context(|| format!("campaign {}", args.name))?;
    opened.close().await;
    if output.is_json() {
        output.json(&json!({ "name": args.name.as_str(), "forgotten": forgotten }))?;
    } else {
        output.line(&format!("{forgotten} people forgotten"))?;
    }
    Ok(Exit::Done)
}
