//! `favor callback list`: what an inbox holds.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::place::Place;
use super::{selection, shown};
use crate::args::{Global, List};
use crate::exit::Exit;
use crate::output::Output;
use crate::stock::local;

pub(crate) async fn run(args: &List, global: &Global, output: &Output) -> anyhow::Result<Exit> {
    let opened = Place::of(&args.place, global)?.open_read_only().await?;
    let inbox = opened.inbox();
    let mut rows = Vec::new();
    selection::each(&*inbox, &args.which, async |entry| {
        let mut shown = shown::entry(&entry);
        if !output.is_json() {
            let text = |field: &str| shown[field].as_str().unwrap_or_default().to_owned();
            rows.push([
                entry.id.to_string(),
                text("id"),
                text("event_type"),
                text("coupon_id"),
                text("transaction_id"),
                text("state"),
                entry.times_received.to_string(),
                entry.attempts.to_string(),
                local(&entry.received_at),
                text("reason"),
            ]);
            return Ok(());
        }
        if args.whole {
            shown["request"] = shown::request(&entry.record);
            let opened = RawValue::from_string(entry.record.resource.clone());
            shown["resource"] = opened.ok().map_or(Value::Null, |opened| json!(opened));
        }
        output.json(&shown)
    })
    .await?;
    let counts = inbox.counts().await?;
    opened.close().await;
    if output.is_json() {
        return Ok(Exit::Done);
    }
    let heading = [
        "no",
        "notification",
        "event",
        "coupon",
        "payment",
        "state",
        "came",
        "attempts",
        "received",
        "reason",
    ];
    output.rows(heading, rows, "no notifications")?;
    output.talk(format!(
        "in all {} waiting, {} claimed, {} handled, {} parked; {} duplicates came",
        counts.waiting, counts.claimed, counts.handled, counts.parked, counts.duplicates
    ));
    Ok(Exit::Done)
}
