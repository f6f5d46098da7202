//! Sending a coupon.

use super::readings::{DailyBudget, NumberReused, Readings, SendNotRunning, WrongCreator};
use super::{NUMBER_UNKNOWN, Refusal, ensure, rules};
use crate::coupon::SendRequest;
use crate::ledger::requests::Earlier;
use crate::ledger::stocks::Senders;
use crate::ledger::users::UserState;
use crate::moment::Moment;
use crate::stock::{StockState, StockStatus};

rules! {
    VALUE_NOT_OPEN = "send.value_not_open", Seen, "3.11", 400 "PARAM_ERROR"
        "参数错误，请核对文档要求", 270_924_358,
        "coupon_value and coupon_minimum are not sent for a normal stock";
    PRODUCT = "send.product", Documented, "3.0", 403 "REQUEST_BLOCKED"
        "调用商户无权限", NUMBER_UNKNOWN,
        "the coupon product is opened for the caller";
    STOCK = "send.stock", Documented, "5.3", 404 "RESOURCE_NOT_EXISTS"
        "批次不存在", 270_079_488,
        "the stock exists and stock_creator_mchid created it";
    WRONG_CREATOR = "send.wrong_creator", Seen, "3.11", 500 "SYSTEM_ERROR"
        "系统错误", 272_888_874,
        "stock_creator_mchid created the stock; the reading wrong_creator asks for this answer";
    CROSS_MERCHANT = "send.cross_merchant", Documented, "5.3", 403 "REQUEST_BLOCKED"
        "批次不支持跨商户发券", 270_079_508,
        "only the creator sends a stock that has no other senders";
    NOT_A_SENDER = "send.not_a_sender", Documented, "5.3", 403 "REQUEST_BLOCKED"
        "商户无权发券", 270_079_509,
        "the caller is the creator or on the stock's list of senders";
    APPID = "send.appid", Documented, "5.3", 400 "APPID_MCHID_NOT_MATCH"
        "商户号与appid不匹配", 270_079_507,
        "the appid is bound to the caller";
    OPENID = "send.openid", Documented, "5.3", 400 "INVALID_REQUEST"
        "openid与appID不匹配", 270_079_501,
        "the openid belongs to the appid; an openid never seen belongs to the first appid it is used with";
    NUMBER_REUSED = "send.number_reused", Assumed, "5.3", 400 "INVALID_REQUEST"
        "商户单据号已使用，且请求参数与首次不一致", 268_498_688,
        "an out_request_no is repeated only for the same user and with the same content";
    DUPLICATE = "send.duplicate", Assumed, "9.2 U6", 400 "DUPREQUEST"
        "已通过该发券凭证给用户发券", 268_498_688,
        "an out_request_no is repeated only with the same content; the reading number_reused asks for this answer";
    STATE = "send.state", Documented, "5.3", 400 "INVALID_REQUEST"
        "活动已结束或未激活", 270_079_533,
        "the stock has been started and not been stopped";
    WINDOW = "send.window", Seen, "5.3", 403 "REQUEST_BLOCKED"
        "活动未开始或已结束", 270_079_533,
        "the stock is not paused and now is inside its window";
    ACCOUNT = "send.account", Documented, "5.3", 403 "USER_ACCOUNT_ABNORMAL"
        "用户非法", 270_079_498,
        "the user's account is not restricted and, where prevent_api_abuse is set, not risky";
    PER_USER_LIMIT = "send.per_user_limit", Documented, "5.3", 403 "REQUEST_BLOCKED"
        "用户被限领拦截", 270_079_532,
        "the user, or the natural person, has fewer than max_coupons_per_user coupons of the stock";
    FALSE_LIMIT = "send.false_limit", Seen, "3.11", 403 "REQUEST_BLOCKED"
        "用户已达最大领券次数", 270_079_532,
        "no other send to the user is under way; the limit is not reached, the reading concurrent_sends asks for this answer";
    BUDGET = "send.budget", Documented, "5.3", 403 "NOT_ENOUGH"
        "批次预算不足", 270_079_534,
        "one more coupon fits max_coupons and max_amount";
    DAILY_BUDGET = "send.daily_budget", Seen, "5.3", 403 "NOT_ENOUGH"
        "发券超过单天限额", 270_079_534,
        "one more coupon fits max_amount_by_day of this Beijing day";
    DAILY_BUDGET_RULE = "send.daily_budget_rule", Assumed, "9.2 U3", 403 "RULE_LIMIT"
        "发券超过单天限额", 270_079_534,
        "one more coupon fits max_amount_by_day; the reading daily_budget asks for this answer";
    MONTHLY_CAP = "send.monthly_cap", Seen, "3.11", 400 "INVALID_REQUEST"
        "暂时无法领取，请联系商家处理。", 270_079_532,
        "the platform lets a merchant give a user coupons of 5000 yuan a month";
}

