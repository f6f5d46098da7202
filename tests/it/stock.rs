//! Stocks: created, started, queried, and every limit.

use std::time::Duration;

use chrono::{Days, FixedOffset, NaiveTime, TimeDelta};
use favor::prelude::*;
use favor::stock::{AvailableTime, FixedAvailableTime, JumpTarget, LimitCard, PatternInfo, StockType};

use crate::harness::{World, client_of_other, openid, refusal, seed};

#[tokio::test]
async fn a_stock_is_created_once_and_started_after_a_minute() {
    let world = World::new().await;
    let request = world.stock_request(10, 1, "s1");
    let created = world.stocks.create(&request).await.unwrap();
    let repeated = world.stocks.create(&request).await.unwrap();
    assert_eq!(*created, *repeated, "the same number and content give the same stock");
    let mut other = request.clone();
    other.comment = Some("other".into());
    let error = world.stocks.create(&other).await.unwrap_err();
    assert_eq!(
        refusal(&error),
        (400, "INVALID_REQUEST".into(), Outcome::Refused),
        "the same number, other content"
    );

    assert_eq!(world.stocks.get(&created.stock_id).await.unwrap().status, StockStatus::Unactivated);
    let error = world.stocks.start(&created.stock_id).await.unwrap_err();
    assert_eq!(refusal(&error), (400, "INVALID_REQUEST".into(), Outcome::Refused), "too soon");
    world.mirror.advance(Duration::from_secs(61)).await.unwrap();
    let started = world.stocks.start(&created.stock_id).await.unwrap();
    assert_eq!(*world.stocks.start(&created.stock_id).await.unwrap(), *started, "again: the same start");

    let stock = world.stocks.get(&created.stock_id).await.unwrap();
    assert_eq!(stock.status, StockStatus::Running);
    assert_eq!(stock.start_time, Some(started.start_time));
    assert_eq!(stock.no_cash, Some(true));
    let rule = stock.stock_use_rule.as_ref().unwrap();
    assert_eq!((rule.max_coupons, rule.max_amount), (Some(10), Some(Fen::new(5000).unwrap())));
}

#[tokio::test]
async fn a_full_request_is_accepted_by_the_other_side() {
    let world = World::new().await;
    let mut request = world.stock_request(100, 2, "full").comment("retail").pattern_info(
        PatternInfo::new("5 off orders from 30")
            .merchant_name("Tea House")
            .background_color("COLOR020".into())
            .jump_target(JumpTarget::PaymentCode),
    );
    request.stock_use_rule = request.stock_use_rule.natural_person_limit(true).prevent_api_abuse(false);
    request.coupon_use_rule = request
        .coupon_use_rule
        .goods_tag(["TEA_1"])
        .limit_pay("ICBC_CREDIT")
        .limit_card(LimitCard::new("工行", ["622200"]))
        .trade_type([favor::core::TradeType::PaymentCode])
        .combine_use(true)
        .available_items(["tea-1", "tea-2"])
        .coupon_available_time(AvailableTime::fixed(
            FixedAvailableTime::new([0, 6], 36_000).end_time(72_000),
        ));
    let created = world.stocks.create(&request).await.unwrap();
    let stock = world.stocks.get(&created.stock_id).await.unwrap();
    assert_eq!(stock.singleitem, Some(true));
    assert_eq!(stock.description, "5 off orders from 30");
    assert_eq!(stock.stock_use_rule.as_ref().unwrap().goods_tag, ["TEA_1"]);
}

#[tokio::test]
async fn a_coupon_may_work_from_the_day_after_it_was_received() {
    let world = World::new().await;
    let mut request = world.stock_request(10, 1, "second-day");
    request.coupon_use_rule = request.coupon_use_rule.coupon_available_time(AvailableTime::from_second_day());
    let stock_id = world.running(&request).await;
    let person = openid("oLater");
    let sent = world.coupons.send(&person, &world.send_request(&stock_id, "n1")).await.unwrap();
    let coupon = world.coupons.get(&person, &sent.coupon_id, &world.appid).await.unwrap();
    let beijing = FixedOffset::east_opt(8 * 3_600).unwrap();
    let received = coupon.create_time.with_timezone(&beijing).date_naive();
    let begins = coupon.available_begin_time.with_timezone(&beijing);
    assert_eq!(begins.naive_local(), (received + Days::new(1)).and_time(NaiveTime::MIN));
}

#[tokio::test]
async fn a_prefunded_stock_needs_the_money() {
    let poor = seed("1900000307", "wx00000000000000cc", 4_999);
    let world = World::with(favor_mirror::Mirror::builder().merchant(poor), |client| client).await;
    let (client, _) = client_of_other(&world.mirror, "1900000307");
    let template = world.stock_request(10, 1, "poor");
    let request = CreateStock::prefunded(
        template.stock_name,
        client.merchant_id().clone(),
        template.available_begin_time..template.available_end_time,
        template.stock_use_rule,
        template.coupon_use_rule,
        template.out_request_no,
    );
    let stocks = Stocks::new(&client);
    let created = stocks.create(&request).await.unwrap();
    world.mirror.advance(Duration::from_secs(61)).await.unwrap();
    let error = stocks.start(&created.stock_id).await.unwrap_err();
    assert_eq!(refusal(&error), (403, "NOT_ENOUGH".into(), Outcome::Refused));
}

