//! Each rule alone, and any sequence of sends against a small model.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::stock::state::tests::{at, stock};

fn view(stock: StockState) -> SendView {
    SendView {
        mchid: stock.creator.clone(),
        product_permission: true,
        appid_bound: true,
        stock: Some(stock),
        senders: Senders { any: false, caller: false },
        user: UserState::default(),
        earlier: None,
        held: 0,
        day_amount: 0,
        month_amount: 0,
        monthly_cap: Some(500_000),
        crowded: false,
        readings: Readings::default(),
    }
}

fn request() -> SendRequest {
    SendRequest {
        openid: "o1".into(),
        stock_id: Some(15_300_001),
        out_request_no: "n1".into(),
        appid: "wx1".into(),
        stock_creator_mchid: "1900000109".into(),
        digest: vec![1],
    }
}

fn noon() -> Moment {
    at("2026-08-10T12:00:00+08:00")
}

fn decided(view: &SendView) -> Result<Decision, &'static str> {
    decide(view, &request(), noon()).map_err(|refusal| refusal.rule.id)
}

#[test]
fn a_plain_send_gives_a_coupon() {
    let stock = stock();
    let window = Decision::Give { begins: stock.begins, ends: stock.ends };
    assert_eq!(decided(&view(stock)), Ok(window));
}

#[test]
fn the_caller_must_be_allowed() {
    let good = view(stock());
    let closed = SendView { product_permission: false, ..good.clone() };
    assert_eq!(decided(&closed), Err(PRODUCT.id));
    let other = SendView { mchid: "1".into(), ..good.clone() };
    assert_eq!(decided(&other), Err(CROSS_MERCHANT.id));
    let unlisted = SendView { senders: Senders { any: true, caller: false }, ..other.clone() };
    assert_eq!(decided(&unlisted), Err(NOT_A_SENDER.id));
    let listed = SendView { senders: Senders { any: true, caller: true }, ..other };
    assert!(decided(&listed).is_ok());
    let unbound = SendView { appid_bound: false, ..good };
    assert_eq!(decided(&unbound), Err(APPID.id));
}

#[test]
fn the_stock_must_be_there_and_be_the_creators() {
    let missing = SendView { stock: None, ..view(stock()) };
    assert_eq!(decided(&missing), Err(STOCK.id));
    let elsewhere = view(StockState { creator: "1".into(), ..stock() });
    assert_eq!(decided(&elsewhere), Err(STOCK.id));
}

#[test]
fn an_openid_belongs_to_one_appid() {
    let with = |appid: &str| SendView {
        user: UserState { appid: Some(appid.into()), ..UserState::default() },
        ..view(stock())
    };
    assert!(decided(&with("wx1")).is_ok());
    assert_eq!(decided(&with("wx2")), Err(OPENID.id));
}

#[test]
fn a_repeat_succeeds_even_after_the_end_and_with_nothing_left() {
    let over = StockState { distributed: 10, status: StockStatus::Stopped, ..stock() };
    let repeat = SendView { earlier: Some(Earlier { digest: vec![1], made: 7 }), ..view(over) };
    assert_eq!(decided(&repeat), Ok(Decision::Repeat(7)));
    let reused = SendView { earlier: Some(Earlier { digest: vec![2], made: 7 }), ..repeat };
    assert_eq!(decided(&reused), Err(NUMBER_REUSED.id));
}

#[test]
fn not_started_and_stopped_are_one_answer_paused_and_outside_another() {
    for status in [StockStatus::Unactivated, StockStatus::Audit, StockStatus::Stopped] {
        assert_eq!(decided(&view(StockState { status, ..stock() })), Err(STATE.id));
    }
    let paused = StockState { status: StockStatus::Paused, ..stock() };
    assert_eq!(decided(&view(paused)), Err(WINDOW.id));
    let stock = stock();
    for (now, open) in [
        (stock.begins.plus_millis(-1), false),
        (stock.begins, true),
        (stock.ends, true),
        (stock.ends.plus_millis(1), false),
    ] {
        let decision = decide(&view(stock.clone()), &request(), now);
        assert_eq!(decision.is_ok(), open, "{now:?}");
        if let Err(refusal) = decision {
            assert_eq!(refusal.rule.id, WINDOW.id);
        }
    }
}

