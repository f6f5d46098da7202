//! Reads a flow file row by row.

use std::fmt;
use std::io::BufRead;

use super::columns::{FlowColumns, MAX_COLUMNS};
use super::owned_row::OwnedFlowRow;
use super::record::{Fault, Record, Records};
use super::row::{FlowRow, Values};
use super::row_error::{FlowRowError, FlowRowProblem};
use super::value::BeijingClock;

/// What stands on the line before the number of records.
const TOTAL: &str = "总条数";

/// Reads a flow file (spec §7.4) row by row, in constant memory.
///
/// A bad row is an error with its line and column, and reading goes on. A file that is cut, or that has another
/// number of records than it states, is an error after the last row; [`FlowReader::finish`] says it again. Only a
/// file that finishes is whole: act on its rows after that, or undo.
///
/// ```
/// use favor_stock::{FlowReader, FlowSummary};
///
/// let file = "\
/// 批次id,优惠id,优惠类型,优惠金额（元）,订单总金额（元）,交易类型,支付单号,消耗时间,消耗商户号,设备号,银行流水号,单品信息\r
/// `15300001,`18180000000001,`全场代金券,`1.00,`2.00,`支付,`4200000001,`2026-11-27 16:23:05,`1900000109,\"POS-7\",\"\",\"\"\r
/// 总条数\r
/// `1\r
/// ";
/// let mut reader = FlowReader::new(file.as_bytes())?;
/// let mut summary = FlowSummary::new();
/// while let Some(row) = reader.next_row() {
///     summary.add(&row?)?;
/// }
/// assert_eq!(reader.finish()?.rows, 1);
/// assert_eq!(summary.discount().get(), 100);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FlowReader<R> {
    records: Records<R>,
    columns: FlowColumns,
    /// Of the row that was read last.
    values: Values,
    clock: BeijingClock,
    /// Good ones and bad ones.
    found: u64,
    bad: u64,
    expected: Option<u64>,
    end: Option<Result<FlowCount, FlowRowError>>,
}

/// How many rows a file has that is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlowCount {
    /// The rows that were given.
    pub rows: u64,
    /// The rows that were errors.
    pub bad_rows: u64,
}

impl<R: BufRead> FlowReader<R> {
    /// Reads the header of `input`.
    ///
    /// # Errors
    /// [`FlowRowError`] when the input cannot be read or does not begin with the header of a flow file.
    pub fn new(input: R) -> Result<Self, FlowRowError> {
        let mut records = Records::new(input);
        records.keep(MAX_COLUMNS + 1);
        let columns = match records.read() {
            Ok(true) => FlowColumns::read(records.record())?,
            Err(Fault::Read(error)) => return Err(FlowRowError::read(records.line(), error)),
            Ok(false) | Err(Fault::Unclosed { .. } | Fault::TooLong { .. }) => {
                return Err(FlowRowError::new(1, FlowRowProblem::NoHeader));
            }
        };
        records.keep(columns.len());
        Ok(Self {
            records,
            columns,
            values: Values::default(),
            clock: BeijingClock::default(),
            found: 0,
            bad: 0,
            expected: None,
            end: None,
        })
    }

    /// Also wants the file to have this many records: the count that comes with the link of a by-day file.
    #[must_use]
    pub fn expect_count(mut self, count: u64) -> Self {
        self.expected = Some(count);
        self
    }

    /// The columns of this file.
    pub fn columns(&self) -> &FlowColumns {
        &self.columns
    }

    /// The records read so far, bad rows included.
    pub fn records(&self) -> u64 {
        self.found
    }

