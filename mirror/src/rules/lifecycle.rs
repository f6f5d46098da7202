//! Pausing, restarting and stopping a stock.

use super::readings::{Readings, RepeatedChange};
use super::{NUMBER_UNKNOWN, Refusal, ensure, rules};
use crate::moment::Moment;
use crate::stock::{StockState, StockStatus};

rules! {
    PRODUCT = "lifecycle.product", Documented, "3.0", 403 "REQUEST_BLOCKED"
        "调用商户无权限", NUMBER_UNKNOWN,
        "the coupon product is opened for the caller";
    STOCK = "lifecycle.stock", Documented, "4.1", 404 "RESOURCE_NOT_EXISTS"
        "批次不存在", 270_079_488,
        "the stock exists";
    CREATOR = "lifecycle.creator", Documented, "5.4", 403 "REQUEST_BLOCKED"
        "调用商户无权限", NUMBER_UNKNOWN,
        "the caller, stock_creator_mchid and the stock's creator are one";
    NOT_RUNNING = "lifecycle.not_running", Documented, "4.1", 400 "INVALID_REQUEST"
        "活动已结束或未激活", 270_079_533,
        "a stock is paused or restarted between its start and its end";
    NOT_UNSTARTED = "lifecycle.not_unstarted", Assumed, "4.1", 400 "INVALID_REQUEST"
        "活动已结束或未激活", 270_079_533,
        "only a stock that was never started can be stopped, and before its end";
    REPEATED = "lifecycle.repeated", Assumed, "4.1", 400 "INVALID_REQUEST"
        "活动已结束或未激活", 270_079_533,
        "what has happened already does not happen again; the reading repeated_change asks for this answer";
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Pause,
    Restart,
    Stop,
}

/// What the answer depends on.
#[derive(Debug, Clone)]
pub(crate) struct LifecycleView {
    pub(crate) mchid: String,
    pub(crate) product_permission: bool,
    pub(crate) stock: Option<StockState>,
    pub(crate) readings: Readings,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Do it now.
    Change,
    /// It is so since then.
    Unchanged { since: Moment },
}

pub(crate) fn decide(
    view: &LifecycleView,
    action: Action,
    named_creator: &str,
    now: Moment,
) -> Result<Decision, Refusal> {
    let decision = decide_once(view, action, named_creator, now)?;
    let repeated = matches!(decision, Decision::Unchanged { .. });
    ensure(!repeated || view.readings.repeated_change == RepeatedChange::Unchanged, &REPEATED)?;
    Ok(decision)
}

fn decide_once(
    view: &LifecycleView,
    action: Action,
    named_creator: &str,
    now: Moment,
) -> Result<Decision, Refusal> {
    let stock = own(view, named_creator)?;
    let rule = if action == Action::Stop { &NOT_UNSTARTED } else { &NOT_RUNNING };
    if let (Action::Stop, StockStatus::Stopped, Some(since)) = (action, stock.status, stock.stopped) {
        return Ok(Decision::Unchanged { since });
    }
    ensure(!stock.has_ended(now), rule)?;
    match (action, stock.status) {
        (Action::Pause, StockStatus::Running)
        | (Action::Restart, StockStatus::Paused)
        | (Action::Stop, StockStatus::Unactivated) => Ok(Decision::Change),
        (Action::Pause, StockStatus::Paused) => Ok(unchanged(stock.paused, stock)),
        (Action::Restart, StockStatus::Running) => Ok(unchanged(stock.restarted, stock)),
        _ => Err(rule.into()),
    }
}

/// The stock, if it is the caller's own.
pub(crate) fn own<'a>(view: &'a LifecycleView, named_creator: &str) -> Result<&'a StockState, Refusal> {
    ensure(view.product_permission, &PRODUCT)?;
    let stock = view.stock.as_ref().ok_or(&STOCK)?;
    ensure(stock.creator == view.mchid && stock.creator == named_creator, &CREATOR)?;
    Ok(stock)
}

