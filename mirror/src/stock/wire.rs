//! A stock as clients see it.

use serde::Serialize;

use super::StockState;
use crate::moment::Moment;

#[derive(Debug, Serialize)]
pub(crate) struct StockWire<'a> {
    stock_id: String,
    stock_creator_mchid: &'a str,
    stock_name: &'a str,
    status: &'static str,
    create_time: String,
    description: &'a str,
    stock_use_rule: UseRule<'a>,
    available_begin_time: String,
    available_end_time: String,
    distributed_coupons: i64,
    no_cash: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_time: Option<String>,
    singleitem: bool,
    stock_type: &'static str,
}

#[derive(Debug, Serialize)]
struct UseRule<'a> {
    max_coupons: i64,
    max_amount: i64,
    max_amount_by_day: i64,
    fixed_normal_coupon: FaceValue,
    max_coupons_per_user: i64,
    coupon_type: &'static str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    goods_tag: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    trade_type: &'a [String],
    combine_use: bool,
}

/// What a coupon takes off, and from which order total on.
#[derive(Debug, Serialize)]
pub(crate) struct FaceValue {
    pub(crate) coupon_amount: i64,
    pub(crate) transaction_minimum: i64,
}

impl<'a> StockWire<'a> {
    pub(crate) fn new(stock: &'a StockState, now: Moment) -> Self {
        Self {
            stock_id: stock.id.to_string(),
            stock_creator_mchid: &stock.creator,
            stock_name: &stock.name,
            status: stock.shown_status(now).wire(),
            create_time: stock.created.rfc3339(),
            description: &stock.description,
            stock_use_rule: UseRule {
                max_coupons: stock.max_coupons,
                max_amount: stock.max_amount,
                max_amount_by_day: stock.max_amount_by_day,
                fixed_normal_coupon: FaceValue {
                    coupon_amount: stock.coupon_amount,
                    transaction_minimum: stock.transaction_minimum,
                },
                max_coupons_per_user: stock.max_coupons_per_user,
                coupon_type: "NORMAL",
                goods_tag: &stock.goods_tag,
                trade_type: &stock.trade_type,
                combine_use: stock.combine_use,
            },
            available_begin_time: stock.begins.rfc3339(),
            available_end_time: stock.ends.rfc3339(),
            distributed_coupons: stock.distributed,
            no_cash: stock.no_cash,
            start_time: stock.started.map(Moment::rfc3339),
            stop_time: stock.stopped.map(Moment::rfc3339),
            singleitem: stock.single_item,
            stock_type: "NORMAL",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stock::state::tests::stock;

    #[test]
    fn it_has_the_documented_form() {
        let stock = StockState { distributed: 3, ..stock() };
        let wire = serde_json::to_value(StockWire::new(&stock, stock.begins)).unwrap();
        assert_eq!(
            wire,
            serde_json::json!({
                "stock_id": "15300001", "stock_creator_mchid": "1900000109", "stock_name": "Tea 5 off 30",
                "status": "running", "create_time": "2026-07-30T10:00:00+08:00", "description": "",
                "stock_use_rule": {
                    "max_coupons": 10, "max_amount": 5000, "max_amount_by_day": 0,
                    "fixed_normal_coupon": {"coupon_amount": 500, "transaction_minimum": 3000},
                    "max_coupons_per_user": 2, "coupon_type": "NORMAL", "combine_use": true
                },
                "available_begin_time": "2026-08-01T00:00:00+08:00",
                "available_end_time": "2026-08-31T23:59:59+08:00",
                "distributed_coupons": 3, "no_cash": true, "start_time": "2026-07-30T10:05:00+08:00",
                "singleitem": false, "stock_type": "NORMAL"
            })
        );
    }
}
