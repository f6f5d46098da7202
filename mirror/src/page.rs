//! Pages of lists: `offset` is a page number, `limit` a page size.

use std::ops::RangeInclusive;

use crate::exchange::Call;
use crate::parameters;
use crate::rules::Refusal;
use crate::rules::parameter::Field;

pub(crate) const OFFSET: Field = Field::new("offset", "分页页码");
pub(crate) const LIMIT: Field = Field::new("limit", "分页大小");

/// Part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    /// Number of the page, from 0.
    pub(crate) offset: i64,
    /// Entries on a page.
    pub(crate) limit: i64,
}

impl Page {
    /// Both are required, and neither may be beyond its limit.
    pub(crate) fn required(call: &Call, last_page: i64, largest: i64) -> Result<Self, Refusal> {
        Ok(Self {
            offset: parameters::required_number_query(call, OFFSET, 0..=last_page)?,
            limit: parameters::required_number_query(call, LIMIT, 1..=largest)?,
        })
    }

    /// Both have a default.
    pub(crate) fn optional(
        call: &Call,
        limits: RangeInclusive<i64>,
        default_limit: i64,
    ) -> Result<Self, Refusal> {
        Ok(Self {
            offset: parameters::number_query(call, OFFSET, 0..=LAST_PAGE)?.unwrap_or(0),
            limit: parameters::number_query(call, LIMIT, limits)?.unwrap_or(default_limit),
        })
    }

    /// Entries before this page.
    pub(crate) fn skipped(self) -> i64 {
        self.offset * self.limit
    }

    /// This page of a whole list.
    pub(crate) fn of<T>(self, all: Vec<T>) -> Vec<T> {
        let count = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
        all.into_iter().skip(count(self.skipped())).take(count(self.limit)).collect()
    }

    /// Whether a list of this many entries has no such page. Every list has a first page.
    pub(crate) fn is_past(self, total: i64) -> bool {
        self.offset > 0 && self.skipped() >= total
    }
}

/// The largest page number there is.
pub(crate) const LAST_PAGE: i64 = 4_294_967_295;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_number_is_not_a_position() {
        let page = Page { offset: 2, limit: 10 };
        assert_eq!(page.skipped(), 20);
        assert_eq!(page.of((0..25).collect()), [20, 21, 22, 23, 24]);
        assert!(page.is_past(20) && !page.is_past(21));
        assert!(!Page { offset: 0, limit: 10 }.is_past(0));
    }
}