/// A stock that was never restarted runs since its start.
fn unchanged(since: Option<Moment>, stock: &StockState) -> Decision {
    Decision::Unchanged { since: since.or(stock.started).unwrap_or(stock.created) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stock::state::tests::{at, stock};

    fn decided(stock: StockState, action: Action, now: Moment) -> Result<Decision, &'static str> {
        let view = LifecycleView {
            mchid: "1900000109".into(),
            product_permission: true,
            stock: Some(stock),
            readings: Readings::default(),
        };
        decide(&view, action, "1900000109", now).map_err(|refusal| refusal.rule.id)
    }

    /// The columns pause, restart and stop of the table in section 4.1, row by row.
    #[test]
    fn every_cell_of_the_state_table() {
        let since = at("2026-08-05T00:00:00+08:00");
        let with = |status| StockState { status, ..stock() };
        let fresh = |status| StockState { started: None, ..with(status) };
        let stopped = StockState { stopped: Some(since), ..fresh(StockStatus::Stopped) };
        let paused = StockState { paused: Some(since), ..with(StockStatus::Paused) };
        let (inside, before) = (stock().begins, stock().begins.plus_millis(-1));
        let over = stock().ends.plus_millis(1);
        let change = || Ok(Decision::Change);
        let kept = || Ok(Decision::Unchanged { since });
        let runs = || Ok(Decision::Unchanged { since: stock().started.unwrap() });
        let (e2, stop) = (|| Err(NOT_RUNNING.id), || Err(NOT_UNSTARTED.id));
        let rows = [
            (fresh(StockStatus::Audit), inside, [e2(), e2(), stop()]),
            (fresh(StockStatus::Unactivated), inside, [e2(), e2(), change()]),
            (with(StockStatus::Running), before, [change(), runs(), stop()]),
            (with(StockStatus::Running), inside, [change(), runs(), stop()]),
            (paused.clone(), inside, [kept(), change(), stop()]),
            (with(StockStatus::Running), over, [e2(), e2(), stop()]),
            (paused, over, [e2(), e2(), stop()]),
            (fresh(StockStatus::Unactivated), over, [e2(), e2(), stop()]),
            (stopped.clone(), inside, [e2(), e2(), kept()]),
            (stopped, over, [e2(), e2(), kept()]),
        ];
        for (stock, now, expected) in rows {
            let actions = [Action::Pause, Action::Restart, Action::Stop];
            let found = actions.map(|action| decided(stock.clone(), action, now));
            assert_eq!(found, expected, "{:?} at {}", stock.status, now.rfc3339());
        }
    }

    #[test]
    fn a_restarted_stock_runs_since_its_restart() {
        let since = at("2026-08-06T00:00:00+08:00");
        let restarted = StockState { restarted: Some(since), ..stock() };
        let again = decided(restarted, Action::Restart, stock().begins);
        assert_eq!(again, Ok(Decision::Unchanged { since }));
    }

    #[test]
    fn a_reading_refuses_what_has_happened() {
        let readings = Readings { repeated_change: RepeatedChange::Refused, ..Readings::default() };
        let ask = |stock, action| {
            let view = LifecycleView {
                mchid: "1900000109".into(),
                product_permission: true,
                stock: Some(stock),
                readings,
            };
            decide(&view, action, "1900000109", at("2026-08-10T12:00:00+08:00"))
                .map_err(|refusal| refusal.rule.id)
        };
        assert_eq!(ask(stock(), Action::Pause), Ok(Decision::Change));
        assert_eq!(ask(stock(), Action::Restart), Err(REPEATED.id));
        let paused = StockState { status: StockStatus::Paused, ..stock() };
        assert_eq!(ask(paused, Action::Pause), Err(REPEATED.id));
    }

    #[test]
    fn only_the_creator_may() {
        let view = LifecycleView {
            mchid: "1900000109".into(),
            product_permission: true,
            stock: Some(stock()),
            readings: Readings::default(),
        };
        let ask = |view: &LifecycleView, creator| {
            decide(view, Action::Pause, creator, stock().begins).map_err(|refusal| refusal.rule.id)
        };
        assert_eq!(ask(&view, "1"), Err(CREATOR.id));
        assert_eq!(ask(&LifecycleView { mchid: "1".into(), ..view.clone() }, "1"), Err(CREATOR.id));
        assert_eq!(ask(&LifecycleView { stock: None, ..view.clone() }, "1900000109"), Err(STOCK.id));
        let closed = LifecycleView { product_permission: false, ..view };
        assert_eq!(ask(&closed, "1900000109"), Err(PRODUCT.id));
    }
}
