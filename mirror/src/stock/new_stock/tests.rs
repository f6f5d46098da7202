//! The smallest useful request, and each way of getting a field wrong.

use serde_json::json;

use super::*;
use crate::rules::create::{CONTRADICTION, DAILY_BUDGET, MINI_PROGRAM};
use crate::rules::parameter::{LENGTH, RANGE, REQUIRED, TIME, TYPE};
use crate::stock::state::tests::at;

fn body() -> Value {
    json!({
        "stock_name": "Tea 5 off 30",
        "belong_merchant": "1900000109",
        "available_begin_time": "2026-08-01T00:00:00+08:00",
        "available_end_time": "2026-08-31T23:59:59+08:00",
        "stock_use_rule": {
            "max_coupons": 200, "max_amount": 100_000, "max_coupons_per_user": 2,
            "natural_person_limit": false, "prevent_api_abuse": true
        },
        "coupon_use_rule": {
            "fixed_normal_coupon": {"coupon_amount": 500, "transaction_minimum": 3000},
            "available_merchants": ["1900000109"]
        },
        "no_cash": true,
        "stock_type": "NORMAL",
        "out_request_no": "1900000109_20260730_0001"
    })
}

fn read(body: &Value) -> Result<NewStock, Refusal> {
    NewStock::read(body.as_object().unwrap())
}

/// The sample stock, and a time at which it can be created.
pub(crate) fn stock() -> (NewStock, Moment) {
    (read(&body()).unwrap(), at("2026-07-30T10:00:00+08:00"))
}

/// The body with one value replaced; `Value::Null` takes the field away.
fn with(pointer: &str, value: Value) -> Value {
    let mut body = body();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    body.pointer_mut(parent).unwrap()[key] = value;
    body
}

#[track_caller]
fn refused(pointer: &str, value: Value, rule: &crate::rules::Rule) {
    let shown = format!("{pointer} = {value}");
    match read(&with(pointer, value)) {
        Ok(_) => panic!("{shown} was accepted"),
        Err(refusal) => assert_eq!(refusal.rule.id, rule.id, "{shown}"),
    }
}

#[track_caller]
fn accepted(pointer: &str, value: Value) {
    if let Err(refusal) = read(&with(pointer, value)) {
        panic!("{pointer}: {}", refusal.message());
    }
}

#[test]
fn the_smallest_request_is_read() {
    let stock = read(&body()).unwrap();
    assert_eq!(stock.name, "Tea 5 off 30");
    assert_eq!((stock.giving.max_coupons, stock.giving.max_amount_by_day), (200, 0));
    assert_eq!((stock.coupon.coupon_amount, stock.coupon.transaction_minimum), (500, 3_000));
    assert!(stock.coupon.combine_use && stock.coupon.available_items.is_empty());
}

#[test]
fn every_required_field_is_asked_for_by_its_chinese_name() {
    for (pointer, message) in [
        ("/stock_name", "参数“批次名称”是必填项"),
        ("/belong_merchant", "参数“归属商户号”是必填项"),
        ("/available_begin_time", "参数“可用开始时间”是必填项"),
        ("/available_end_time", "参数“可用结束时间”是必填项"),
        ("/stock_use_rule", "参数“发放规则”是必填项"),
        ("/coupon_use_rule", "参数“核销规则”是必填项"),
        ("/no_cash", "参数“营销经费”是必填项"),
        ("/stock_type", "参数“批次类型”是必填项"),
        ("/out_request_no", "参数“商户单据号”是必填项"),
        ("/stock_use_rule/max_coupons", "参数“发放总上限”是必填项"),
        ("/stock_use_rule/max_amount", "参数“总预算”是必填项"),
        ("/stock_use_rule/max_coupons_per_user", "参数“单个用户可领个数”是必填项"),
        ("/stock_use_rule/natural_person_limit", "参数“是否开启自然人限制”是必填项"),
        ("/stock_use_rule/prevent_api_abuse", "参数“是否开启防刷拦截”是必填项"),
        ("/coupon_use_rule/fixed_normal_coupon", "参数“固定面额满减券使用规则”是必填项"),
        ("/coupon_use_rule/fixed_normal_coupon/coupon_amount", "参数“面额”是必填项"),
        ("/coupon_use_rule/available_merchants", "参数“可用商户号”是必填项"),
    ] {
        let refusal = read(&with(pointer, Value::Null)).unwrap_err();
        assert_eq!(refusal.message(), message);
        assert_eq!(refusal.detail.unwrap()["field"], pointer);
    }
    refused("/stock_name", json!(""), &REQUIRED);
}

#[test]
fn names_are_limited_by_width_and_characters() {
    accepted("/stock_name", json!("一二三四五六七八九"));
    accepted("/stock_name", json!("12345678901234567890"));
    refused("/stock_name", json!("一二三四五六七八九十"), &NAME_WIDTH);
    refused("/stock_name", json!("1234567890123一二三四"), &NAME_WIDTH);
    refused("/stock_name", json!("123456789012345678901"), &LENGTH);
    refused("/stock_name", json!("tea_5"), &NAME_CHARACTERS);
    refused("/stock_name", json!(5), &TYPE);
}

