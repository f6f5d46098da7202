//! The sends of campaigns, the notifications received, and the platform's use and refund flows, matched coupon by coupon.
//!
//! Everything is sorted by coupon in temporary files, so memory stays the same for any number of coupons. A coupon can be
//! used and given back several times (spec §4.2): a payment is told from another by its transaction.

mod code;
mod event;
mod judge;
#[cfg(test)]
mod model;
mod output;
mod reconciled;
mod row;
mod sources;
mod totals;

use std::io;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use favor_callback::InboxError;
use favor_core::{StockId, Timestamp};
use favor_coupon::DerivedNumbers;
use favor_stock::Stock;

pub use code::ReconcileCode;
pub use reconciled::Reconciled;
pub use row::{ReconcileDifference, ReconcileRow};
pub use totals::{Money, Totals};

use crate::external_sort::{Entry, Sorter};
use crate::ledger::LedgerError;
use crate::name::CampaignName;
use event::Event;
use judge::Frame;
use totals::Incoming;

/// What a file of a use flow covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowCover {
    /// All uses of the stock.
    Whole,
    /// Those of one day in Beijing.
    Day(NaiveDate),
}

/// How a reconciliation is made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReconcileOptions {
    /// How much memory the sort may use, in bytes: 64 MiB.
    pub memory: usize,
    /// Where the temporary files go; where the system keeps such files when it is not set.
    pub temporary_folder: Option<PathBuf>,
    /// How many differences are kept in memory: 1,000. All of them can be written.
    pub keep: usize,
}

impl Default for ReconcileOptions {
    fn default() -> Self {
        Self { memory: 64 << 20, temporary_folder: None, keep: 1_000 }
    }
}

impl ReconcileOptions {
    /// Sets how much memory the sort may use, in bytes.
    #[must_use]
    pub fn memory(mut self, bytes: usize) -> Self {
        self.memory = bytes;
        self
    }

    /// Sets where the temporary files go.
    #[must_use]
    pub fn temporary_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.temporary_folder = Some(folder.into());
        self
    }

    /// Sets how many differences are kept in memory.
    #[must_use]
    pub fn keep(mut self, most: usize) -> Self {
        self.keep = most;
        self
    }
}

/// A reconciliation that is taking its sources: give it all campaigns on the stock, the inbox if there is one, and the
/// flow files there are; then [finish](Self::finish) it.
#[derive(Debug)]
pub struct Reconciliation {
    stock_id: StockId,
    keep: usize,
    folder: PathBuf,
    sorter: Sorter,
    /// Counts what was pushed, so that it keeps its order.
    pushed: u64,
    packed: Vec<u8>,
    campaigns: Vec<(CampaignName, DerivedNumbers)>,
    files: u64,
    distributed: Option<u64>,
    frame: Frame,
    incoming: Incoming,
}

impl Reconciliation {
    /// Begins one for a stock.
    pub fn new(stock_id: StockId, options: &ReconcileOptions) -> Self {
        let folder = options.temporary_folder.clone().unwrap_or_else(std::env::temp_dir);
        Self {
            stock_id,
            keep: options.keep,
            sorter: Sorter::new(&folder, options.memory),
            folder,
            pushed: 0,
            packed: Vec::new(),
            campaigns: Vec::new(),
            files: 0,
            distributed: None,
            frame: Frame::default(),
            incoming: Incoming::default(),
        }
    }

    /// Tells when the stock ends, and how many coupons it gave out.
    ///
    /// # Errors
    /// [`ReconcileError::NotThisStock`] when it is another one.
    pub fn add_stock(&mut self, stock: &Stock) -> Result<(), ReconcileError> {
        if stock.stock_id != self.stock_id {
            return Err(ReconcileError::NotThisStock(stock.stock_id.clone()));
        }
        self.ends(stock.available_end_time);
        self.distributed = Some(stock.distributed_coupons);
        Ok(())
    }

    /// Tells when the stock ends; coupons never used are expired from then on.
    pub fn ends(&mut self, at: Timestamp) {
        self.frame.ends = Some(at);
    }

    /// Matches everything, as of `now`: what may still come counts as no difference yet.
    ///
    /// # Errors
    /// [`ReconcileError::Temporary`].
    pub fn finish(mut self, now: Timestamp) -> Result<Reconciled, ReconcileError> {
        self.frame.now = now;
        if let Some(distributed) = self.distributed {
            self.compare_with_stock(distributed)?;
        }
        let Self { folder, sorter, campaigns, frame, incoming, distributed, keep, .. } = self;
        let sorted =
            sorter.finish().map_err(|cause| ReconcileError::Temporary { folder: folder.clone(), cause })?;
        let mut totals = incoming.totals();
        totals.distributed = distributed;
        Reconciled::new(sorted, folder, campaigns, frame, totals, keep)
    }

    fn compare_with_stock(&mut self, given: u64) -> Result<(), ReconcileError> {
        let sent = self.incoming.sent.lines;
        let text = format!("the stock gave out {given} coupons, and the ledgers have {sent} as sent");
        match given.cmp(&sent) {
            std::cmp::Ordering::Less => self.problem(ReconcileCode::SentWithoutTrace, text),
            std::cmp::Ordering::Greater => self.problem(ReconcileCode::GivenWithoutSend, text),
            std::cmp::Ordering::Equal => Ok(()),
        }
    }

    /// Takes down what is off about a source.
    fn problem(&mut self, code: ReconcileCode, text: String) -> Result<(), ReconcileError> {
        self.push("", &Event::Problem { code: code.pack(), text })
    }

    fn push(&mut self, coupon_id: &str, event: &Event) -> Result<(), ReconcileError> {
        event.pack(&mut self.packed);
        self.pushed += 1;
        let rank = u64::from(event.kind()) << 56 | self.pushed;
        let entry = Entry { key: coupon_id.as_bytes(), rank, extra: &self.packed };
        self.sorter
            .push(entry)
            .map_err(|cause| ReconcileError::Temporary { folder: self.folder.clone(), cause })
    }
}

/// Why there is no reconciliation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReconcileError {
    /// A campaign is on another stock.
    #[error("campaign {campaign} is on stock {stock_id}; a reconciliation is of one stock")]
    OtherStock {
        /// The campaign.
        campaign: CampaignName,
        /// Its stock.
        stock_id: StockId,
    },
    /// What was given is another stock.
    #[error("stock {0} is not the one that is reconciled")]
    NotThisStock(StockId),
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The inbox cannot be read.
    #[error(transparent)]
    Inbox(#[from] InboxError),
    /// The temporary files cannot be written or read.
    #[error("a temporary file in {} cannot be used; choose another folder or make room", folder.display())]
    Temporary {
        /// Their folder.
        folder: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// What was found cannot be written to where it goes.
    #[error("the reconciliation cannot be written")]
    Write(#[source] io::Error),
    /// A file of what was found cannot be written.
    #[error("{} cannot be written", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
}

impl ReconcileError {
    fn file(file: &Path) -> impl Fn(io::Error) -> Self {
        move |cause| Self::File { file: file.to_owned(), cause }
    }
}