    /// The next row; none after the last, or after an error that is not [of one row](FlowRowError::is_one_row).
    ///
    /// # Errors
    /// [`FlowRowError`] when the row is bad, and reading goes on with the next; or when the file is, and this is the
    /// end.
    #[inline]
    pub fn next_row(&mut self) -> Option<Result<FlowRow<'_>, FlowRowError>> {
        if self.end.is_some() {
            return None;
        }
        match self.records.read() {
            Ok(true) => {}
            Ok(false) => return self.end_with(self.fault(FlowRowProblem::Cut)),
            Err(fault) => return self.broken_record(fault),
        }
        if is_total(self.records.record()) {
            return match self.total() {
                Ok(()) => {
                    self.end = Some(Ok(FlowCount { rows: self.found - self.bad, bad_rows: self.bad }));
                    None
                }
                Err(error) => self.end_with(error),
            };
        }
        if self.columns.end_with_goods() {
            self.records.join_rest();
        }
        self.found += 1;
        let record = self.records.record();
        match Values::read(record, &self.columns, &mut self.clock) {
            Ok(values) => {
                self.values = values;
                Some(Ok(FlowRow::new(record, &self.columns, &self.values)))
            }
            Err(error) => {
                self.bad += 1;
                Some(Err(error))
            }
        }
    }

    /// The rows, each on its own.
    pub fn rows(&mut self) -> impl Iterator<Item = Result<OwnedFlowRow, FlowRowError>> {
        std::iter::from_fn(|| self.next_row().map(|row| row.map(|row| row.to_owned())))
    }

    /// Whether the file is whole: not cut, and with as many records as it states. Rows that were not read yet are
    /// read over.
    ///
    /// # Errors
    /// [`FlowRowError`], the one that ended it.
    pub fn finish(mut self) -> Result<FlowCount, FlowRowError> {
        loop {
            if let Some(end) = self.end.take() {
                return end;
            }
            self.next_row();
        }
    }

    #[cold]
    fn broken_record(&mut self, fault: Fault) -> Option<Result<FlowRow<'_>, FlowRowError>> {
        let error = match fault {
            Fault::Read(error) => return self.end_with(FlowRowError::read(self.records.line(), error)),
            Fault::Unclosed { line } => FlowRowError::new(line, FlowRowProblem::UnclosedQuote),
            Fault::TooLong { line } => FlowRowError::new(line, FlowRowProblem::TooLong),
        };
        self.found += 1;
        self.bad += 1;
        Some(Err(error))
    }

    fn end_with(&mut self, error: FlowRowError) -> Option<Result<FlowRow<'_>, FlowRowError>> {
        self.end = Some(Err(error.clone()));
        Some(Err(error))
    }

    fn fault(&self, problem: FlowRowProblem) -> FlowRowError {
        FlowRowError::new(self.records.line(), problem)
    }

    /// Reads and checks the number of records, with `总条数` just read.
    fn total(&mut self) -> Result<(), FlowRowError> {
        match self.records.read() {
            Ok(true) => {}
            Ok(false) => return Err(self.fault(FlowRowProblem::Cut)),
            Err(Fault::Read(error)) => return Err(FlowRowError::read(self.records.line(), error)),
            Err(Fault::Unclosed { line } | Fault::TooLong { line }) => {
                return Err(FlowRowError::new(line, FlowRowProblem::NoTotal));
            }
        }
        let record = self.records.record();
        let line = record.line();
        let number = record.value(0).filter(|_| record.count() == 1).and_then(number);
        let Some(stated) = number else { return Err(FlowRowError::new(line, FlowRowProblem::NoTotal)) };
        let found = self.found;
        if stated != found {
            return Err(FlowRowError::new(line, FlowRowProblem::Total { stated, found }));
        }
        if let Some(expected) = self.expected
            && expected != found
        {
            return Err(FlowRowError::new(line, FlowRowProblem::Count { expected, found }));
        }
        match self.records.read() {
            Ok(false) => Ok(()),
            Ok(true) => Err(FlowRowError::new(self.records.record().line(), FlowRowProblem::TextAfterTotal)),
            Err(Fault::Read(error)) => Err(FlowRowError::read(self.records.line(), error)),
            Err(Fault::Unclosed { line } | Fault::TooLong { line }) => {
                Err(FlowRowError::new(line, FlowRowProblem::TextAfterTotal))
            }
        }
    }
}

impl<R> fmt::Debug for FlowReader<R> {
    /// Shows where it is, and no content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlowReader")
            .field("columns", &self.columns.len())
            .field("records", &self.found)
            .field("bad_rows", &self.bad)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

fn is_total(record: Record<'_>) -> bool {
    record.count() == 1 && record.value(0).is_some_and(|value| value.trim_ascii() == TOTAL.as_bytes())
}

fn number(digits: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(digits.trim_ascii()).ok()?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}
