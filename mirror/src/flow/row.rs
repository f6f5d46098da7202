//! The records of a flow, read from the store in portions.

use rusqlite::{Connection, Row, named_params};

use crate::moment::{self, Moment};

/// Whether a flow is about uses or about refunds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Use,
    Refund,
}

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flow {
    pub(crate) kind: Kind,
    pub(crate) stock_id: i64,
    pub(crate) single_item: bool,
    /// `None`: all days.
    pub(crate) day: Option<i64>,
}

impl Flow {
    /// From when to before when, in milliseconds.
    fn span(self) -> (i64, i64) {
        match self.day {
            Some(day) => (moment::day_start(day).millis(), moment::day_start(day + 1).millis()),
            None => (i64::MIN, i64::MAX),
        }
    }
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FlowRow {
    pub(crate) place: Place,
    pub(crate) coupon_id: i64,
    pub(crate) discount: i64,
    pub(crate) total_amount: i64,
    pub(crate) transaction_id: String,
    pub(crate) redeemed: Moment,
    pub(crate) mchid: String,
    pub(crate) device_no: Vec<u8>,
    pub(crate) bank_serial: String,
    pub(crate) goods_detail: String,
    /// Number and time of a refund.
    pub(crate) refund: Option<(String, Moment)>,
}

/// Where a record stands in its flow: by time, then by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) millis: i64,
    pub(crate) id: i64,
}

impl Place {
    pub(crate) const START: Self = Self { millis: i64::MIN, id: 0 };
}

/// Number of the last record there is now; 0 when there is none. Records never change, so that number says
/// which version of the flow this is.
pub(crate) fn last(connection: &Connection, flow: Flow) -> rusqlite::Result<i64> {
    let sql = match flow.kind {
        Kind::Use => {
            "SELECT coalesce(max(id), 0) FROM redemptions
             WHERE stock_id = ?1 AND redeemed >= ?2 AND redeemed < ?3"
        }
        Kind::Refund => {
            "SELECT coalesce(max(id), 0) FROM refunds WHERE stock_id = ?1 AND refunded >= ?2 AND refunded < ?3"
        }
    };
    let (from, to) = flow.span();
    connection.prepare_cached(sql)?.query_row([flow.stock_id, from, to], |row| row.get(0))
}

/// The next records after a place, at most `limit`, and none beyond the number `last`.
pub(crate) fn read(
    connection: &Connection,
    flow: Flow,
    last: i64,
    after: Place,
    limit: i64,
) -> rusqlite::Result<Vec<FlowRow>> {
    let sql = match flow.kind {
        Kind::Use => {
            "SELECT r.redeemed, r.id, r.coupon_id, r.discount, r.total_amount, r.transaction_id, r.redeemed,
                r.mchid, r.device_no, r.bank_serial, r.goods_detail, NULL
             FROM redemptions r
             WHERE r.stock_id = :stock AND r.id <= :last AND r.redeemed >= :from AND r.redeemed < :to
                AND (r.redeemed, r.id) > (:millis, :id)
             ORDER BY r.redeemed, r.id LIMIT :limit"
        }
        Kind::Refund => {
            "SELECT f.refunded, f.id, r.coupon_id, f.discount, r.total_amount, r.transaction_id, r.redeemed,
                r.mchid, r.device_no, r.bank_serial, r.goods_detail, f.refund_id
             FROM refunds f JOIN redemptions r ON r.id = f.redemption_id
             WHERE f.stock_id = :stock AND f.id <= :last AND f.refunded >= :from AND f.refunded < :to
                AND (f.refunded, f.id) > (:millis, :id)
             ORDER BY f.refunded, f.id LIMIT :limit"
        }
    };
    let (from, to) = flow.span();
    connection
        .prepare_cached(sql)?
        .query_map(
            named_params! {
                ":stock": flow.stock_id, ":last": last, ":from": from, ":to": to,
                ":millis": after.millis, ":id": after.id, ":limit": limit,
            },
            read_row,
        )?
        .collect()
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<FlowRow> {
    let place = Place { millis: row.get(0)?, id: row.get(1)? };
    let refund_id: Option<String> = row.get(11)?;
    Ok(FlowRow {
        place,
        coupon_id: row.get(2)?,
        discount: row.get(3)?,
        total_amount: row.get(4)?,
        transaction_id: row.get(5)?,
        redeemed: Moment::from_millis(row.get(6)?),
        mchid: row.get(7)?,
        device_no: row.get(8)?,
        bank_serial: row.get(9)?,
        goods_detail: row.get::<_, Option<String>>(10)?.unwrap_or_default(),
        refund: refund_id.map(|id| (id, Moment::from_millis(place.millis))),
    })
}
