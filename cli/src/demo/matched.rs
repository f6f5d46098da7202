//! The end of the demo: sends, notifications and flow files matched coupon by coupon.

use std::fs::File;
use std::io::BufReader;

use favor_callback::SqliteInbox;
use favor_campaign::{FlowCover, ReconcileOptions, Reconciliation, Totals};
use favor_core::Timestamp;
use favor_stock::Stock;
use serde::Serialize;

use crate::demo::flows::Flows;
use crate::demo::sending::Sending;

/// What a reconciliation came to.
#[derive(Debug, Serialize)]
pub(crate) struct Matched {
    /// Nothing differs, and the totals balance.
    pub(crate) clean: bool,
    /// Whatever came in is accounted for.
    pub(crate) balanced: bool,
    #[serde(flatten)]
    pub(crate) totals: Totals,
}

/// Matches everything as of `now`, which is past the stock's end.
pub(crate) async fn reconcile(
    sending: &Sending,
    inbox: &SqliteInbox,
    flows: &Flows,
    stock: &Stock,
    now: Timestamp,
) -> anyhow::Result<Matched> {
    let (books, campaign) = sending.books();
    let mut matching = Reconciliation::new(stock.stock_id.clone(), &ReconcileOptions::default());
    matching.add_stock(stock)?;
    matching.add_campaign(books, campaign).await?;
    matching.add_inbox(inbox, None).await?;
    let files = (flows.use_file(), flows.refund_file());
    let reconciled = tokio::task::spawn_blocking(move || {
        if let Some(file) = files.0 {
            matching.add_use_flow("the use flow", BufReader::new(File::open(file)?), FlowCover::Whole)?;
        }
        if let Some(file) = files.1 {
            matching.add_refund_flow("the refund flow", BufReader::new(File::open(file)?))?;
        }
        anyhow::Ok(matching.finish(now)?)
    });
    let reconciled = reconciled.await??;
    let totals = reconciled.totals().clone();
    Ok(Matched { clean: reconciled.is_clean(), balanced: totals.balance(), totals })
}
