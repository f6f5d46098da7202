//! Creating a stock: what is checked once the fields are known to be well formed.

use super::readings::{NumberReused, Readings, UnknownMerchant};
use super::{NUMBER_UNKNOWN, Refusal, ensure, rules};
use crate::ledger::requests::Earlier;
use crate::moment::Moment;
use crate::stock::NewStock;

rules! {
    NAME_CHARACTERS = "create.name_characters", Documented, "3.1", 400 "PARAM_ERROR"
        "批次名称含有不允许的字符", NUMBER_UNKNOWN,
        "stock_name holds none of _ , ; |";
    NAME_WIDTH = "create.name_width", Documented, "3.1", 400 "PARAM_ERROR"
        "批次名称过长", NUMBER_UNKNOWN,
        "stock_name has at most 9 Chinese characters or 20 letters";
    BUDGET = "create.budget", Seen, "5.2", 400 "PARAM_ERROR"
        "批次预算等于批次面额乘以发券数", NUMBER_UNKNOWN,
        "max_amount equals max_coupons times coupon_amount";
    DAILY_BUDGET = "create.daily_budget", Assumed, "5.2", 400 "PARAM_ERROR"
        "单天预算不能大于总预算", NUMBER_UNKNOWN,
        "max_amount_by_day is at most max_amount";
    THRESHOLD = "create.threshold", Assumed, "5.2", 400 "PARAM_ERROR"
        "使用门槛须大于面额", NUMBER_UNKNOWN,
        "transaction_minimum is greater than coupon_amount";
    TYPE_NOT_OPEN = "create.type_not_open", Assumed, "5.2", 403 "REQUEST_BLOCKED"
        "调用商户无权限", NUMBER_UNKNOWN,
        "only stocks of type NORMAL can be created";
    CONTRADICTION = "create.contradiction", Assumed, "5.2", 400 "INVALID_REQUEST"
        "批次发放规则或核销规则有误，请修改后重试", NUMBER_UNKNOWN,
        "rules exclude each other: second_day_available with fix_available_time, limit_card without limit_pay";
    MINI_PROGRAM = "create.mini_program", Documented, "5.2", 400 "PARAM_ERROR"
        "跳转小程序须填写小程序appid和path", NUMBER_UNKNOWN,
        "jump_target MINI_PROGRAM comes with mini_program_appid and mini_program_path";
    PRODUCT = "create.product", Documented, "3.0", 403 "REQUEST_BLOCKED"
        "调用商户无权限", NUMBER_UNKNOWN,
        "the coupon product is opened for the caller";
    BELONG_MERCHANT = "create.belong_merchant", Seen, "5.2", 403 "REQUEST_BLOCKED"
        "商户权限校验不通过", NUMBER_UNKNOWN,
        "belong_merchant is the caller";
    MERCHANT_UNKNOWN = "create.merchant_unknown", Assumed, "5.2", 400 "MCH_NOT_EXISTS"
        "商户号不合法", 270_079_489,
        "every available merchant exists";
    MERCHANT_NOT_VALID = "create.merchant_not_valid", Assumed, "5.2", 400 "INVALID_REQUEST"
        "非法的商户号", 270_079_489,
        "every available merchant exists; the reading unknown_merchant asks for this answer";
    MERCHANT_FOREIGN = "create.merchant_foreign", Assumed, "5.2", 403 "REQUEST_BLOCKED"
        "商户权限校验不通过", NUMBER_UNKNOWN,
        "a no-cash stock is spent at the caller, at merchants of its brand, or at merchants that have authorised it as their service provider";
    MINI_PROGRAM_APPID = "create.mini_program_appid", Assumed, "3.1", 400 "APPID_MCHID_NOT_MATCH"
        "商户号与appid不匹配", 270_079_507,
        "mini_program_appid is bound to at least one available merchant";
    NUMBER_REUSED = "create.number_reused", Assumed, "5.2", 400 "INVALID_REQUEST"
        "商户单据号已使用，且请求参数与首次不一致", 268_498_688,
        "an out_request_no is repeated only with the same content";
    DUPLICATE = "create.duplicate", Assumed, "9.2 U6", 400 "DUPREQUEST"
        "商户单据号重复", 268_498_688,
        "an out_request_no is repeated only with the same content; the reading number_reused asks for this answer";
    NAME_SCREEN = "create.name_screen", Seen, "3.1", 403 "REQUEST_BLOCKED"
        "活动未开始或已结束\n", 270_079_533,
        "the text screen takes no name with words such as 测试, TEST or 微信立减金; its message is misleading";
    WINDOW = "create.window", Assumed, "5.2", 400 "INVALID_REQUEST"
        "批次发放规则或核销规则有误，请修改后重试", NUMBER_UNKNOWN,
        "the window begins neither in the past nor more than 365 days ahead, and lasts 1 second to 90 days";
}

