//! `favor campaign pause`, `resume` and `stop`: orders to those who work on a campaign.

use anyhow::Context as _;
use chrono::TimeDelta;
use favor_campaign::{CampaignName, Order, Standing};

use super::find::find;
use super::next::Command;
use super::place::Place;
use super::shown;
use crate::args::{Global, LedgerPlace, OneCampaign, PauseCampaign};
use crate::exit::Exit;
use crate::output::Output;

pub(crate) async fn pause(args: &PauseCampaign, global: &Global, output: &Output) -> anyhow::Result<Exit> {
    let order = |standing: &Standing| {
        let until = args.length.map(|length| {
            let length = TimeDelta::from_std(length).ok();
            length.and_then(|length| standing.now.checked_add_signed(length)).context("--for is too long")
        });
        Ok(Order::Pause { reason: args.reason.clone(), until: until.transpose()?, by_operator: true })
    };
    give(&args.name, &args.place, order, global, output).await?;
    let next = Command::new("resume", &args.name, &args.place, global);
    output.talk(format!("workers wait within a second; {next} lets them go on"));
    Ok(Exit::Done)
}

pub(crate) async fn resume(args: &OneCampaign, global: &Global, output: &Output) -> anyhow::Result<Exit> {
    let after = give(&args.name, &args.place, |_| Ok(Order::Resume), global, output).await?;
    if after.workers == 0 {
        let next = Command::new("start", &args.name, &args.place, global);
        output.talk(format!("nobody works on it now: {next} does, unless a worker is running"));
    }
    Ok(Exit::Done)
}

pub(crate) async fn stop(args: &OneCampaign, global: &Global, output: &Output) -> anyhow::Result<Exit> {
    give(&args.name, &args.place, |_| Ok(Order::Stop), global, output).await?;
    let next = Command::new("start", &args.name, &args.place, global);
    output.talk(format!("workers end within a second; {next} starts it again where it stands"));
    Ok(Exit::Done)
}

/// Gives the order that fits how the campaign stands, and shows how it stands then.
async fn give(
    name: &CampaignName,
    place: &LedgerPlace,
    order: impl FnOnce(&Standing) -> anyhow::Result<Order>,
    global: &Global,
    output: &Output,
) -> anyhow::Result<Standing> {
    let opened = Place::of(place, global)?.open_beside().await?;
    let books = opened.books();
    let campaign = find(&*books, name).await?;
    let order = order(&campaign.standing)?;
    let standing = books.order(campaign.id, order).await.with_context(|| format!("campaign {name}"))?;
    opened.close().await;
    if output.is_json() {
        output.json(&shown::campaign(&campaign.manifest, &standing))?;
    } else {
        output.facts(shown::facts(&campaign.manifest, &standing))?;
    }
    Ok(standing)
}
