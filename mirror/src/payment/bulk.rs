//! Many redemptions at once, so that tests have long histories quickly.

use rusqlite::{Connection, named_params};
use serde_json::json;

use super::check::{self, Place};
use crate::error::MirrorError;
use crate::ledger::{coupons, prefunds, redemptions, stocks};
use crate::metrics::Happening;
use crate::moment::Moment;
use crate::rules::send;
use crate::state::App;
use crate::stock::{StockState, stock_id};

/// Gives this many coupons of a stock to as many new users and redeems each, in one transaction.
pub(crate) async fn fill(app: &App, stock: &str, rows: i64) -> Result<(), MirrorError> {
    let missing = || MirrorError::NotFound { what: "stock" };
    let id = stock_id(stock).ok_or_else(missing)?;
    let clocks = app.clocks.clone();
    let merchants = app.merchants();
    let fill = move |db: &Connection| {
        let Some(stock) = stocks::find(db, id)? else { return Ok(Err(missing())) };
        let appid = merchants.find(&stock.creator).map(|known| known.public.appid.clone());
        let now = clocks.now();
        let place = Place {
            merchants: stocks::available_merchants(db, id)?,
            items: stocks::available_items(db, id)?,
        };
        let today = stocks::day_amount(db, id, now.beijing_day())?;
        if let Err(reason) = check(&stock, rows, today, now) {
            return Ok(Err(MirrorError::Refused { reason }));
        }
        if !redemptions::range_is_free(db, now, rows)? {
            let reason = "a transaction_id given earlier is in the way".to_owned();
            return Ok(Err(MirrorError::Refused { reason }));
        }
        if !prefunds::spend(db, id, stock.coupon_amount * rows)? {
            return Ok(Err(MirrorError::Refused { reason: check::MONEY_GONE.to_owned() }));
        }
        insert(db, &stock, &place, &appid.unwrap_or_default(), rows, now).map(Ok)
    };
    app.ledger.write(fill).await??;
    let times = u64::try_from(rows).unwrap_or(0);
    app.metrics.count(Happening::Sent, times);
    app.metrics.count(Happening::Redeemed, times);
    Ok(())
}

fn check(stock: &StockState, rows: i64, today: i64, now: Moment) -> Result<(), String> {
    if rows < 1 || rows > stock.coupons_left() {
        return Err(format!("{rows} coupons do not fit, {} are left", stock.coupons_left()));
    }
    send::runs(stock, now).map_err(|refusal| refusal.rule.explanation.to_owned())?;
    let amount = stock.coupon_amount * rows;
    if stock.max_amount_by_day > 0 && today + amount > stock.max_amount_by_day {
        return Err(format!("{rows} coupons are more than the daily budget allows"));
    }
    let (begins, _) = stock.coupon_window(now);
    if now < begins || stock.fixed_time.as_ref().is_some_and(|time| !time.holds(now)) {
        return Err("a coupon given now cannot be used now".to_owned());
    }
    Ok(())
}

/// Four statements, whatever the number of rows.
fn insert(
    db: &Connection,
    stock: &StockState,
    place: &Place,
    appid: &str,
    rows: i64,
    now: Moment,
) -> rusqlite::Result<()> {
    let (begins, ends) = stock.coupon_window(now);
    let first = coupons::next_id(db)?;
    let goods = check::default_goods(stock, place, stock.transaction_minimum, stock.coupon_amount);
    db.execute(
        "WITH RECURSIVE n (id) AS (SELECT :first UNION ALL SELECT id + 1 FROM n WHERE id + 1 < :first + :rows)
         INSERT INTO coupons (id, stock_id, openid, appid, sender, out_request_no, amount, minimum, status,
            received, begins, ends)
         SELECT id, :stock, printf('oFill%023d', id), :appid, :creator, 'fill_' || id, :amount, :minimum, 'USED',
            :now, :begins, :ends FROM n",
        named_params! {
            ":first": first, ":rows": rows, ":stock": stock.id, ":appid": appid, ":creator": stock.creator,
            ":amount": stock.coupon_amount, ":minimum": stock.transaction_minimum, ":now": now.millis(),
            ":begins": begins.millis(), ":ends": ends.millis(),
        },
    )?;
    db.execute(
        "INSERT INTO users (openid, appid) SELECT openid, appid FROM coupons WHERE id >= ?1",
        [first],
    )?;
    db.execute(
        "INSERT INTO send_requests SELECT sender, out_request_no, x'', id FROM coupons WHERE id >= ?1",
        [first],
    )?;
    db.execute(
        "INSERT INTO redemptions (id, coupon_id, stock_id, transaction_id, redeemed, mchid, total_amount,
            discount, goods_detail)
         SELECT :next + c.id - :first, c.id, c.stock_id, :prefix || printf('%010d', :next + c.id - :first), :now,
            :mchid, c.minimum, c.amount, :goods FROM coupons c WHERE c.id >= :first",
        named_params! {
            ":next": redemptions::next_id(db)?, ":first": first, ":prefix": redemptions::prefix(now),
            ":now": now.millis(), ":mchid": place.merchants.first(),
            ":goods": (!goods.is_empty()).then(|| json!(goods).to_string()),
        },
    )?;
    stocks::count_coupons(db, stock.id, rows)?;
    stocks::add_day_amount(db, stock.id, now.beijing_day(), stock.coupon_amount * rows)
}