#[test]
fn abnormal_accounts_get_nothing_and_risky_ones_only_without_protection() {
    let abnormal = UserState { abnormal: true, ..UserState::default() };
    assert_eq!(decided(&SendView { user: abnormal, ..view(stock()) }), Err(ACCOUNT.id));
    let risky = UserState { risky: true, ..UserState::default() };
    assert!(decided(&SendView { user: risky.clone(), ..view(stock()) }).is_ok());
    let protected = StockState { prevent_api_abuse: true, ..stock() };
    assert_eq!(decided(&SendView { user: risky, ..view(protected) }), Err(ACCOUNT.id));
}

#[test]
fn each_limit_stops_at_its_edge() {
    let held = |held| SendView { held, ..view(stock()) };
    assert!(decided(&held(1)).is_ok());
    assert_eq!(decided(&held(2)), Err(PER_USER_LIMIT.id));

    let distributed = |distributed| view(StockState { distributed, ..stock() });
    assert!(decided(&distributed(9)).is_ok());
    assert_eq!(decided(&distributed(10)), Err(BUDGET.id));
    assert_eq!(decided(&distributed(i64::MAX)), Err(BUDGET.id));

    let day =
        |day_amount| SendView { day_amount, ..view(StockState { max_amount_by_day: 1_000, ..stock() }) };
    assert!(decided(&day(500)).is_ok());
    assert_eq!(decided(&day(501)), Err(DAILY_BUDGET.id));

    let month = |month_amount| SendView { month_amount, ..view(stock()) };
    assert!(decided(&month(499_500)).is_ok());
    assert_eq!(decided(&month(499_501)), Err(MONTHLY_CAP.id));
    assert!(decided(&SendView { monthly_cap: None, ..month(499_501) }).is_ok());
}

/// What the store would hold: nothing but the coupons given, all counts are made by counting.
#[derive(Debug, Default)]
struct Model {
    coupons: Vec<(u8, i64)>,
    numbers: HashMap<u8, (u8, i64)>,
}

impl Model {
    fn view(&self, stock: &StockState, user: u8, number: u8, day: i64) -> SendView {
        let count = |wanted: &dyn Fn(&(u8, i64)) -> bool| {
            i64::try_from(self.coupons.iter().filter(|coupon| wanted(coupon)).count()).unwrap()
        };
        SendView {
            held: count(&|(owner, _)| *owner == user),
            day_amount: count(&|(_, given)| *given == day) * stock.coupon_amount,
            month_amount: count(&|(owner, _)| *owner == user) * stock.coupon_amount,
            earlier: self
                .numbers
                .get(&number)
                .map(|(owner, made)| Earlier { digest: vec![*owner], made: *made }),
            ..view(StockState { distributed: count(&|_| true), ..stock.clone() })
        }
    }
}

proptest! {
    #[test]
    fn no_sequence_of_sends_breaks_a_limit(
        max_coupons in 1_i64..12,
        per_user in 1_i64..4,
        by_day in 0_i64..5,
        sends in prop::collection::vec((0_u8..5, 0_u8..40, 0_i64..4), 0..80),
    ) {
        let stock = StockState {
            max_coupons,
            max_amount: max_coupons * 500,
            max_coupons_per_user: per_user,
            max_amount_by_day: by_day * 500,
            ..stock()
        };
        let mut model = Model::default();
        for (user, number, day) in sends {
            let now = noon().plus_days(day);
            let request = SendRequest {
                openid: format!("o{user}"),
                out_request_no: number.to_string(),
                digest: vec![user],
                ..request()
            };
            let view = model.view(&stock, user, number, day);
            let room = view.held < per_user
                && i64::try_from(model.coupons.len()).unwrap() < max_coupons
                && (by_day == 0 || view.day_amount < by_day * 500);
            match (decide(&view, &request, now), model.numbers.get(&number)) {
                (Ok(Decision::Repeat(made)), Some((owner, first))) => {
                    prop_assert_eq!(*owner, user);
                    prop_assert_eq!(made, *first);
                }
                (Ok(Decision::Give { .. }), None) => {
                    prop_assert!(room);
                    model.coupons.push((user, day));
                    model.numbers.insert(number, (user, i64::try_from(model.coupons.len()).unwrap()));
                }
                (Err(refusal), Some((owner, _))) => {
                    prop_assert_ne!(*owner, user);
                    prop_assert_eq!(refusal.rule, &NUMBER_REUSED);
                }
                (Err(_), None) => prop_assert!(!room),
                (decision, earlier) => prop_assert!(false, "{:?} with {:?}", decision, earlier),
            }
        }
        prop_assert!(i64::try_from(model.coupons.len()).unwrap() <= max_coupons);
    }
}