const SCREENED: [&str; 3] = ["测试", "TEST", "微信立减金"];
/// How far in the past a begin may lie, for clocks that differ and requests that travel.
const BEGIN_TOLERANCE_MILLIS: i64 = 5_000;
const LONGEST_LEAD_DAYS: i64 = 365;
const LONGEST_WINDOW_DAYS: i64 = 90;

/// What creating looks at.
#[derive(Debug, Clone, Default)]
pub(crate) struct CreateView {
    pub(crate) mchid: String,
    pub(crate) product_permission: bool,
    /// One entry for each of the stock's available merchants.
    pub(crate) available: Vec<AvailableMerchant>,
    /// What the same number has made, while it is remembered.
    pub(crate) earlier: Option<Earlier>,
    pub(crate) readings: Readings,
}

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct AvailableMerchant {
    pub(crate) known: bool,
    /// The caller itself, of its brand, or its sub-merchant.
    pub(crate) takes_it: bool,
    pub(crate) has_mini_program_appid: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Create,
    /// The stock that the same request made before.
    Repeat(i64),
}

pub(crate) fn decide(view: &CreateView, stock: &NewStock, now: Moment) -> Result<Decision, Refusal> {
    ensure(view.product_permission, &PRODUCT)?;
    ensure(stock.belong_merchant == view.mchid, &BELONG_MERCHANT)?;
    let unknown = match view.readings.unknown_merchant {
        UnknownMerchant::MchNotExists => &MERCHANT_UNKNOWN,
        UnknownMerchant::InvalidRequest => &MERCHANT_NOT_VALID,
    };
    ensure(view.available.iter().all(|merchant| merchant.known), unknown)?;
    if stock.no_cash {
        ensure(view.available.iter().all(|merchant| merchant.takes_it), &MERCHANT_FOREIGN)?;
    }
    if stock.mini_program_appid.is_some() {
        let bound = view.available.iter().any(|merchant| merchant.has_mini_program_appid);
        ensure(bound, &MINI_PROGRAM_APPID)?;
    }
    if let Some(earlier) = &view.earlier {
        let same = earlier.digest == stock.digest;
        match view.readings.number_reused {
            NumberReused::InvalidRequest => ensure(same, &NUMBER_REUSED)?,
            NumberReused::Duplicate => ensure(same, &DUPLICATE)?,
            NumberReused::FirstResult => {}
        }
        return Ok(Decision::Repeat(earlier.made));
    }
    ensure(!SCREENED.iter().any(|word| stock.name.contains(word)), &NAME_SCREEN)?;
    ensure(window_holds(stock.begins, stock.ends, now), &WINDOW)?;
    Ok(Decision::Create)
}

