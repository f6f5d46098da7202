//! A coupon as clients see it.

use serde::Serialize;

use super::CouponState;
use crate::moment::Moment;
use crate::payment::GoodsDetail;
use crate::stock::{FaceValue, StockState};

#[derive(Debug, Serialize)]
pub(crate) struct CouponWire<'a> {
    stock_creator_mchid: &'a str,
    stock_id: String,
    coupon_id: String,
    coupon_name: &'a str,
    status: &'a str,
    description: &'a str,
    create_time: String,
    coupon_type: &'static str,
    no_cash: bool,
    available_begin_time: String,
    available_end_time: String,
    singleitem: bool,
    normal_coupon_information: FaceValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    consume_information: Option<Consumed<'a>>,
    /// Not told in notifications.
    #[serde(skip_serializing_if = "Option::is_none")]
    out_request_no: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Consumed<'a> {
    consume_time: String,
    consume_mchid: &'a str,
    transaction_id: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    goods_detail: &'a [GoodsDetail],
}

impl<'a> CouponWire<'a> {
    pub(crate) fn new(coupon: &'a CouponState, stock: &'a StockState, now: Moment) -> Self {
        Self {
            stock_creator_mchid: &stock.creator,
            stock_id: stock.id.to_string(),
            coupon_id: coupon.id.to_string(),
            coupon_name: &stock.name,
            status: coupon.shown_status(now),
            description: &stock.description,
            create_time: coupon.received.rfc3339(),
            coupon_type: "NORMAL",
            no_cash: stock.no_cash,
            available_begin_time: coupon.begins.rfc3339(),
            available_end_time: coupon.ends.rfc3339(),
            singleitem: stock.single_item,
            normal_coupon_information: FaceValue {
                coupon_amount: coupon.amount,
                transaction_minimum: coupon.minimum,
            },
            consume_information: coupon.consumed.as_ref().map(|payment| Consumed {
                consume_time: payment.redeemed.rfc3339(),
                consume_mchid: &payment.mchid,
                transaction_id: &payment.transaction_id,
                goods_detail: &payment.goods_detail,
            }),
            out_request_no: Some(&coupon.out_request_no),
        }
    }
}

/// What a notification about a coupon says, in JSON. Without the user and the request's number: who wants to know
/// them keeps a list of its own.
pub(crate) fn notified(coupon: &CouponState, stock: &StockState, now: Moment) -> String {
    #[derive(Serialize)]
    struct Notified<'a> {
        #[serde(flatten)]
        coupon: CouponWire<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        singleitem_discount_off: Option<SingleItem>,
    }
    #[derive(Serialize)]
    struct SingleItem {
        single_price_max: i64,
    }
    let told = Notified {
        coupon: CouponWire { out_request_no: None, ..CouponWire::new(coupon, stock, now) },
        singleitem_discount_off: stock
            .single_item
            .then_some(SingleItem { single_price_max: stock.coupon_amount }),
    };
    serde_json::to_string(&told).expect("a coupon is made of texts, numbers and lists")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coupon::state::tests::coupon;
    use crate::stock::state::tests::stock;

    #[test]
    fn it_has_the_documented_form() {
        let (coupon, stock) = (coupon(), stock());
        let wire = serde_json::to_value(CouponWire::new(&coupon, &stock, stock.begins)).unwrap();
        assert_eq!(
            wire,
            serde_json::json!({
                "stock_creator_mchid": "1900000109", "stock_id": "15300001", "coupon_id": "18180000000001",
                "coupon_name": "Tea 5 off 30", "status": "SENDED", "description": "",
                "create_time": "2026-08-02T09:00:00+08:00", "coupon_type": "NORMAL", "no_cash": true,
                "available_begin_time": "2026-08-01T00:00:00+08:00",
                "available_end_time": "2026-08-31T23:59:59+08:00", "singleitem": false,
                "normal_coupon_information": {"coupon_amount": 500, "transaction_minimum": 3000},
                "out_request_no": "1900000110_1"
            })
        );
    }
}
