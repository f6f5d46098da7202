//! What can be wrong with a row of a list.

use std::fmt;

use serde::Serialize;

/// A row of a list that names nobody, or somebody named before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Problem {
    /// The line it begins on, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub kind: ProblemKind,
}

/// What is wrong with a row. Says nothing of what stands in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ProblemKind {
    /// The openid is that of an earlier line.
    Duplicate {
        /// The line that counts.
        first_line: u64,
    },
    /// The unionid is that of an earlier line with another openid.
    SamePerson {
        /// The line that counts.
        first_line: u64,
    },
    /// The openid is empty.
    Empty,
    /// The openid is longer than 128 bytes.
    OpenidTooLong,
    /// The openid has characters that none can have, or is `.` or `..`.
    NotAnOpenid,
    /// The unionid is longer than 128 bytes or has characters that none can have.
    NotAUnionid,
    /// The row has not as many fields as the header, or more than one where there is no header.
    FieldCount {
        /// As many as the header has.
        expected: usize,
        /// As many as the row has.
        found: usize,
    },
    /// A quote is not closed. The line is given up.
    UnclosedQuote,
    /// The row is longer than 64 KiB.
    TooLong,
}

impl ProblemKind {
    /// Whether the row names somebody named before; otherwise it is malformed.
    pub fn is_duplicate(self) -> bool {
        matches!(self, Self::Duplicate { .. } | Self::SamePerson { .. })
    }

    /// The word for it.
    pub fn code(self) -> &'static str {
        match self {
            Self::Duplicate { .. } => "duplicate",
            Self::SamePerson { .. } => "same-person",
            Self::Empty => "empty",
            Self::OpenidTooLong => "openid-too-long",
            Self::NotAnOpenid => "not-an-openid",
            Self::NotAUnionid => "not-a-unionid",
            Self::FieldCount { .. } => "field-count",
            Self::UnclosedQuote => "unclosed-quote",
            Self::TooLong => "too-long",
        }
    }

    /// As two numbers and a byte, for the sort by lines.
    pub(super) fn pack(self) -> [u8; 17] {
        let (tag, first, second) = match self {
            Self::Duplicate { first_line } => (0, first_line, 0),
            Self::SamePerson { first_line } => (1, first_line, 0),
            Self::Empty => (2, 0, 0),
            Self::OpenidTooLong => (3, 0, 0),
            Self::NotAnOpenid => (4, 0, 0),
            Self::NotAUnionid => (5, 0, 0),
            Self::FieldCount { expected, found } => (6, wide(expected), wide(found)),
            Self::UnclosedQuote => (7, 0, 0),
            Self::TooLong => (8, 0, 0),
        };
        let mut packed = [tag; 17];
        packed[1..9].copy_from_slice(&first.to_le_bytes());
        packed[9..].copy_from_slice(&second.to_le_bytes());
        packed
    }

    pub(super) fn unpack(packed: &[u8]) -> Option<Self> {
        let (tag, numbers) = packed.split_first()?;
        let (first, second) = numbers.split_first_chunk()?;
        let first = u64::from_le_bytes(*first);
        let second = u64::from_le_bytes(*second.first_chunk()?);
        Some(match tag {
            0 => Self::Duplicate { first_line: first },
            1 => Self::SamePerson { first_line: first },
            2 => Self::Empty,
            3 => Self::OpenidTooLong,
            4 => Self::NotAnOpenid,
            5 => Self::NotAUnionid,
            6 => {
                let narrow = |number| usize::try_from(number).unwrap_or(usize::MAX);
                Self::FieldCount { expected: narrow(first), found: narrow(second) }
            }
            7 => Self::UnclosedQuote,
            8 => Self::TooLong,
            _ => return None,
        })
    }
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.kind)
    }
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicate { first_line } => write!(f, "the same openid as on line {first_line}"),
            Self::SamePerson { first_line } => write!(f, "the same unionid as on line {first_line}"),
            Self::Empty => f.write_str("no openid"),
            Self::OpenidTooLong => f.write_str("an openid has at most 128 characters"),
            Self::NotAnOpenid => f.write_str("not an openid: a character that none can have"),
            Self::NotAUnionid => f.write_str("not a unionid: too long, or a character that none can have"),
            Self::FieldCount { expected, found } => {
                let fields = if *found == 1 { "field" } else { "fields" };
                write!(f, "{found} {fields} instead of {expected}")
            }
            Self::UnclosedQuote => f.write_str("a quote is not closed"),
            Self::TooLong => f.write_str("the row is longer than 64 KiB"),
        }
    }
}