fn window_holds(begins: Moment, ends: Moment, now: Moment) -> bool {
    begins >= now.plus_millis(-BEGIN_TOLERANCE_MILLIS)
        && begins <= now.plus_days(LONGEST_LEAD_DAYS)
        && ends >= begins.plus_millis(1_000)
        && ends <= begins.plus_days(LONGEST_WINDOW_DAYS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stock::new_stock;

    fn view() -> CreateView {
        CreateView {
            mchid: "1900000109".into(),
            product_permission: true,
            available: vec![AvailableMerchant { known: true, takes_it: true, has_mini_program_appid: true }],
            earlier: None,
            readings: Readings::default(),
        }
    }

    fn refused(view: &CreateView, stock: &NewStock, now: Moment) -> &'static str {
        decide(view, stock, now).unwrap_err().rule.id
    }

    #[test]
    fn who_may_create_what() {
        let (stock, now) = new_stock::tests::stock();
        assert_eq!(decide(&view(), &stock, now), Ok(Decision::Create));

        let closed = CreateView { product_permission: false, ..view() };
        assert_eq!(refused(&closed, &stock, now), PRODUCT.id);
        let other = CreateView { mchid: "1".into(), ..view() };
        assert_eq!(refused(&other, &stock, now), BELONG_MERCHANT.id);

        let with = |merchant| CreateView { available: vec![merchant], ..view() };
        let unknown = AvailableMerchant::default();
        assert_eq!(refused(&with(unknown), &stock, now), MERCHANT_UNKNOWN.id);
        let foreign = AvailableMerchant { known: true, ..unknown };
        assert_eq!(refused(&with(foreign), &stock, now), MERCHANT_FOREIGN.id);
        let prefunded = NewStock { no_cash: false, ..stock.clone() };
        assert_eq!(decide(&with(foreign), &prefunded, now), Ok(Decision::Create));
        let jump = NewStock { mini_program_appid: Some("wx1".into()), ..prefunded };
        assert_eq!(refused(&with(foreign), &jump, now), MINI_PROGRAM_APPID.id);
    }

    #[test]
    fn a_repeat_is_found_before_the_window_is_looked_at() {
        let (stock, now) = new_stock::tests::stock();
        let earlier = Earlier { digest: stock.digest.clone(), made: 7 };
        let repeated = CreateView { earlier: Some(earlier), ..view() };
        assert_eq!(decide(&repeated, &stock, now.plus_days(400)), Ok(Decision::Repeat(7)));
        let earlier = Earlier { digest: vec![0], made: 7 };
        let reused = CreateView { earlier: Some(earlier), ..view() };
        assert_eq!(refused(&reused, &stock, now), NUMBER_REUSED.id);
        let reading = |number_reused| {
            let readings = Readings { number_reused, ..Readings::default() };
            decide(&CreateView { readings, ..reused.clone() }, &stock, now).map_err(|refusal| refusal.rule.id)
        };
        assert_eq!(reading(NumberReused::Duplicate), Err(DUPLICATE.id));
        assert_eq!(reading(NumberReused::FirstResult), Ok(Decision::Repeat(7)));
    }

    #[test]
    fn the_window_has_four_edges() {
        let now = Moment::from_millis_const(1_790_000_000_000);
        let after = |days: i64, millis: i64| now.plus_days(days).plus_millis(millis);
        assert!(window_holds(after(0, -5_000), after(0, -4_000), now));
        assert!(!window_holds(after(0, -5_001), after(1, 0), now));
        assert!(window_holds(after(365, 0), after(455, 0), now));
        assert!(!window_holds(after(365, 1), after(366, 0), now));
        assert!(!window_holds(after(1, 0), after(91, 1), now));
        assert!(!window_holds(after(1, 0), after(1, 999), now));
    }

    #[test]
    fn some_names_are_screened() {
        let (stock, now) = new_stock::tests::stock();
        for name in ["夏日测试券", "TEST 1", "微信立减金"] {
            let named = NewStock { name: name.into(), ..stock.clone() };
            let refusal = decide(&view(), &named, now).unwrap_err();
            assert_eq!(refusal.rule.id, NAME_SCREEN.id);
            assert!(refusal.message().ends_with('\n'));
        }
    }
}