#[test]
fn texts_and_times_have_a_form() {
    refused("/comment", json!("x".repeat(61)), &LENGTH);
    refused("/available_begin_time", json!("2026-08-01 00:00:00"), &TIME);
    refused("/out_request_no", json!("a b"), &FORMAT);
    refused("/out_request_no", json!("x".repeat(129)), &LENGTH);
    accepted("/out_request_no", json!("aZ0|_*-"));
    refused("/ext_info", json!("{'a':1}"), &FORMAT);
    accepted("/ext_info", json!("{\"a\":1}"));
    refused("/stock_type", json!("OTHER"), &FORMAT);
    for closed in ["DISCOUNT", "EXCHAHGE", "RANDOM"] {
        refused("/stock_type", json!(closed), &TYPE_NOT_OPEN);
    }
}

#[test]
fn counts_and_amounts_have_edges() {
    refused("/stock_use_rule/max_coupons", json!(4), &RANGE);
    refused("/stock_use_rule/max_coupons", json!(10_000_001), &RANGE);
    refused("/stock_use_rule/max_coupons", json!(200.0), &TYPE);
    refused("/stock_use_rule/max_coupons", json!("200"), &TYPE);
    refused("/stock_use_rule/max_amount", json!(10_000_000_001_i64), &RANGE);
    refused("/stock_use_rule/max_amount", json!(99_500), &BUDGET);
    accepted("/stock_use_rule/max_amount_by_day", json!(0));
    accepted("/stock_use_rule/max_amount_by_day", json!(100_000));
    refused("/stock_use_rule/max_amount_by_day", json!(100_001), &DAILY_BUDGET);
    accepted("/stock_use_rule/max_coupons_per_user", json!(60));
    refused("/stock_use_rule/max_coupons_per_user", json!(61), &RANGE);
    refused("/stock_use_rule/max_coupons_per_user", json!(0), &RANGE);
    let face = "/coupon_use_rule/fixed_normal_coupon/coupon_amount";
    refused(face, json!(1), &RANGE);
    refused(face, json!(100_001), &RANGE);
    refused(face, json!(3_000), &THRESHOLD);
}

#[test]
fn the_looks_are_checked() {
    let looks = |info: Value| with("/pattern_info", info);
    let rule = |info: Value| read(&looks(info)).unwrap_err().rule.id;
    assert_eq!(rule(json!({})), REQUIRED.id);
    assert_eq!(rule(json!({"description": "x".repeat(1_001)})), LENGTH.id);
    assert_eq!(rule(json!({"description": "x", "background_color": "COLOR011"})), FORMAT.id);
    assert_eq!(rule(json!({"description": "x", "merchant_name": "一".repeat(13)})), LENGTH.id);
    assert_eq!(rule(json!({"description": "x", "jump_target": "ELSEWHERE"})), FORMAT.id);
    assert_eq!(rule(json!({"description": "x", "jump_target": "MINI_PROGRAM"})), MINI_PROGRAM.id);
    let stock = read(&looks(json!({
        "description": "x", "background_color": "Color010", "jump_target": "MINI_PROGRAM",
        "mini_program_appid": "wx1", "mini_program_path": "/a"
    })));
    assert_eq!(stock.unwrap().mini_program_appid.as_deref(), Some("wx1"));
}

#[test]
fn lists_are_limited() {
    let rule = "/coupon_use_rule";
    let at = |key: &str| format!("{rule}/{key}");
    let many = |count: usize| Value::from(vec!["1"; count]);
    refused(&at("goods_tag"), json!([]), &REQUIRED);
    refused(&at("goods_tag"), json!("tea"), &REQUIRED);
    refused(&at("goods_tag"), json!(["a-b"]), &FORMAT);
    refused(&at("goods_tag"), many(51), &LENGTH);
    refused(&at("limit_pay"), json!(["A", "B"]), &LENGTH);
    refused(&at("trade_type"), json!(["CASH"]), &FORMAT);
    accepted(&at("trade_type"), json!(["CARD", "MICROAPP"]));
    refused(&at("available_items"), many(51), &LENGTH);
    refused(&at("available_items"), json!(["x".repeat(129)]), &LENGTH);
    refused(&at("available_merchants"), many(51), &LENGTH);
    refused(&at("available_merchants"), json!(["12a"]), &FORMAT);
    refused(&at("limit_card"), json!({"name": "一二三四五", "bin": ["123456"]}), &LENGTH);
    refused(&at("limit_card"), json!({"name": "一二", "bin": ["12345"]}), &FORMAT);
    refused(&at("limit_card"), json!({"name": "一二", "bin": ["123456"]}), &CONTRADICTION);
}

#[test]
fn times_after_receipt_may_not_contradict() {
    let time = "/coupon_use_rule/coupon_available_time";
    let fixed = json!({"available_week_day": [0, 6], "begin_time": 0, "end_time": 86_399});
    accepted(time, json!({"fix_available_time": fixed}));
    refused(time, json!({"fix_available_time": fixed, "second_day_available": true}), &CONTRADICTION);
    refused(time, json!({"fix_available_time": {"begin_time": 0, "available_week_day": [7]}}), &RANGE);
    refused(time, json!({"fix_available_time": {"begin_time": 86_401}}), &RANGE);
    accepted(time, json!({"second_day_available": true, "available_time_after_receive": 60}));
}

#[test]
fn the_digest_follows_the_content() {
    assert_eq!(read(&body()).unwrap().digest, read(&body()).unwrap().digest);
    assert_ne!(read(&body()).unwrap().digest, read(&with("/comment", json!("x"))).unwrap().digest);
}