/// One broken limit: what to break, and the field that must be named.
type Break = (&'static str, fn(&mut CreateStock));

const BREAKS: &[Break] = &[
    ("stock_name", |r| r.stock_name = String::new()),
    ("stock_name", |r| r.stock_name = "x".repeat(21)),
    ("stock_name", |r| r.stock_name = "a|b".into()),
    ("stock_name", |r| r.stock_name = "tea 🍵".into()),
    ("comment", |r| r.comment = Some("x".repeat(61))),
    ("belong_merchant", |r| r.belong_merchant = "1".repeat(21).parse().unwrap()),
    ("available_begin_time", |r| r.available_begin_time -= TimeDelta::hours(1)),
    ("available_end_time", |r| r.available_end_time = r.available_begin_time),
    ("available_end_time", |r| {
        r.available_end_time = r.available_begin_time + TimeDelta::seconds(90 * 86_400 + 1)
    }),
    ("stock_use_rule.max_coupons", |r| r.stock_use_rule.max_coupons = 4),
    ("stock_use_rule.max_coupons", |r| r.stock_use_rule.max_coupons = 10_000_001),
    ("stock_use_rule.max_amount", |r| r.stock_use_rule.max_amount = Fen::new(4_999).unwrap()),
    ("stock_use_rule.max_amount_by_day", |r| {
        r.stock_use_rule.max_amount_by_day = Some(Fen::new(5_001).unwrap())
    }),
    ("stock_use_rule.max_coupons_per_user", |r| r.stock_use_rule.max_coupons_per_user = 0),
    ("stock_use_rule.max_coupons_per_user", |r| r.stock_use_rule.max_coupons_per_user = 61),
    ("stock_use_rule.max_coupons_per_user", |r| r.stock_use_rule.max_coupons_per_user = 11),
    ("pattern_info.description", |r| r.pattern_info = Some(PatternInfo::new(""))),
    ("pattern_info.mini_program_path", |r| {
        r.pattern_info = Some(PatternInfo::new("x").mini_program("wx1".parse().unwrap(), ""));
    }),
    ("coupon_use_rule.fixed_normal_coupon", |r| r.coupon_use_rule.fixed_normal_coupon = None),
    ("coupon_use_rule.fixed_normal_coupon.coupon_amount", |r| {
        r.coupon_use_rule.fixed_normal_coupon.as_mut().unwrap().coupon_amount = Fen::new(1).unwrap();
    }),
    ("coupon_use_rule.fixed_normal_coupon.transaction_minimum", |r| {
        r.coupon_use_rule.fixed_normal_coupon.as_mut().unwrap().transaction_minimum = Fen::new(500).unwrap();
    }),
    ("coupon_use_rule.goods_tag", |r| r.coupon_use_rule.goods_tag = vec!["a".into(); 51]),
    ("coupon_use_rule.goods_tag[1]", |r| r.coupon_use_rule.goods_tag = vec!["a".into(), "a-b".into()]),
    ("coupon_use_rule.limit_pay", |r| r.coupon_use_rule.limit_pay = vec!["A".into(), "B".into()]),
    ("coupon_use_rule.limit_card", |r| {
        r.coupon_use_rule.limit_card = Some(LimitCard::new("工行", ["622200"]))
    }),
    ("coupon_use_rule.limit_card.bin[0]", |r| {
        r.coupon_use_rule.limit_pay = vec!["ICBC_CREDIT".into()];
        r.coupon_use_rule.limit_card = Some(LimitCard::new("工行", ["62220"]));
    }),
    ("coupon_use_rule.available_items[0]", |r| r.coupon_use_rule.available_items = vec![String::new()]),
    ("coupon_use_rule.available_merchants", |r| r.coupon_use_rule.available_merchants.clear()),
    ("coupon_use_rule.available_merchants", |r| {
        r.coupon_use_rule.available_merchants = vec!["1".parse().unwrap(); 51];
    }),
    ("coupon_use_rule.coupon_available_time.fix_available_time.available_week_day[0]", |r| {
        r.coupon_use_rule.coupon_available_time = Some(AvailableTime::fixed(FixedAvailableTime::new([7], 0)));
    }),
    ("coupon_use_rule.coupon_available_time.second_day_available", |r| {
        let mut time = AvailableTime::fixed(FixedAvailableTime::new([1], 0));
        time.second_day_available = Some(true);
        r.coupon_use_rule.coupon_available_time = Some(time);
    }),
    ("stock_type", |r| r.stock_type = StockType::Exchange),
    ("ext_info", |r| r.ext_info = Some("x".repeat(129))),
];

#[tokio::test]
async fn every_limit_is_checked_before_sending_and_names_its_field() {
    let world = World::new().await;
    for (field, break_it) in BREAKS {
        let mut request = world.stock_request(10, 1, "limits");
        break_it(&mut request);
        let error = world.stocks.create(&request).await.unwrap_err();
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::InvalidRequest, Outcome::NotSent), "{field}");
        let fields: Vec<_> =
            error.invalid_request().unwrap().violations().iter().map(|v| v.field.as_str()).collect();
        assert!(fields.contains(field), "{field} is not among {fields:?}");
    }
    assert_eq!(world.attempts_at("stock.create"), 0);
}

/// The mirror has its own reading of the limits: sent past our checks, each must be refused there too.
#[tokio::test]
async fn the_other_side_refuses_what_we_refuse() {
    use favor::core::{Call, Operation, Verb};
    static CREATE: Operation = Operation::new("raw.create", Verb::Post, "/v3/marketing/favor/coupon-stocks");
    let world = World::new().await;
    for (at, (field, break_it)) in BREAKS.iter().enumerate() {
        if *field == "stock_name" && at == 3 {
            continue; // an emoji does not even get into a call
        }
        let mut request = world.stock_request(10, 1, &format!("raw-{at}"));
        break_it(&mut request);
        let call = Call::to(&CREATE).json(&request).finish().unwrap();
        let result = world.client.execute(&call).await;
        let error = result.expect_err(&format!("{field} ({at}) was accepted"));
        assert_eq!(error.outcome(), Outcome::Refused, "{field}");
    }
}
