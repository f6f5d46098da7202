//! Ending a coupon's time by hand.

use rusqlite::Connection;

use super::{CouponRecord, NO_COUPON, find, read};
use crate::error::MirrorError;
use crate::ledger::stock_views;
use crate::moment::Moment;
use crate::state::App;
use crate::stock::stock_id;

/// Ends a coupon's time now. One that has ended already stays as it is.
pub(crate) async fn expire(app: &App, coupon: &str) -> Result<CouponRecord, MirrorError> {
    let id = stock_id(coupon).ok_or(NO_COUPON)?;
    let clocks = app.clocks.clone();
    app.ledger.write(move |db| expire_in(db, id, clocks.now())).await?
}

fn expire_in(db: &Connection, id: i64, now: Moment) -> rusqlite::Result<Result<CouponRecord, MirrorError>> {
    let Some((coupon, _)) = find(db, id)? else { return Ok(Err(NO_COUPON)) };
    match coupon.shown_status(now) {
        "SENDED" => stock_views::expire(db, id, now)?,
        "EXPIRED" => {}
        other => {
            let reason = format!("the coupon is {other}, only one that is SENDED can expire");
            return Ok(Err(MirrorError::Refused { reason }));
        }
    }
    read(db, id, now)
}
