//! Which stocks to list (spec §3.6).

use favor_core::{CallBuilder, Checks, InvalidRequest, Timestamp, time};

use crate::limits;
use crate::model::StockStatus;

/// A filter for stocks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListStocks {
    /// How many on a page: 1 to 10.
    pub limit: u32,
    /// Created from then on.
    pub create_start_time: Option<Timestamp>,
    /// Created until then.
    pub create_end_time: Option<Timestamp>,
    /// In this state.
    pub status: Option<StockStatus>,
}

impl Default for ListStocks {
    fn default() -> Self {
        Self::all()
    }
}

impl ListStocks {
    /// All stocks, ten on a page.
    pub fn all() -> Self {
        Self { limit: limits::STOCKS_PAGE, create_start_time: None, create_end_time: None, status: None }
    }

    /// Only those in this state.
    #[must_use]
    pub fn status(mut self, status: StockStatus) -> Self {
        self.status = Some(status);
        self
    }

    /// Only those created within this time.
    #[must_use]
    pub fn created(mut self, from: Timestamp, until: Timestamp) -> Self {
        self.create_start_time = Some(from);
        self.create_end_time = Some(until);
        self
    }

    /// Sets how many come on a page: 1 to 10.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = limit;
        self
    }

    pub(crate) fn has_filter(&self) -> bool {
        self.status.is_some() || self.create_start_time.is_some() || self.create_end_time.is_some()
    }

    pub(crate) fn check(&self) -> Result<(), InvalidRequest> {
        let mut checks = Checks::new();
        checks.range("limit", self.limit, 1..=limits::STOCKS_PAGE);
        if let (Some(start), Some(end)) = (self.create_start_time, self.create_end_time) {
            checks.require(start <= end, "create_end_time", "must not be before create_start_time");
        }
        checks.finish()
    }

    pub(crate) fn filter(&self, mut call: CallBuilder) -> CallBuilder {
        if let Some(time) = &self.create_start_time {
            call = call.query("create_start_time", &time::to_wire(time));
        }
        if let Some(time) = &self.create_end_time {
            call = call.query("create_end_time", &time::to_wire(time));
        }
        if let Some(status) = &self.status {
            call = call.query("status", status.as_str());
        }
        call
    }
}
