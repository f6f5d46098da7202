//! `favor campaign reconcile`: sends, notifications and flow files matched coupon by coupon.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use favor_campaign::report::OpenidForm;
use favor_campaign::{
    Books, Campaign, FlowCover, ReconcileOptions, Reconciled, Reconciliation, State, Totals,
};
use favor_core::{ErrorCode, Timestamp};
use favor_stock::{DownloadOptions, Flow, FlowError, Stocks};
use serde_json::json;

use super::find::find;
use super::place::Place;
use super::report::demand_free;
use crate::args::{Global, ReconcileCampaign};
use crate::callback;
use crate::exit::Exit;
use crate::output::Output;
use crate::progress;
use crate::settings::Settings;

/// How many differences are shown as a table.
const SHOWN: usize = 50;

pub(crate) async fn run(args: &ReconcileCampaign, global: &Global, output: &Output) -> anyhow::Result<Exit> {
    for file in args.out.iter().chain(&args.differences) {
        demand_free(file, args.replace)?;
    }
    let opened = Place::of(&args.place, global)?.open_read_only().await?;
    let books = opened.books();
    let campaign = find(&*books, &args.name).await?;
    let client = Settings::load(global)?.client()?;
    let stocks = Stocks::created_by(&client, campaign.manifest.stock_creator_mchid.clone());

    let mut matching = Reconciliation::new(campaign.manifest.stock_id.clone(), &ReconcileOptions::default());
    matching.add_stock(&stocks.get(&campaign.manifest.stock_id).await?.into_value())?;
    add_sends(&mut matching, &*books, &campaign, output).await?;
    opened.close().await;
    if !args.no_inbox {
        let inbox = callback::place::Place::of(&args.inbox, global)?.open_read_only().await;
        let inbox = inbox.context("notifications cannot be matched; --no-inbox leaves them out")?;
        matching.add_inbox(&*inbox.inbox(), args.inbox_since).await?;
        inbox.close().await;
    }
    // Kept until everything is read.
    let folder = tempfile::tempdir()?;
    let flows = flows(args, &stocks, &campaign, folder.path(), output).await?;
    let reconciled = tokio::task::spawn_blocking({
        let now = client.now();
        move || finish(matching, flows, now)
    });
    let reconciled = reconciled.await??;
    if let Some(file) = &args.out {
        let form = OpenidForm::Plain;
        if file.extension().is_some_and(|extension| extension == "jsonl" || extension == "ndjson") {
            reconciled.write_json_lines_file(file, form)?;
        } else {
            reconciled.write_coupons_csv_file(file, form)?;
        }
    }
    if let Some(file) = &args.differences {
        reconciled.write_differences_csv_file(file)?;
    }
    print(&reconciled, args, output)?;
    Ok(if reconciled.is_clean() { Exit::Done } else { Exit::Refused })
}

/// Takes the sends of every campaign on the stock: the platform's side does not tell them apart.
async fn add_sends(
    matching: &mut Reconciliation,
    books: &dyn Books,
    campaign: &Campaign,
    output: &Output,
) -> anyhow::Result<()> {
    for other in books.campaigns().await? {
        let is_there =
            other.manifest.stock_id == campaign.manifest.stock_id && other.standing.state != State::Importing;
        if !is_there {
            continue;
        }
        if other.id != campaign.id {
            output.talk(format!(
                "campaign {} sends the same stock, and is matched with it",
                other.manifest.name
            ));
        }
        matching.add_campaign(books, &other).await?;
    }
    Ok(())
}

/// The flow files to read.
#[derive(Debug, Default)]
struct Flows {
    uses: Vec<(PathBuf, FlowCover)>,
    refunds: Vec<PathBuf>,
}

async fn flows(
    args: &ReconcileCampaign,
    stocks: &Stocks,
    campaign: &Campaign,
    folder: &Path,
    output: &Output,
) -> anyhow::Result<Flows> {
    let mut flows = Flows::default();
    if args.no_flows {
        return Ok(flows);
    }
    if !args.use_flow.is_empty() || !args.refund_flow.is_empty() {
        flows.uses = args.use_flow.iter().map(|one| (one.file.clone(), one.cover())).collect();
        flows.refunds = args.refund_flow.iter().map(|one| one.file.clone()).collect();
        return Ok(flows);
    }
    let stock_id = &campaign.manifest.stock_id;
    let mut options = DownloadOptions::default();
    for host in &args.allow_host {
        options = options.further_host(host);
    }
    let uses = folder.join("uses");
    if download("use", &stocks.use_flow(stock_id), &uses, &options, output).await? {
        flows.uses.push((uses, FlowCover::Whole));
    }
    let refunds = folder.join("refunds");
    if download("refund", &stocks.refund_flow(stock_id), &refunds, &options, output).await? {
        flows.refunds.push(refunds);
    }
    Ok(flows)
}

