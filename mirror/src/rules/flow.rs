//! Flow files and the links to them.

use super::{NUMBER_UNKNOWN, Refusal, Rule, ensure, rules};
use crate::moment::{self, Moment};
use crate::stock::StockState;

rules! {
    DAY_FORMAT = "flow.day_format", Documented, "5.4", 400 "PARAM_ERROR"
        "账单日期格式错误", NUMBER_UNKNOWN,
        "bill_date is written as yyyy-MM-dd";
    DAY_PAST = "flow.day_past", Documented, "5.4", 400 "PARAM_ERROR"
        "账单日期须早于当天", NUMBER_UNKNOWN,
        "bill_date is a Beijing day that is over";
    PRODUCT = "flow.product", Documented, "3.0", 403 "REQUEST_BLOCKED"
        "调用商户无权限", NUMBER_UNKNOWN,
        "the coupon product is opened for the caller";
    STOCK = "flow.stock", Documented, "3.16", 404 "RESOURCE_NOT_EXISTS"
        "批次不存在", 270_079_488,
        "the stock exists";
    CREATOR = "flow.creator", Documented, "3.16", 403 "REQUEST_BLOCKED"
        "调用商户无权限", NUMBER_UNKNOWN,
        "the caller created the stock";
    TOO_EARLY = "flow.too_early", Documented, "3.16", 404 "RESOURCE_NOT_EXISTS"
        "账单文件不存在", NUMBER_UNKNOWN,
        "the file of a stock is there from 10:00 Beijing time of the day after its end";
    EMPTY = "flow.empty", Seen, "3.16", 404 "RESOURCE_NOT_EXISTS"
        "账单文件不存在", NUMBER_UNKNOWN,
        "at least one coupon was used, or refunded";
    DAY_TOO_EARLY = "flow.day_too_early", Assumed, "3.20", 404 "RESOURCE_NOT_EXISTS"
        "账单文件不存在", NUMBER_UNKNOWN,
        "the file of a day is there from 10:00 Beijing time of the next day";
    NO_USES = "flow.no_uses", Assumed, "3.20", 404 "RESOURCE_NOT_EXISTS"
        "账单文件不存在", 268_586_001,
        "at least one coupon was used on this day";
    NO_REFUNDS = "flow.no_refunds", Assumed, "3.21", 404 "RESOURCE_NOT_EXISTS"
        "账单文件不存在", 268_586_003,
        "at least one use was refunded on this day";
    LINK = "flow.link", Assumed, "5.4", 400 "INVALID_REQUEST"
        "下载链接不存在或已失效", NUMBER_UNKNOWN,
        "a link is used within 30 seconds";
    LINK_OWNER = "flow.link_owner", Documented, "3.22", 403 "REQUEST_BLOCKED"
        "调用商户无权限", NUMBER_UNKNOWN,
        "a file is fetched by the merchant that asked for its link";
}

/// Files appear at this hour, Beijing time.
const HOUR: i64 = 10;

/// The day a file is asked for.
pub(crate) fn day(text: &str, now: Moment) -> Result<i64, &'static Rule> {
    let day = moment::day_number(text).ok_or(&DAY_FORMAT)?;
    if day < now.beijing_day() { Ok(day) } else { Err(&DAY_PAST) }
}

/// Whether a merchant may have the link now. `day` is `None` for the file of the whole stock.
pub(crate) fn link<'a>(
    mchid: &str,
    product_permission: bool,
    stock: Option<&'a StockState>,
    day: Option<i64>,
    now: Moment,
) -> Result<&'a StockState, Refusal> {
    ensure(product_permission, &PRODUCT)?;
    let stock = stock.ok_or(&STOCK)?;
    ensure(stock.creator == mchid, &CREATOR)?;
    match day {
        None => ensure(now >= stock.ends.next_beijing_day_at(HOUR), &TOO_EARLY)?,
        Some(day) => ensure(now >= moment::day_start(day).next_beijing_day_at(HOUR), &DAY_TOO_EARLY)?,
    }
    Ok(stock)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stock::state::tests::{at, stock};

    fn asked(mchid: &str, day: Option<i64>, now: &str) -> Result<(), &'static str> {
        let stock = stock();
        link(mchid, true, Some(&stock), day, at(now)).map(drop).map_err(|refusal| refusal.rule.id)
    }

    #[test]
    fn files_appear_at_ten_the_next_morning() {
        assert_eq!(asked("1900000109", None, "2026-09-01T09:59:59+08:00"), Err(TOO_EARLY.id));
        assert_eq!(asked("1900000109", None, "2026-09-01T10:00:00+08:00"), Ok(()));
        let tenth = day("2026-08-10", at("2026-08-11T00:00:00+08:00")).unwrap();
        assert_eq!(asked("1900000109", Some(tenth), "2026-08-11T09:59:59+08:00"), Err(DAY_TOO_EARLY.id));
        assert_eq!(asked("1900000109", Some(tenth), "2026-08-11T10:00:00+08:00"), Ok(()));
    }

    #[test]
    fn only_the_creator_may() {
        let later = "2026-10-01T00:00:00+08:00";
        assert_eq!(asked("1", None, later), Err(CREATOR.id));
        let stock = stock();
        let id = |result: Result<&StockState, Refusal>| result.unwrap_err().rule.id;
        assert_eq!(id(link("1900000109", false, Some(&stock), None, at(later))), PRODUCT.id);
        assert_eq!(id(link("1900000109", true, None, None, at(later))), STOCK.id);
    }

    #[test]
    fn days_are_past_and_well_formed() {
        let now = at("2026-08-11T00:00:00+08:00");
        assert_eq!(day("2026-08-11", now), Err(&DAY_PAST));
        assert_eq!(day("11.8.2026", now), Err(&DAY_FORMAT));
    }
}
