//! Changing a stock after its start.

use super::{NUMBER_UNKNOWN, Refusal, ensure, rules, start};
use crate::moment::Moment;
use crate::stock::{StockState, StockStatus};

rules! {
    NOT_RUNNING = "modify.not_running", Assumed, "3.10", 400 "INVALID_REQUEST"
        "活动已结束或未激活", 270_079_533,
        "a stock is changed between its start and its end";
    WHOLE_ORDER = "modify.whole_order", Assumed, "3.10", 400 "INVALID_REQUEST"
        "批次不是单品券", NUMBER_UNKNOWN,
        "only a single-item stock has goods";
    LAST_ENTRY = "modify.last_entry", Assumed, "5.4", 400 "INVALID_REQUEST"
        "至少须保留一项", NUMBER_UNKNOWN,
        "at least one of the goods, or of the merchants, remains";
    BUDGET_STALE = "modify.budget_stale", Assumed, "5.4", 400 "INVALID_REQUEST"
        "当前预算与批次预算不一致", NUMBER_UNKNOWN,
        "current_max_amount is the stock's present budget";
    BUDGET_RAISE = "modify.budget_raise", Assumed, "5.4", 400 "INVALID_REQUEST"
        "目标预算须大于当前预算且为面额的整数倍", NUMBER_UNKNOWN,
        "a budget is raised, by whole coupons, to at most 10 million of them";
}

const MOST_COUPONS: i64 = 10_000_000;

/// Whether the stock can be changed at all.
pub(crate) fn changeable(stock: &StockState, now: Moment) -> Result<(), Refusal> {
    let started = matches!(stock.status, StockStatus::Running | StockStatus::Paused);
    ensure(started && !stock.has_ended(now), &NOT_RUNNING)
}

/// What a list holds once entries were taken out and others put in. Those there already stay where they are.
pub(crate) fn members(
    present: Vec<String>,
    added: Vec<String>,
    removed: &[String],
) -> Result<Vec<String>, Refusal> {
    let mut members: Vec<_> = present.into_iter().filter(|entry| !removed.contains(entry)).collect();
    for entry in added {
        if !members.contains(&entry) {
            members.push(entry);
        }
    }
    ensure(!members.is_empty(), &LAST_ENTRY)?;
    Ok(members)
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Raise {
        max_coupons: i64,
        /// Money to lock besides, for a prefunded stock.
        lock: i64,
    },
    /// An earlier request has raised it already.
    Repeat,
}

/// Whether the budget goes from `current` to `target`.
pub(crate) fn budget(
    stock: &StockState,
    current: i64,
    target: i64,
    balance: i64,
) -> Result<Decision, Refusal> {
    if stock.max_amount == target && current < target {
        return Ok(Decision::Repeat);
    }
    ensure(stock.max_amount == current, &BUDGET_STALE)?;
    let max_coupons = target / stock.coupon_amount;
    let whole = target % stock.coupon_amount == 0 && max_coupons <= MOST_COUPONS;
    ensure(target > current && whole, &BUDGET_RAISE)?;
    let lock = if stock.no_cash { 0 } else { target - current };
    ensure(balance >= lock, &start::BALANCE)?;
    Ok(Decision::Raise { max_coupons, lock })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stock::state::tests::stock;

    #[test]
    fn only_between_start_and_end() {
        let now = stock().begins;
        let with = |status| changeable(&StockState { status, ..stock() }, now).is_ok();
        assert!(with(StockStatus::Running) && with(StockStatus::Paused));
        assert!(!with(StockStatus::Unactivated) && !with(StockStatus::Audit) && !with(StockStatus::Stopped));
        assert_eq!(changeable(&stock(), stock().ends.plus_millis(1)).unwrap_err().rule, &NOT_RUNNING);
    }

    #[test]
    fn entries_come_and_go_and_one_stays() {
        let list = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let change = |added: &str, removed: &str| members(list("a b"), list(added), &list(removed));
        assert_eq!(change("c b", "a").unwrap(), list("b c"));
        assert_eq!(change("a", "a x").unwrap(), list("b a"));
        assert_eq!(change("", "a b").unwrap_err().rule, &LAST_ENTRY);
        assert_eq!(change("c", "a b").unwrap(), list("c"));
    }

    #[test]
    fn a_budget_is_compared_and_raised() {
        let raise = |current, target| budget(&stock(), current, target, 0).map_err(|refusal| refusal.rule.id);
        assert_eq!(raise(5_000, 6_000), Ok(Decision::Raise { max_coupons: 12, lock: 0 }));
        assert_eq!(raise(4_000, 5_000), Ok(Decision::Repeat));
        assert_eq!(raise(4_000, 6_000), Err(BUDGET_STALE.id));
        assert_eq!(raise(5_000, 5_000), Err(BUDGET_RAISE.id));
        assert_eq!(raise(5_000, 4_500), Err(BUDGET_RAISE.id));
        assert_eq!(raise(5_000, 5_100), Err(BUDGET_RAISE.id));
        assert_eq!(raise(5_000, 500 * (MOST_COUPONS + 1)), Err(BUDGET_RAISE.id));
        let prefunded = StockState { no_cash: false, ..stock() };
        let lock = |balance| budget(&prefunded, 5_000, 6_000, balance).map_err(|refusal| refusal.rule.id);
        assert_eq!(lock(1_000), Ok(Decision::Raise { max_coupons: 12, lock: 1_000 }));
        assert_eq!(lock(999), Err(start::BALANCE.id));
    }
}
