//! The second half of a stock's life: coupons are redeemed, some orders refunded, and both flow files tell of it.

use std::io::BufReader;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use favor_core::{CouponId, Fen, StockId};
use favor_mirror::{Mirror, Redeem, Refund};
use favor_stock::{Flow, FlowReader, FlowSummary, Stocks};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use serde::Serialize;

use crate::output::Output;
use crate::progress;

/// Every second coupon is redeemed, and every tenth of those orders refunded.
const REDEEM_EVERY: usize = 2;
const REFUND_EVERY: usize = 10;
/// Past the stock's end (30 days) and 10:00 Beijing time of the day after it, when flow files are there.
const UNTIL_FLOWS: Duration = Duration::from_secs(32 * 86_400);

const USES: &str = "use.csv";
const REFUNDS: &str = "refund.csv";

/// How many coupons were redeemed, and how many of those orders refunded.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Used {
    pub(crate) redeemed: u64,
    pub(crate) refunded: u64,
}

/// What a flow file says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct FlowTotals {
    pub(crate) rows: u64,
    pub(crate) discount: Fen,
}

/// The coupons that are redeemed.
pub(crate) fn redeemed(coupons: &[CouponId]) -> impl Iterator<Item = &CouponId> {
    coupons.iter().step_by(REDEEM_EVERY)
}

/// Pays with some of the coupons, `at_once` at a time, and refunds some of those orders. Production has no call for
/// either: both happen in payments.
pub(crate) async fn pay(
    mirror: &Mirror,
    coupons: &[CouponId],
    at_once: u16,
    output: &Output,
) -> anyhow::Result<Used> {
    let bar = progress::bar(output, "redeeming", u64::try_from(redeemed(coupons).count())?);
    let payments = redeemed(coupons).enumerate().map(|(at, coupon)| {
        let bar = bar.clone();
        async move {
            let paid = mirror.redeem(coupon.as_str(), Redeem::default()).await;
            paid.context("a coupon cannot be redeemed")?;
            let is_refunded = at % REFUND_EVERY == 0;
            if is_refunded {
                let back = mirror.refund(coupon.as_str(), Refund::default()).await;
                back.context("an order cannot be refunded")?;
            }
            bar.inc(1);
            anyhow::Ok(is_refunded)
        }
    });
    let mut payments = stream::iter(payments).buffer_unordered(usize::from(at_once));
    let mut used = Used::default();
    while let Some(is_refunded) = payments.try_next().await? {
        used.redeemed += 1;
        used.refunded += u64::from(is_refunded);
    }
    bar.finish_and_clear();
    Ok(used)
}

/// Both flow files, and what they say. Dropped, they are gone.
#[derive(Debug)]
pub(crate) struct Flows {
    pub(crate) uses: FlowTotals,
    pub(crate) refunds: FlowTotals,
    folder: tempfile::TempDir,
}

impl Flows {
    /// The file of the use flow. A flow without lines has none.
    pub(crate) fn use_file(&self) -> Option<PathBuf> {
        (self.uses.rows > 0).then(|| self.folder.path().join(USES))
    }

    /// The file of the refund flow. A flow without lines has none.
    pub(crate) fn refund_file(&self) -> Option<PathBuf> {
        (self.refunds.rows > 0).then(|| self.folder.path().join(REFUNDS))
    }
}

/// Ends the stock by the mirror's clock, and brings both flow files.
pub(crate) async fn settle(
    mirror: &Mirror,
    stocks: &Stocks,
    stock_id: &StockId,
    used: Used,
) -> anyhow::Result<Flows> {
    mirror.advance(UNTIL_FLOWS).await.context("the mirror's clock cannot be advanced")?;
    let folder = tempfile::tempdir()?;
    let uses = totals(&stocks.use_flow(stock_id), folder.path().join(USES), used.redeemed).await?;
    let refunds = totals(&stocks.refund_flow(stock_id), folder.path().join(REFUNDS), used.refunded).await?;
    Ok(Flows { uses, refunds, folder })
}

async fn totals(flow: &Flow, file: PathBuf, expected: u64) -> anyhow::Result<FlowTotals> {
    if expected == 0 {
        // An empty flow has no file.
        return Ok(FlowTotals::default());
    }
    let downloaded = flow.download(file).await?;
    let mut reader = FlowReader::new(BufReader::new(std::fs::File::open(&downloaded.path)?))?;
    let mut summary = FlowSummary::new();
    while let Some(row) = reader.next_row() {
        summary.add(&row?)?;
    }
    reader.finish()?;
    Ok(FlowTotals { rows: summary.rows(), discount: summary.discount() })
}
