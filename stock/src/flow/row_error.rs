//! What can be wrong with a row, or with the file.

use std::fmt;
use std::io;
use std::sync::Arc;

use super::columns::Column;

/// What is wrong with a row of a flow file, or with the file itself, and on which line.
///
/// It names the column and never shows the content.
#[derive(Clone, Debug)]
pub struct FlowRowError {
    line: u64,
    column: Option<&'static str>,
    problem: FlowRowProblem,
    source: Option<Arc<io::Error>>,
}

/// The kinds of [`FlowRowError`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FlowRowProblem {
    /// A quote is not closed. The line is given up.
    UnclosedQuote,
    /// The row is larger than 1 MiB.
    TooLong,
    /// The row has not as many fields as the header.
    FieldCount {
        /// As many as the header has.
        expected: usize,
        /// As many as the row has.
        found: usize,
    },
    /// A field is empty that must not be.
    Empty,
    /// An identifier is not UTF-8.
    NotText,
    /// Not an amount in yuan with two decimals.
    NoAmount,
    /// Not a time `yyyy-MM-dd HH:mm:ss`.
    NoTime,

    /// The file could not be read; the source says why.
    Read,
    /// The first line is not the header of a flow file.
    NoHeader,
    /// The header has this column twice.
    RepeatedColumn,
    /// What follows `总条数` is not a number of records.
    NoTotal,
    /// The file states another number of records than it has.
    Total {
        /// The number that the file states.
        stated: u64,
        /// The number of records in it.
        found: u64,
    },
    /// The file has another number of records than the link to it said.
    Count {
        /// The number that the link said.
        expected: u64,
        /// The number of records in the file.
        found: u64,
    },
    /// There is text after the number of records.
    TextAfterTotal,
    /// The file ends before its number of records: it was cut.
    Cut,
}

impl FlowRowError {
    pub(super) fn new(line: u64, problem: FlowRowProblem) -> Self {
        Self { line, column: None, problem, source: None }
    }

    pub(super) fn read(line: u64, source: io::Error) -> Self {
        Self { source: Some(Arc::new(source)), ..Self::new(line, FlowRowProblem::Read) }
    }

    pub(super) fn in_column(mut self, column: Column) -> Self {
        self.column = Some(column.name());
        self
    }

    /// The line, counted from 1; of a row of several lines, the first.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The header of the column, when one field is to blame.
    pub fn column(&self) -> Option<&'static str> {
        self.column
    }

    /// What it is.
    pub fn problem(&self) -> &FlowRowProblem {
        &self.problem
    }

    /// Whether it is one row that is bad. Otherwise the file is, and nothing follows.
    pub fn is_one_row(&self) -> bool {
        use FlowRowProblem as P;
        match self.problem {
            P::UnclosedQuote | P::TooLong | P::FieldCount { .. } => true,
            P::Empty | P::NotText | P::NoAmount | P::NoTime => true,
            P::Read | P::NoHeader | P::RepeatedColumn | P::Cut => false,
            P::NoTotal | P::Total { .. } | P::Count { .. } | P::TextAfterTotal => false,
        }
    }
}

impl fmt::Display for FlowRowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if let Some(column) = self.column {
            write!(f, ", column {column}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl std::error::Error for FlowRowError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl fmt::Display for FlowRowProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnclosedQuote => f.write_str("a quote is not closed"),
            Self::TooLong => f.write_str("the row is larger than 1 MiB"),
            Self::FieldCount { expected, found } => write!(f, "{found} fields instead of {expected}"),
            Self::Empty => f.write_str("the field is empty"),
            Self::NotText => f.write_str("the field is not UTF-8"),
            Self::NoAmount => f.write_str("not an amount in yuan with two decimals"),
            Self::NoTime => f.write_str("not a time yyyy-MM-dd HH:mm:ss"),
            Self::Read => f.write_str("the file could not be read"),
            Self::NoHeader => f.write_str("not the header of a flow file"),
            Self::RepeatedColumn => f.write_str("the header has this column twice"),
            Self::NoTotal => f.write_str("not a number of records"),
            Self::Total { stated, found } => {
                write!(f, "the file states {stated} records and has {found}")
            }
            Self::Count { expected, found } => {
                write!(f, "the file should have {expected} records and has {found}")
            }
            Self::TextAfterTotal => f.write_str("there is text after the number of records"),
            Self::Cut => f.write_str("the file ends before its number of records: it was cut"),
        }
    }
}
