//! `favor campaign report`: what became of every coupon.

use std::path::Path;

use anyhow::bail;
use favor_campaign::report::{self, OpenidForm, ReportOptions, Summary};
use serde_json::json;

use super::find::find;
use super::place::Place;
use super::shown;
use crate::args::{Global, ReportCampaign};
use crate::exit::Exit;
use crate::output::Output;
use crate::progress;
use crate::stock::local;

pub(crate) async fn run(args: &ReportCampaign, global: &Global, output: &Output) -> anyhow::Result<Exit> {
    if let Some(file) = &args.out {
        demand_free(file, args.replace)?;
    }
    let opened = Place::of(&args.place, global)?.open_read_only().await?;
    let books = opened.books();
    let campaign = find(&*books, &args.name).await?;
    let bar = progress::bar(output, "reading", campaign.standing.people);
    let form = if args.hash_openids { OpenidForm::Sha256 } else { OpenidForm::Plain };
    let options = ReportOptions::default().openids(form).states(args.state.iter().copied()).codes(&args.code);
    let options = options.progress({
        let bar = bar.clone();
        move |people| bar.set_position(people)
    });
    let summary = match &args.out {
        Some(file) if is_json_lines(file) => {
            report::write_json_lines_file(&*books, &campaign, file, options).await
        }
        Some(file) => report::write_csv_file(&*books, &campaign, file, options).await,
        None => report::summary(&*books, &campaign).await,
    };
    bar.finish_and_clear();
    let summary = summary?;
    opened.close().await;
    if output.is_json() {
        let mut object = serde_json::to_value(&summary)?;
        object["file"] = json!(args.out);
        output.json(&object)?;
        return Ok(Exit::Done);
    }
    output.facts(facts(&summary))?;
    if let Some(file) = &args.out {
        output.talk(format!("{} has a line for each coupon; only you can read it", file.display()));
    }
    Ok(Exit::Done)
}

/// An error where a file of this name is there, unless it is to be replaced.
pub(crate) fn demand_free(file: &Path, replace: bool) -> anyhow::Result<()> {
    if file.exists() && !replace {
        bail!("{} is there already; --replace replaces it", file.display());
    }
    Ok(())
}

fn is_json_lines(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "jsonl" || extension == "ndjson")
}

fn facts(summary: &Summary) -> Vec<(&str, String)> {
    let mut facts = vec![
        ("campaign", summary.name.to_string()),
        ("state", summary.state.to_owned()),
        ("stock", summary.stock_id.to_string()),
        ("people", format!("{}, {} of them have a coupon", summary.people, summary.people_with_coupons)),
        ("coupons", summary.coupons.to_string()),
    ];
    for (state, count) in &summary.states {
        let codes = summary.codes.iter().filter(|one| one.state == *state);
        let codes: Vec<_> = codes.map(|one| format!("{} {}", one.code, one.count)).collect();
        let codes = if codes.is_empty() { String::new() } else { format!(" ({})", codes.join(", ")) };
        facts.push((state, format!("{count}{codes}")));
    }
    if let Some(given) = summary.given_yuan {
        facts.push(("given", format!("{given:.2} yuan")));
    }
    facts
        .push(("attempts", format!("{}, {} coupons took more than one", summary.attempts, summary.repeated)));
    for (name, moment) in [("first try", &summary.first_tried_at), ("last answer", &summary.last_settled_at)]
    {
        if let Some(moment) = moment {
            facts.push((name, local(moment)));
        }
    }
    if let (Some(seconds), Some(rate)) = (summary.seconds, summary.per_second) {
        facts.push(("took", format!("{}, {rate}/s", shown::length(std::time::Duration::from_secs(seconds)))));
    }
    facts
}