/// Whether there is such a file.
async fn download(
    what: &'static str,
    flow: &Flow,
    to: &Path,
    options: &DownloadOptions,
    output: &Output,
) -> anyhow::Result<bool> {
    let bar = progress::bytes(output, "downloading");
    let options = options.clone().progress({
        let bar = bar.clone();
        move |progress| {
            if let Some(total) = progress.total {
                bar.set_length(total);
            }
            bar.set_position(progress.bytes);
        }
    });
    let downloaded = flow.download_with(to, &options).await;
    bar.finish_and_clear();
    match downloaded {
        Ok(_) => Ok(true),
        Err(FlowError::Api(error))
            if error.api().and_then(|api| api.code()) == Some(&ErrorCode::ResourceNotExists) =>
        {
            output.talk(format!(
                "there is no {what} flow: it has no lines, or it is not yet 10:00 of the day after the stock's end"
            ));
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

fn finish(mut matching: Reconciliation, flows: Flows, now: Timestamp) -> anyhow::Result<Reconciled> {
    let open = |file: &Path| {
        let opened = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
        anyhow::Ok(BufReader::with_capacity(256 << 10, opened))
    };
    let name = |file: &Path| file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
    for (file, cover) in &flows.uses {
        matching.add_use_flow(&name(file), open(file)?, *cover)?;
    }
    for file in &flows.refunds {
        matching.add_refund_flow(&name(file), open(file)?)?;
    }
    Ok(matching.finish(now)?)
}

fn print(reconciled: &Reconciled, args: &ReconcileCampaign, output: &Output) -> anyhow::Result<()> {
    let totals = reconciled.totals();
    if output.is_json() {
        return output.json(&json!({
            "name": args.name.as_str(),
            "clean": reconciled.is_clean(),
            "balanced": totals.balance(),
            "totals": totals,
            "differences": reconciled.differences(),
            "file": args.out,
            "differences_file": args.differences,
        }));
    }
    output.facts(facts(totals))?;
    let shown = reconciled.differences().iter().take(SHOWN);
    let rows: Vec<_> = shown
        .map(|one| {
            let pending = if one.code.is_pending() { " (pending)" } else { "" };
            [
                format!("{}{pending}", one.code),
                one.coupon_id.clone().unwrap_or_default(),
                one.transaction_id.clone().unwrap_or_default(),
                one.text.clone(),
            ]
        })
        .collect();
    if !rows.is_empty() {
        output.line("")?;
        output.rows(["difference", "coupon", "payment", "what"], rows, "")?;
    }
    output.line(if reconciled.is_clean() {
        "\nEverything is accounted for, to the fen."
    } else if totals.balance() {
        "\nThe totals balance; the differences above need a look."
    } else {
        "\nThe totals do not balance."
    })
}

/// The sums, for people.
fn facts(totals: &Totals) -> Vec<(&'static str, String)> {
    let money = |money: &favor_campaign::Money| format!("{} ({} yuan)", money.count, money.yuan());
    let mut facts = vec![
        ("sent", money(&totals.sent)),
        ("  never used, usable", money(&totals.unused)),
        ("  used", money(&totals.used)),
        ("  used and refunded", money(&totals.refunded)),
        ("  expired", money(&totals.expired)),
        ("lines of the use flow", money(&totals.use_lines)),
        ("lines of the refund flow", money(&totals.refund_lines)),
        ("taken off in the end", format!("{} yuan", totals.net.yuan())),
        ("notifications", totals.callbacks.to_string()),
        ("differences", totals.difference_count().to_string()),
    ];
    let pending = totals.pending.values().fold(0_u64, |sum, count| sum.saturating_add(*count));
    if pending > 0 {
        facts.push(("pending", pending.to_string()));
    }
    for (name, count) in [("sends unknown", totals.sends_unknown), ("of other stocks", totals.foreign_rows)] {
        if count > 0 {
            facts.push((name, count.to_string()));
        }
    }
    facts
}
