//! How long a card is valid (spec §4.5).

use favor_core::Timestamp;

use crate::limits::{Checked, Limits};
use crate::macros::{open, request};

open! {
    /// How a card's validity is given.
    pub enum DateType {
        /// From one moment to another.
        FixTimeRange => "DATE_TYPE_FIX_TIME_RANGE" | "1",
        /// For some days from when it was claimed.
        FixTerm => "DATE_TYPE_FIX_TERM" | "2",
        /// For ever.
        Permanent => "DATE_TYPE_PERMANENT",
    }
}

request! {
    /// How long a card is valid. Make it with [`between`](Self::between), [`days`](Self::days) or
    /// [`permanent`](Self::permanent).
    pub struct DateInfo {
        required {
            /// How it is given.
            #[serde(rename = "type")]
            kind: DateType,
        }
        optional {
            /// From when.
            begin_timestamp: Timestamp,
            /// Until when; with days: until when at the latest.
            end_timestamp: Timestamp,
            /// For how many days.
            fixed_term: i64,
            /// After how many days it begins; 0 is at once.
            fixed_begin_term: i64,
        }
    }
}

impl DateInfo {
    /// From one moment to another; 23:59:59 of the last day is advised.
    pub fn between(begin: Timestamp, end: Timestamp) -> Self {
        Self::new(DateType::FixTimeRange).begin_timestamp(begin).end_timestamp(end)
    }

    /// For `days`, beginning `after` days after it was claimed.
    pub fn days(days: i64, after: i64) -> Self {
        Self::new(DateType::FixTerm).fixed_term(days).fixed_begin_term(after)
    }

    /// For ever: member cards and gift cards.
    pub fn permanent() -> Self {
        Self::new(DateType::Permanent)
    }
}

impl Checked for DateInfo {
    fn check(&self, limits: &mut Limits) {
        limits.optional_moment("begin_timestamp", self.begin_timestamp.as_ref());
        limits.optional_moment("end_timestamp", self.end_timestamp.as_ref());
        if let Some(end) = &self.end_timestamp {
            let future = end.timestamp() > limits.now().timestamp();
            limits.require(future, "end_timestamp", "must lie in the future");
        }
        match &self.kind {
            DateType::FixTimeRange => match (&self.begin_timestamp, &self.end_timestamp) {
                (Some(begin), Some(end)) => {
                    limits.require(begin <= end, "begin_timestamp", "must not be after end_timestamp");
                }
                _ => limits.require(false, "begin_timestamp", "is needed, and end_timestamp too"),
            },
            DateType::FixTerm => {
                limits.range("fixed_term", self.fixed_term.unwrap_or(-1), 0, 36_500);
                limits.range("fixed_begin_term", self.fixed_begin_term.unwrap_or(-1), 0, 36_500);
            }
            DateType::Permanent => {
                let bare = self.begin_timestamp.is_none()
                    && self.end_timestamp.is_none()
                    && self.fixed_term.is_none()
                    && self.fixed_begin_term.is_none();
                limits.require(bare, "type", "permanent goes without times and terms");
            }
            DateType::Unknown(_) => limits.require(false, "type", "must be one of the documented types"),
        }
    }
}
