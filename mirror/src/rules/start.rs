//! Starting a stock.

use std::time::Duration;

use super::readings::{Readings, RepeatedStart, TooSoon};
use super::{NUMBER_UNKNOWN, Refusal, ensure, rules};
use crate::moment::Moment;
use crate::stock::{StockState, StockStatus};

rules! {
    PRODUCT = "start.product", Documented, "3.0", 403 "REQUEST_BLOCKED"
        "调用商户无权限", NUMBER_UNKNOWN,
        "the coupon product is opened for the caller";
    STOCK = "start.stock", Documented, "4.1", 404 "RESOURCE_NOT_EXISTS"
        "批次不存在", 270_079_488,
        "the stock exists";
    CREATOR = "start.creator", Documented, "5.4", 403 "REQUEST_BLOCKED"
        "调用商户无权限", NUMBER_UNKNOWN,
        "the caller, stock_creator_mchid and the stock's creator are one";
    STATE = "start.state", Documented, "4.1", 400 "INVALID_REQUEST"
        "活动已结束或未激活", 270_079_533,
        "the stock is not started and its end is not reached";
    TOO_SOON = "start.too_soon", Seen, "3.2", 400 "INVALID_REQUEST"
        "卡包信息尚未注册完成，请稍后重试", NUMBER_UNKNOWN,
        "a stock can be started about a minute after it was created";
    TOO_SOON_UNCLEAR = "start.too_soon_unclear", Seen, "3.2", 500 "SYSTEM_ERROR"
        "系统错误", 272_888_874,
        "a stock can be started about a minute after it was created; the reading too_soon asks for this answer";
    REPEATED = "start.repeated", Assumed, "4.1", 400 "INVALID_REQUEST"
        "活动已结束或未激活", 270_079_533,
        "a stock is started once; the reading repeated_start asks for this answer";
    CROWDED = "start.crowded_merchant", Seen, "3.2", 500 "SYSTEM_ERROR"
        "系统错误", 272_888_874,
        "no available merchant takes part in more than 500 running stocks already";
    BALANCE = "start.balance", Assumed, "5.4", 403 "NOT_ENOUGH"
        "激活失败:账户余额不足，请充值", NUMBER_UNKNOWN,
        "the creator's balance covers the budget of a prefunded stock";
}

/// Running stocks that a merchant may take part in before another is started.
const MOST_RUNNING: i64 = 500;

/// What starting looks at.
#[derive(Debug, Clone)]
pub(crate) struct StartView {
    pub(crate) mchid: String,
    pub(crate) product_permission: bool,
    pub(crate) stock: Option<StockState>,
    pub(crate) balance: i64,
    /// Running stocks that the busiest of the stock's merchants takes part in.
    pub(crate) running_elsewhere: i64,
    /// How long a new stock cannot be started.
    pub(crate) delay: Duration,
    pub(crate) readings: Readings,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Start {
        /// Money to lock, for a prefunded stock.
        lock: Option<i64>,
    },
    /// Runs since then; nothing to do.
    Running { since: Moment },
}

