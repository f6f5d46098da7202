//! The platform's review of a new stock, which production begins and ends by itself.

use rusqlite::Connection;

use super::{StockStatus, find};
use crate::error::MirrorError;
use crate::ledger::stocks;

/// Puts a stock that was never started under review, or ends its review. Twice is as good as once.
pub(crate) fn review_in(
    db: &Connection,
    id: i64,
    under_review: bool,
) -> rusqlite::Result<Result<(), MirrorError>> {
    let Some(stock) = find(db, Some(id))? else {
        return Ok(Err(MirrorError::NotFound { what: "stock" }));
    };
    if !matches!(stock.status, StockStatus::Unactivated | StockStatus::Audit) {
        let state = stock.status.wire();
        let reason = format!("the stock is {state}; only one that was never started is reviewed");
        return Ok(Err(MirrorError::Refused { reason }));
    }
    stocks::mark_reviewed(db, id, under_review)?;
    Ok(Ok(()))
}
