//! What became of each coupon, and of all of them.
//!
//! A report is comma-separated text or JSON, one line per coupon. There is no Parquet: its libraries weigh more than
//! this crate, and tools that want it read either form, for instance
//! `duckdb -c "COPY 'report.csv' TO 'report.parquet'"`.

mod openid_form;
mod summary;
mod write;

use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use openid_form::OpenidForm;
pub use summary::Summary;

use crate::ledger::{Books, Campaign, LedgerError, OutcomeState};
use crate::private_file::PrivateFile;
use crate::row_cursor::RowCursor;
use summary::Tallying;
use write::{Lines, Sink};

/// What a report shows.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct ReportOptions {
    /// How openids are shown; plain by default.
    pub openids: OpenidForm,
    /// Only coupons in these states; all when there are none. The summary counts all of them.
    pub states: Vec<OutcomeState>,
    /// Only coupons whose last answer had one of these codes; all when there are none.
    pub codes: Vec<String>,
    progress: Option<Arc<dyn Fn(u64) + Send + Sync>>,
}

impl ReportOptions {
    /// Sets how openids are shown.
    #[must_use]
    pub fn openids(mut self, form: OpenidForm) -> Self {
        self.openids = form;
        self
    }

    /// Shows only coupons in these states.
    #[must_use]
    pub fn states(mut self, states: impl IntoIterator<Item = OutcomeState>) -> Self {
        self.states = states.into_iter().collect();
        self
    }

    /// Shows only coupons whose last answer had one of these codes.
    #[must_use]
    pub fn codes(mut self, codes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.codes = codes.into_iter().map(Into::into).collect();
        self
    }

    /// Tells `progress` how many people were read, every thousand. It runs inline, so it must be quick.
    #[must_use]
    pub fn progress(mut self, progress: impl Fn(u64) + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(progress));
        self
    }
}

impl fmt::Debug for ReportOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReportOptions")
            .field("openids", &self.openids)
            .field("states", &self.states)
            .field("codes", &self.codes)
            .finish_non_exhaustive()
    }
}

/// Writes one line of comma-separated text per coupon, after a header, in the order of the openids. Memory stays the
/// same for any number of people; what is written is what the ledger has while it is read.
///
/// # Errors
/// [`ReportError`].
pub async fn write_csv(
    books: &dyn Books,
    campaign: &Campaign,
    out: impl Write + Send,
    options: ReportOptions,
) -> Result<Summary, ReportError> {
    run(books, campaign, Some(Sink::csv(out)?), &options).await
}

/// Writes one JSON object per line and coupon, with the names of the columns of [`write_csv`].
///
/// # Errors
/// [`ReportError`].
pub async fn write_json_lines(
    books: &dyn Books,
    campaign: &Campaign,
    out: impl Write + Send,
    options: ReportOptions,
) -> Result<Summary, ReportError> {
    run(books, campaign, Some(Sink::json_lines(out)), &options).await
}

/// [`write_csv`] to a file that only its owner can read. It gets its name when it is whole, and replaces what is there.
///
/// # Errors
/// [`ReportError`]; nothing was then changed under that name.
pub async fn write_csv_file(
    books: &dyn Books,
    campaign: &Campaign,
    file: &Path,
    options: ReportOptions,
) -> Result<Summary, ReportError> {
    let fault = |cause| ReportError::File { file: file.to_owned(), cause };
    let mut out = PrivateFile::begin(file).map_err(fault)?;
    let summary = match write_csv(books, campaign, &mut out, options).await {
        Err(ReportError::Write(cause)) => return Err(fault(cause)),
        other => other?,
    };
    out.finish().map_err(fault)?;
    Ok(summary)
}

/// [`write_json_lines`] to a file as [`write_csv_file`] makes it.
///
/// # Errors
/// [`ReportError`]; nothing was then changed under that name.
pub async fn write_json_lines_file(
    books: &dyn Books,
    campaign: &Campaign,
    file: &Path,
    options: ReportOptions,
) -> Result<Summary, ReportError> {
    let fault = |cause| ReportError::File { file: file.to_owned(), cause };
    let mut out = PrivateFile::begin(file).map_err(fault)?;
    let summary = match write_json_lines(books, campaign, &mut out, options).await {
        Err(ReportError::Write(cause)) => return Err(fault(cause)),
        other => other?,
    };
    out.finish().map_err(fault)?;
    Ok(summary)
}

/// Reads the whole campaign and sums it up.
///
/// # Errors
/// [`ReportError`].
pub async fn summary(books: &dyn Books, campaign: &Campaign) -> Result<Summary, ReportError> {
    run(books, campaign, None::<Sink<io::Sink>>, &ReportOptions::default()).await
}

async fn run<W: Write + Send>(
    books: &dyn Books,
    campaign: &Campaign,
    mut sink: Option<Sink<W>>,
    options: &ReportOptions,
) -> Result<Summary, ReportError> {
    let mut rows = RowCursor::new(books, campaign.id);
    let mut tallying = Tallying::default();
    let lines = Lines::new(campaign, options);
    let mut read: u64 = 0;
    while let Some(row) = rows.next().await? {
        tallying.add(&row);
        if let Some(sink) = &mut sink {
            lines.write(&row, sink)?;
        }
        read += 1;
        if let Some(progress) = options.progress.as_ref().filter(|_| read.is_multiple_of(1_000)) {
            progress(read);
        }
    }
    if let Some(sink) = sink {
        sink.finish()?;
    }
    Ok(tallying.finish(campaign))
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The report cannot be written to where it goes.
    #[error("the report cannot be written")]
    Write(#[source] io::Error),
    /// The report's file cannot be written.
    #[error("the report {} cannot be written", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
}