pub(crate) fn decide(view: &StartView, named_creator: &str, now: Moment) -> Result<Decision, Refusal> {
    ensure(view.product_permission, &PRODUCT)?;
    let stock = view.stock.as_ref().ok_or(&STOCK)?;
    ensure(stock.creator == view.mchid && stock.creator == named_creator, &CREATOR)?;
    ensure(!stock.has_ended(now), &STATE)?;
    match (stock.status, stock.started) {
        (StockStatus::Running, Some(since)) => {
            ensure(view.readings.repeated_start == RepeatedStart::Unchanged, &REPEATED)?;
            return Ok(Decision::Running { since });
        }
        (StockStatus::Unactivated, _) => {}
        _ => return Err(Refusal::from(&STATE)),
    }
    let too_soon = match view.readings.too_soon {
        TooSoon::InvalidRequest => &TOO_SOON,
        TooSoon::SystemError => &TOO_SOON_UNCLEAR,
    };
    ensure(now >= stock.created.plus(view.delay), too_soon)?;
    ensure(view.running_elsewhere <= MOST_RUNNING, &CROWDED)?;
    if stock.no_cash {
        return Ok(Decision::Start { lock: None });
    }
    ensure(view.balance >= stock.max_amount, &BALANCE)?;
    Ok(Decision::Start { lock: Some(stock.max_amount) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stock::state::tests::stock;

    fn view(stock: StockState) -> StartView {
        StartView {
            mchid: stock.creator.clone(),
            product_permission: true,
            stock: Some(stock),
            balance: 5_000,
            running_elsewhere: 0,
            delay: Duration::from_secs(60),
            readings: Readings::default(),
        }
    }

    fn fresh() -> StockState {
        StockState { status: StockStatus::Unactivated, started: None, ..stock() }
    }

    fn decided(view: &StartView, now: Moment) -> Result<Decision, &'static str> {
        decide(view, "1900000109", now).map_err(|refusal| refusal.rule.id)
    }

    #[test]
    fn the_first_minute_is_too_soon() {
        let view = view(fresh());
        let created = fresh().created;
        assert_eq!(decided(&view, created.plus_millis(59_999)), Err(TOO_SOON.id));
        assert_eq!(decided(&view, created.plus_millis(60_000)), Ok(Decision::Start { lock: None }));
    }

    #[test]
    fn money_is_locked_for_a_prefunded_stock() {
        let prefunded = view(StockState { no_cash: false, ..fresh() });
        let later = fresh().created.plus_days(1);
        assert_eq!(decided(&prefunded, later), Ok(Decision::Start { lock: Some(5_000) }));
        let poor = StartView { balance: 4_999, ..prefunded };
        assert_eq!(decided(&poor, later), Err(BALANCE.id));
    }

    #[test]
    fn starting_twice_changes_nothing() {
        let view = view(stock());
        let since = stock().started.unwrap();
        assert_eq!(decided(&view, stock().begins), Ok(Decision::Running { since }));
    }

    #[test]
    fn readings_turn_success_or_the_code_around() {
        let refused = Readings { repeated_start: RepeatedStart::Refused, ..Readings::default() };
        let again = StartView { readings: refused, ..view(stock()) };
        assert_eq!(decided(&again, stock().begins), Err(REPEATED.id));
        let unclear = Readings { too_soon: TooSoon::SystemError, ..Readings::default() };
        let soon = StartView { readings: unclear, ..view(fresh()) };
        assert_eq!(decided(&soon, fresh().created), Err(TOO_SOON_UNCLEAR.id));
    }

    #[test]
    fn a_merchant_takes_part_in_five_hundred_running_stocks() {
        let later = fresh().created.plus_days(1);
        let with = |running_elsewhere| StartView { running_elsewhere, ..view(fresh()) };
        assert_eq!(decided(&with(500), later), Ok(Decision::Start { lock: None }));
        assert_eq!(decided(&with(501), later), Err(CROWDED.id));
    }

    #[test]
    fn other_states_and_the_end_refuse() {
        let now = stock().begins;
        for status in [StockStatus::Audit, StockStatus::Paused, StockStatus::Stopped] {
            assert_eq!(decided(&view(StockState { status, ..stock() }), now), Err(STATE.id));
        }
        assert_eq!(decided(&view(stock()), stock().ends.plus_millis(1)), Err(STATE.id));
        assert_eq!(decided(&view(fresh()), stock().ends.plus_millis(1)), Err(STATE.id));
    }

    #[test]
    fn only_the_creator_may() {
        let now = stock().begins;
        let missing = StartView { stock: None, ..view(fresh()) };
        assert_eq!(decided(&missing, now), Err(STOCK.id));
        let other = StartView { mchid: "1".into(), ..view(fresh()) };
        assert_eq!(decided(&other, now), Err(CREATOR.id));
        let refusal = decide(&view(fresh()), "1", now).unwrap_err();
        assert_eq!(refusal.rule.id, CREATOR.id);
        let closed = StartView { product_permission: false, ..view(fresh()) };
        assert_eq!(decided(&closed, now), Err(PRODUCT.id));
    }
}
