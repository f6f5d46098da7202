//! Taking a coupon back, as the platform does.

use rusqlite::Connection;

use super::{CouponRecord, NO_COUPON, find, read};
use crate::error::MirrorError;
use crate::ledger::coupons;
use crate::state::App;
use crate::stock::stock_id;

/// The status of a coupon that was taken back.
pub(super) const RECOVERED: &str = "RECOVER";

/// Takes a coupon back, whatever its state. What was paid with it and its place in the budget stay.
pub(crate) async fn recover(app: &App, coupon: &str) -> Result<CouponRecord, MirrorError> {
    let id = stock_id(coupon).ok_or(NO_COUPON)?;
    let clocks = app.clocks.clone();
    let work = move |db: &Connection| {
        if find(db, id)?.is_none() {
            return Ok(Err(NO_COUPON));
        }
        coupons::set_status(db, id, RECOVERED)?;
        read(db, id, clocks.now())
    };
    app.ledger.write(work).await?
}
