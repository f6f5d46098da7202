//! `favor stock use-flow` and `refund-flow`.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::Context as _;
use favor_core::Client;
use favor_stock::{DownloadOptions, DownloadedFlow, FlowReader, FlowSummary, Stocks};
use serde_json::json;

use crate::args::FlowFile;
use crate::output::Output;
use crate::progress;
use crate::stock::local;

/// Which flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Use,
    Refund,
}

pub(crate) async fn download(
    client: &Client,
    kind: Kind,
    args: &FlowFile,
    output: &Output,
) -> anyhow::Result<()> {
    let stocks = Stocks::new(client);
    let flow = match (kind, args.day) {
        (Kind::Use, None) => stocks.use_flow(&args.stock_id),
        (Kind::Use, Some(day)) => stocks.use_flow_by_day(&args.stock_id, day),
        (Kind::Refund, None) => stocks.refund_flow(&args.stock_id),
        (Kind::Refund, Some(day)) => stocks.refund_flow_by_day(&args.stock_id, day),
    };
    let bar = progress::bytes(output, "downloading");
    let mut options = DownloadOptions::default().replace(args.replace).progress({
        let bar = bar.clone();
        move |progress| {
            if let Some(total) = progress.total {
                bar.set_length(total);
            }
            bar.set_position(progress.bytes);
        }
    });
    for host in &args.allow_host {
        options = options.further_host(host);
    }
    let downloaded = flow.download_with(&args.to, &options).await;
    bar.finish_and_clear();
    let downloaded = downloaded?;
    let summary = if args.summary { Some(read(&downloaded.path)?) } else { None };
    print(&downloaded, summary.as_ref(), output)
}

/// Totals of a file, and how many of its rows could not be read.
struct Totals {
    summary: FlowSummary,
    bad_rows: u64,
}

fn read(path: &Path) -> anyhow::Result<Totals> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut reader = FlowReader::new(BufReader::with_capacity(256 << 10, file))?;
    let mut summary = FlowSummary::new();
    while let Some(row) = reader.next_row() {
        if let Ok(row) = row {
            summary.add(&row)?;
        }
    }
    Ok(Totals { summary, bad_rows: reader.finish()?.bad_rows })
}

fn print(downloaded: &DownloadedFlow, totals: Option<&Totals>, output: &Output) -> anyhow::Result<()> {
    if output.is_json() {
        let mut object = json!({
            "file": downloaded.path,
            "bytes": downloaded.bytes,
            "sha1": downloaded.sha1,
            "records": downloaded.records,
            "attempts": downloaded.attempts,
        });
        if let Some(Totals { summary, bad_rows }) = totals {
            object["summary"] = serde_json::to_value(summary)?;
            object["bad_rows"] = json!(bad_rows);
        }
        return output.json(&object);
    }
    let mut facts = vec![
        ("file", downloaded.path.display().to_string()),
        ("bytes", downloaded.bytes.to_string()),
        ("SHA-1", format!("{} (as announced)", downloaded.sha1)),
    ];
    if let Some(Totals { summary, bad_rows }) = totals {
        facts.push(("rows", summary.rows().to_string()));
        if *bad_rows > 0 {
            facts.push(("rows that cannot be read", bad_rows.to_string()));
        }
        facts.push(("discounts", summary.discount().to_string()));
        facts.push(("orders", summary.order_total().to_string()));
        let span = if summary.refunded().is_empty() { summary.consumed() } else { summary.refunded() };
        if let (Some(first), Some(last)) = (span.first, span.last) {
            facts.push(("from", local(&first)));
            facts.push(("until", local(&last)));
        }
    }
    output.facts(facts)
}
