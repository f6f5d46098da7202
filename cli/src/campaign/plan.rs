//! `favor campaign plan`: a list and a stock become a campaign. Nothing is sent.

use anyhow::{Context as _, bail};
use favor_campaign::list::{self, ListProgress};
use favor_campaign::{
    CampaignName, Imported, ListFacts, ListSource, Manifest, OpenValue, Overlap, Plan, SortedList,
    import_with, overlap,
};
use favor_core::Client;
use serde_json::json;

use super::next::Command;
use super::place::{Opened, Place};
use super::{again, policy_file, shown};
use crate::args::{DailyBudget, Global, PlanCampaign};
use crate::exit::Exit;
use crate::output::Output;
use crate::progress;
use crate::settings::Settings;

/// How many rows that are passed over are shown.
const SHOWN: usize = 10;

pub(crate) async fn run(args: &PlanCampaign, global: &Global, output: &Output) -> anyhow::Result<Exit> {
    let settings = Settings::load(global)?;
    let client = settings.client()?;
    let place = Place::of(&args.place, global)?;
    // Whatever can be wrong without the list is said before it is read.
    let name = name(args)?;
    let mut manifest = manifest(args, &name, &settings, &client)?;

    let mut list = read(args, output).await?;
    let facts = list.facts().clone();
    show_problems(&list, args, output);
    if facts.malformed > 0 && !args.skip_bad_rows {
        bail!(
            "{} of {} rows of the list cannot be read: mend them, or leave these people out with --skip-bad-rows",
            facts.malformed,
            facts.rows
        );
    }
    manifest.list = facts;
    let plan = Plan::make(&client, manifest, &mut list).await?;
    show_findings(&plan, output);
    if !plan.may_start() && !args.anyway {
        print(&plan, &list, Done::Refused, &[], output)?;
        output.complain(
            "error",
            "it cannot go well as things are, so nothing was written; --anyway plans it all the same",
        );
        return Ok(Exit::Refused);
    }
    if args.dry_run {
        print(&plan, &list, Done::Dry, &[], output)?;
        output.talk("a dry run: nothing was written, and nothing was sent");
        return Ok(Exit::Done);
    }

    let opened = place.open_or_make().await?;
    let imported = import(&opened, &plan.manifest, &mut list, output)
        .await
        .with_context(|| format!("{place}: the same favor campaign plan goes on where this one stopped"))?;
    let books = opened.books();
    let overlaps = overlap(&*books, imported.campaign).await?;
    let gets_more = again::show(&overlaps, output);
    if gets_more && !args.allow_again && !imported.was_planned {
        books.discard(imported.campaign).await?;
        opened.close().await;
        print(&plan, &list, Done::Refused, &overlaps, output)?;
        output.complain(
            "error",
            "people of another campaign would get coupons of the stock once more, so the plan was taken back; --allow-again \
             plans it all the same",
        );
        return Ok(Exit::Refused);
    }
    opened.close().await;
    let done = if imported.was_planned { Done::Before } else { Done::Now };
    print(&plan, &list, done, &overlaps, output)?;
    let start = Command::new("start", &name, &args.place, global);
    output.talk(match done {
        Done::Before => format!("it was planned before, and nothing was changed; {start} sends"),
        _ => format!("planned, and nothing was sent; {start} sends"),
    });
    Ok(Exit::Done)
}

/// What became of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    Now,
    Before,
    Dry,
    Refused,
}

/// The name that is given; else that of the list's file.
fn name(args: &PlanCampaign) -> anyhow::Result<CampaignName> {
    if let Some(name) = &args.name {
        return Ok(name.clone());
    }
    let file = args.list.file_name().and_then(|file| file.to_str()).unwrap_or_default();
    let stem = file.split('.').next().unwrap_or_default();
    CampaignName::new(stem)
        .ok()
        .filter(|_| stem != "-")
        .context("the list's file has no name that a campaign can have: give it one with --name")
}

