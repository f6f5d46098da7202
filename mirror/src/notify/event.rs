//! Raising notifications, within the transaction of what they are about.

use std::sync::Arc;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::claim::Wake;
use crate::coupon;
use crate::ledger::{callbacks, coupons, notifications};
use crate::moment::Moment;
use crate::state::App;
use crate::stock::StockState;

/// A notification that was raised. Its first delivery begins when this is dropped, which is to happen after the
/// transaction.
#[derive(Debug)]
pub(crate) struct Raised {
    tried: oneshot::Receiver<()>,
    wake: Wake,
}

impl Raised {
    /// Waits until the first delivery has been tried.
    pub(crate) async fn tried(self) {
        let Self { tried, wake } = self;
        drop(wake);
        // An error means that the mirror stops or starts over.
        tried.await.ok();
    }
}

/// A coupon was paid with. Nothing happens unless its stock's creator wants to know.
pub(crate) fn redeemed(
    app: &App,
    db: &Connection,
    coupon_id: i64,
    stock: &StockState,
    now: Moment,
) -> rusqlite::Result<Option<Raised>> {
    raise(app, db, "COUPON.USE", "用券成功", coupon_id, stock, now)
}

/// A coupon was given.
pub(crate) fn given(
    app: &App,
    db: &Connection,
    coupon_id: i64,
    stock: &StockState,
    now: Moment,
) -> rusqlite::Result<Option<Raised>> {
    raise(app, db, "COUPON.SEND", "发券成功", coupon_id, stock, now)
}

fn raise(
    app: &App,
    db: &Connection,
    event_type: &'static str,
    summary: &'static str,
    coupon_id: i64,
    stock: &StockState,
    now: Moment,
) -> rusqlite::Result<Option<Raised>> {
    let Some(notify_url) = callbacks::target(db, &stock.creator)? else { return Ok(None) };
    let Some(coupon) = coupons::find(db, coupon_id)? else { return Ok(None) };
    let new = notifications::NewNotification {
        event_type,
        summary,
        mchid: &stock.creator,
        stock_id: stock.id,
        coupon_id: coupon.id,
        transaction_id: coupon.consumed.as_ref().map(|payment| payment.transaction_id.as_str()),
        notify_url: &notify_url,
        resource: &coupon::notified(&coupon, stock, now),
    };
    let id = notifications::insert(db, &new, now)?;
    let wake = Wake(Arc::clone(&app.timeline));
    Ok(Some(Raised { tried: app.notify.wait_for(id), wake }))
}
