//! Answers as the field has seen them: unknown values, nulls, aliases, numbers as text.

use favor::core::{BusinessType, CouponType, TradeType};
use favor::prelude::*;
use serde_json::json;

fn stock() -> serde_json::Value {
    json!({"stock_id": "15300001", "stock_creator_mchid": "1900000109", "stock_name": "Tea 5 off 30",
        "status": "running", "create_time": "2026-07-30T10:00:00+08:00", "description": "",
        "available_begin_time": "2026-08-01T00:00:00+08:00", "available_end_time": "2026-08-31T23:59:59+08:00",
        "distributed_coupons": 17, "no_cash": true, "singleitem": false, "stock_type": "NORMAL"})
}

fn coupon() -> serde_json::Value {
    json!({"stock_creator_mchid": "1900000109", "stock_id": "15300001", "coupon_id": "18180000000001",
        "coupon_name": "Tea 5 off 30", "status": "SENDED", "description": "",
        "create_time": "2026-08-02T09:00:00+08:00", "coupon_type": "NORMAL", "no_cash": true,
        "available_begin_time": "2026-08-01T00:00:00+08:00", "available_end_time": "2026-08-31T23:59:59+08:00",
        "singleitem": false})
}

fn with(mut value: serde_json::Value, changes: serde_json::Value) -> serde_json::Value {
    value.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    value
}

#[test]
fn the_smallest_stock_and_the_richest_are_read() {
    let small: Stock = serde_json::from_value(stock()).unwrap();
    assert_eq!((small.status, small.distributed_coupons), (StockStatus::Running, 17));
    let rich = with(
        stock(),
        json!({
        "stock_use_rule": {"max_coupons": "200", "max_amount": 100_000, "max_amount_by_day": 0,
            "fixed_normal_coupon": {"coupon_amount": 500, "transaction_minimum": 3000}, "max_coupons_per_user": 2,
            "coupon_type": "NORMAL", "goods_tag": ["a"], "trade_type": "MICROAPP", "combine_use": true},
        "start_time": "2026-07-30T02:05:00Z", "stop_time": null, "card_id": "p1", "business_type": "MULTIUSE",
        "cut_to_message": {"single_price_max": 100, "cut_to_price": 1},
        "available_region_list": [{"type": "CITY", "city": "深圳"}], "available_industry_list": ["x"],
        "a_field_of_the_future": {"x": 1}}),
    );
    let rich: Stock = serde_json::from_value(rich).unwrap();
    let rule = rich.stock_use_rule.unwrap();
    assert_eq!(rule.max_coupons, Some(200));
    assert_eq!(rule.trade_type, [TradeType::MiniProgram], "a bare text of old answers");
    assert_eq!(rich.business_type, Some(BusinessType::ConsumptionCredit));
    assert_eq!(rich.start_time.unwrap().to_rfc3339(), "2026-07-30T02:05:00+00:00");
    assert_eq!(rich.available_region_list[0].city.as_deref(), Some("深圳"));
}

#[test]
fn null_is_missing_and_unknown_values_are_kept() {
    let nulls = with(
        stock(),
        json!({"no_cash": null, "singleitem": null, "description": null, "stock_use_rule": null,
        "start_time": null, "stop_time": "", "available_region_list": null, "stock_type": null}),
    );
    let nulls: Stock = serde_json::from_value(nulls).unwrap();
    assert_eq!((nulls.no_cash, nulls.singleitem, nulls.stop_time), (None, None, None));
    let later: Stock = serde_json::from_value(with(stock(), json!({"status": "resting"}))).unwrap();
    assert_eq!(later.status.as_str(), "resting");
    for (wire, status) in
        [("stoped", StockStatus::Stopped), ("stopped", StockStatus::Stopped), ("audit", StockStatus::Audit)]
    {
        let stock: Stock = serde_json::from_value(with(stock(), json!({"status": wire}))).unwrap();
        assert_eq!(stock.status, status);
    }
}

#[test]
fn a_used_coupon_tells_how() {
    let used = with(
        coupon(),
        json!({"status": "USED", "no_cash": null, "out_request_no": "n1",
        "normal_coupon_information": {"coupon_amount": 500, "transaction_minimum": 3000},
        "consume_information": {"consume_time": "2026-08-03T12:30:00+08:00", "consume_mchid": "1900000109",
            "transaction_id": "4200000000202608030000000001",
            "goods_detail": [{"goods_id": "g1", "quantity": 1, "price": 500, "discount_amount": 100}]}}),
    );
    let used: Coupon = serde_json::from_value(used).unwrap();
    assert_eq!((used.status, used.coupon_type), (CouponStatus::Used, CouponType::Normal));
    let how = used.consume_information.unwrap();
    assert_eq!(how.transaction_id.as_str(), "4200000000202608030000000001");
    assert_eq!(how.goods_detail[0].discount_amount, Fen::new(100).unwrap());
    let plain: Coupon = serde_json::from_value(with(coupon(), json!({"consume_information": null}))).unwrap();
    assert!(plain.consume_information.is_none());
    let recovered: Coupon = serde_json::from_value(with(coupon(), json!({"status": "RECOVER"}))).unwrap();
    assert_eq!(recovered.status, CouponStatus::Recovered);
}

#[test]
fn a_missing_field_of_weight_is_an_error_with_its_name() {
    for field in ["stock_id", "status", "available_end_time", "distributed_coupons"] {
        let mut wire = stock();
        wire.as_object_mut().unwrap().remove(field);
        let error = serde_json::from_value::<Stock>(wire).unwrap_err().to_string();
        assert!(error.contains(field), "{error}");
    }
}
