//! `favor campaign audit`: what the ledger says, compared with what people have.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::bail;
use favor_campaign::{AuditOptions, AuditReport, audit};

use super::find::find;
use super::next::Command;
use super::place::Place;
use crate::args::{AuditCampaign, Global};
use crate::exit::Exit;
use crate::mirror::Stop;
use crate::output::Output;
use crate::progress;
use crate::settings::Settings;

/// How many differences are shown as a table.
const SHOWN: usize = 50;

pub(crate) async fn run(args: &AuditCampaign, global: &Global, output: &Output) -> anyhow::Result<Exit> {
    let mut stop = Stop::listen()?;
    let settings = Settings::load(global)?;
    let client = settings.client()?;
    let opened = Place::of(&args.place, global)?.open_read_only().await?;
    let books = opened.books();
    let campaign = find(&*books, &args.name).await?;
    if campaign.manifest.merchant_id != *settings.merchant_id() {
        bail!(
            "campaign {} is of merchant {}: choose the profile of that merchant",
            args.name,
            campaign.manifest.merchant_id
        );
    }
    let people = campaign.standing.people;
    let bar = progress::bar(output, "auditing", args.sample.map_or(people, |sample| sample.min(people)));
    let stopped = Arc::new(AtomicBool::new(false));
    let mut options = AuditOptions::default().per_second(args.rate).progress({
        let (bar, stopped) = (bar.clone(), stopped.clone());
        move |audited| {
            bar.set_position(audited.people);
            if stopped.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    });
    if let Some(sample) = args.sample {
        options = options.sample(sample, args.seed.unwrap_or_default());
    }
    if let Some(place) = args.after {
        options = options.after(place);
    }
    let mut auditing = std::pin::pin!(audit(&*books, &campaign, &client, options));
    let report = loop {
        tokio::select! {
            report = &mut auditing => break report,
            told = stop.next() => {
                told?;
                stopped.store(true, Ordering::Relaxed);
            }
        }
    };
    bar.finish_and_clear();
    let report = report?;
    opened.close().await;
    print(&report, output)?;
    if stopped.load(Ordering::Relaxed) && report.ended_early {
        let place = report.last_place.unwrap_or_default();
        let again = Command::new("audit", &args.name, &args.place, global).with(&format!("--after {place}"));
        output.talk(format!("stopped; {again} goes on behind the last one"));
        return Ok(Exit::Interrupted);
    }
    if report.given_up {
        output.complain("error", "given up: fifty people in a row cannot be read; favor doctor says more");
    }
    Ok(match report {
        ref report if report.is_clean() => Exit::Done,
        ref report if report.difference_count > 0 => Exit::Refused,
        _ => Exit::Unknown,
    })
}

fn print(report: &AuditReport, output: &Output) -> anyhow::Result<()> {
    if output.is_json() {
        return output.json(report);
    }
    output.facts([
        ("people", report.people.to_string()),
        ("coupons that match", report.matching.to_string()),
        ("differences", report.difference_count.to_string()),
        ("people not readable", report.unreadable_count.to_string()),
    ])?;
    let rows: Vec<_> = report
        .differences
        .iter()
        .take(SHOWN)
        .map(|one| {
            [
                one.line.to_string(),
                one.kind.code().to_owned(),
                one.coupon_id.as_ref().map(ToString::to_string).unwrap_or_default(),
                one.out_request_no.as_ref().map(ToString::to_string).unwrap_or_default(),
                one.text.clone(),
            ]
        })
        .collect();
    if !rows.is_empty() {
        output.line("")?;
        output.rows(["line", "difference", "coupon", "out_request_no", "what"], rows, "")?;
    }
    for one in report.unreadable.iter().take(SHOWN) {
        output.talk(format!("line {}: not readable: {}", one.line, one.reason));
    }
    Ok(())
}