fn manifest(
    args: &PlanCampaign,
    name: &CampaignName,
    settings: &Settings,
    client: &Client,
) -> anyhow::Result<Manifest> {
    let merchant = settings.merchant_id().clone();
    let creator = args.creator.clone().unwrap_or_else(|| merchant.clone());
    let appid = settings.appid(args.appid.as_ref())?;
    let mut manifest = Manifest::new(
        name.clone(),
        merchant,
        args.stock.clone(),
        creator,
        appid,
        ListFacts::default(),
        client.now(),
    );
    if let Some(key) = &args.key {
        manifest.key.clone_from(key);
    }
    manifest.coupons_per_person = args.coupons_per_person;
    if let (Some(coupon_value), Some(coupon_minimum)) = (args.coupon_value, args.coupon_minimum) {
        manifest.open_value = Some(OpenValue { coupon_value, coupon_minimum });
    }
    manifest.pace.per_second = args.rate;
    manifest.pace.in_flight = args.in_flight;
    manifest.pace.windows.clone_from(&args.window);
    if let Some(ramp_up) = args.ramp_up {
        manifest.pace.ramp_up_seconds = ramp_up.as_secs().try_into().context("--ramp-up is too long")?;
    }
    manifest.pace.check()?;
    if let Some(file) = &args.policy {
        manifest.policy = policy_file::read(file).context("--policy")?;
    }
    if let Some(then) = args.daily_budget {
        manifest.policy.wait_for_next_day = then == DailyBudget::Wait;
    }
    Ok(manifest)
}

async fn read(args: &PlanCampaign, output: &Output) -> anyhow::Result<SortedList> {
    let mut source = ListSource::new(&args.list);
    if let Some(column) = &args.openid_column {
        source = source.openid_column(column);
    }
    if let Some(column) = &args.unionid_column {
        source = source.unionid_column(column);
    }
    if let Some(file) = &args.problems {
        source = source.problems_file(file);
    }
    let bar = progress::bytes(output, "reading");
    let shown = bar.clone();
    source = source.progress(move |read: ListProgress| {
        if let Some(total) = read.total {
            shown.set_length(total);
        }
        shown.set_position(read.bytes);
    });
    let list = tokio::task::spawn_blocking(move || list::read(&source)).await?;
    bar.finish_and_clear();
    Ok(list?)
}

async fn import(
    opened: &Opened,
    manifest: &Manifest,
    list: &mut SortedList,
    output: &Output,
) -> anyhow::Result<Imported> {
    let bar = progress::bar(output, "importing", manifest.list.people);
    let books = opened.books();
    let imported = import_with(&*books, manifest, list, |imported| bar.set_position(imported.people)).await;
    bar.finish_and_clear();
    Ok(imported?)
}

fn show_problems(list: &SortedList, args: &PlanCampaign, output: &Output) {
    for problem in list.problems().iter().take(SHOWN) {
        output.talk(problem.to_string());
    }
    let facts = list.facts();
    let all = facts.duplicates.saturating_add(facts.malformed);
    let more = all.saturating_sub(SHOWN.try_into().unwrap_or(u64::MAX));
    if more > 0 {
        output.talk(match &args.problems {
            Some(file) => format!("and {more} more, all of them in {}", file.display()),
            None => format!("and {more} more; --problems FILE writes all of them"),
        });
    }
}

fn show_findings(plan: &Plan, output: &Output) {
    for finding in &plan.findings {
        output.talk(format!("{finding}: {}", finding.hint));
    }
}

fn print(
    plan: &Plan,
    list: &SortedList,
    done: Done,
    overlaps: &[Overlap],
    output: &Output,
) -> anyhow::Result<()> {
    let (manifest, estimate) = (&plan.manifest, &plan.estimate);
    if output.is_json() {
        let problems: Vec<_> = list.problems().iter().take(SHOWN).collect();
        return output.json(&json!({
            "name": manifest.name.as_str(),
            "key": manifest.key,
            "merchant_id": manifest.merchant_id.as_str(),
            "stock_id": manifest.stock_id.as_str(),
            "appid": manifest.appid.as_str(),
            "list": manifest.list,
            "problems": problems,
            "findings": plan.findings,
            "coupons": estimate.coupons,
            "value_fen": estimate.value,
            "seconds": estimate.takes.as_secs(),
            "days_by_budget": estimate.budget_days,
            "overlaps": overlaps,
            "planned": matches!(done, Done::Now | Done::Before),
            "was_planned": done == Done::Before,
        }));
    }
    let list = &manifest.list;
    let mut facts = vec![
        ("campaign", manifest.name.to_string()),
        ("stock", manifest.stock_id.to_string()),
        ("people", list.people.to_string()),
        ("rows", list.rows.to_string()),
        ("duplicates", list.duplicates.to_string()),
        ("malformed", list.malformed.to_string()),
        ("coupons", estimate.coupons.to_string()),
    ];
    if let Some(value) = estimate.value {
        facts.push(("worth", value.to_string()));
    }
    facts.push(("takes about", shown::length(estimate.takes)));
    output.facts(facts)
}