/// What sending looks at.
#[derive(Debug, Clone)]
pub(crate) struct SendView {
    pub(crate) mchid: String,
    pub(crate) product_permission: bool,
    pub(crate) appid_bound: bool,
    pub(crate) stock: Option<StockState>,
    pub(crate) senders: Senders,
    pub(crate) user: UserState,
    pub(crate) earlier: Option<Earlier>,
    /// Coupons of the stock that the user, or the natural person, has received.
    pub(crate) held: i64,
    /// Face value given out on this Beijing day.
    pub(crate) day_amount: i64,
    /// Face value this merchant gave this user in this month.
    pub(crate) month_amount: i64,
    /// What a merchant may give a user in a month; `None` is no cap.
    pub(crate) monthly_cap: Option<i64>,
    /// Another send to the same user is under way, and that counts.
    pub(crate) crowded: bool,
    pub(crate) readings: Readings,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Give a coupon that can be used in this window.
    Give { begins: Moment, ends: Moment },
    /// The coupon that the same request made before.
    Repeat(i64),
}

pub(crate) fn decide(view: &SendView, request: &SendRequest, now: Moment) -> Result<Decision, Refusal> {
    ensure(view.product_permission, &PRODUCT)?;
    let stock = view.stock.as_ref().ok_or(&STOCK)?;
    let other_creator = match view.readings.wrong_creator {
        WrongCreator::NotFound => &STOCK,
        WrongCreator::SystemError => &WRONG_CREATOR,
    };
    ensure(stock.creator == request.stock_creator_mchid, other_creator)?;
    if view.mchid != stock.creator {
        ensure(view.senders.any, &CROSS_MERCHANT)?;
        ensure(view.senders.caller, &NOT_A_SENDER)?;
    }
    ensure(view.appid_bound, &APPID)?;
    ensure(view.user.appid.as_ref().is_none_or(|appid| *appid == request.appid), &OPENID)?;
    if let Some(earlier) = &view.earlier {
        let same = earlier.digest == request.digest;
        match view.readings.number_reused {
            NumberReused::InvalidRequest => ensure(same, &NUMBER_REUSED)?,
            NumberReused::Duplicate => ensure(same, &DUPLICATE)?,
            NumberReused::FirstResult => {}
        }
        return Ok(Decision::Repeat(earlier.made));
    }
    runs(stock, now).map_err(|refusal| match view.readings.send_not_running {
        SendNotRunning::ByState => refusal,
        SendNotRunning::InvalidRequest => Refusal::from(&STATE),
        SendNotRunning::RequestBlocked => Refusal::from(&WINDOW),
    })?;
    fits(view, stock)?;
    let (begins, ends) = stock.coupon_window(now);
    Ok(Decision::Give { begins, ends })
}

/// Whether coupons can be given now.
pub(crate) fn runs(stock: &StockState, now: Moment) -> Result<(), Refusal> {
    let started = matches!(stock.status, StockStatus::Running | StockStatus::Paused);
    ensure(started, &STATE)?;
    let open = stock.status == StockStatus::Running && now >= stock.begins && !stock.has_ended(now);
    ensure(open, &WINDOW)
}

fn fits(view: &SendView, stock: &StockState) -> Result<(), Refusal> {
    ensure(!view.user.abnormal, &ACCOUNT)?;
    ensure(!(view.user.risky && stock.prevent_api_abuse), &ACCOUNT)?;
    ensure(!view.crowded, &FALSE_LIMIT)?;
    ensure(view.held < stock.max_coupons_per_user, &PER_USER_LIMIT)?;
    let taken = stock.distributed.checked_sub(stock.returned);
    let coupons = taken.and_then(|taken| taken.checked_add(1));
    ensure(coupons.is_some_and(|coupons| coupons <= stock.max_coupons), &BUDGET)?;
    let given = coupons.and_then(|coupons| coupons.checked_mul(stock.coupon_amount));
    ensure(given.is_some_and(|given| given <= stock.max_amount), &BUDGET)?;
    if stock.max_amount_by_day > 0 {
        let today = view.day_amount.checked_add(stock.coupon_amount);
        let rule = match view.readings.daily_budget {
            DailyBudget::NotEnough => &DAILY_BUDGET,
            DailyBudget::RuleLimit => &DAILY_BUDGET_RULE,
        };
        ensure(today.is_some_and(|today| today <= stock.max_amount_by_day), rule)?;
    }
    if let Some(cap) = view.monthly_cap {
        let month = view.month_amount.checked_add(stock.coupon_amount);
        ensure(month.is_some_and(|month| month <= cap), &MONTHLY_CAP)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
