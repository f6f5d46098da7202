//! Reading a stock or a coupon.

use super::readings::{EmptyStockList, PagePastEnd, Readings};
use super::{NUMBER_UNKNOWN, Refusal, ensure, rules};
use crate::coupon::CouponState;
use crate::ledger::stocks::Senders;
use crate::page::Page;
use crate::stock::StockState;

rules! {
    PRODUCT = "query.product", Documented, "3.0", 403 "REQUEST_BLOCKED"
        "调用商户无权限", NUMBER_UNKNOWN,
        "the coupon product is opened for the caller";
    STOCK = "query.stock", Documented, "3.7", 404 "RESOURCE_NOT_EXISTS"
        "批次不存在", 270_079_488,
        "the stock exists and stock_creator_mchid created it";
    STOCK_ROLE = "query.stock_role", Documented, "3.7", 403 "REQUEST_BLOCKED"
        "调用商户无权限", NUMBER_UNKNOWN,
        "the caller is the stock's creator or one of its senders";
    STOCKS_ROLE = "query.stocks_role", Documented, "3.6", 403 "REQUEST_BLOCKED"
        "调用商户无权限", NUMBER_UNKNOWN,
        "a merchant lists its own stocks";
    NO_STOCKS = "query.no_stocks", Seen, "3.6", 404 "RESOURCE_NOT_EXISTS"
        "批次不存在", 270_079_488,
        "at least one stock fits the filters; production answers 404 instead of an empty list";
    PAST_THE_END = "query.past_the_end", Seen, "3.8", 400 "MCH_NOT_EXISTS"
        "商户号不合法", 270_079_489,
        "a list of merchants, goods or coupons has this page";
    COUPON = "query.coupon", Assumed, "3.12", 404 "RESOURCE_NOT_EXISTS"
        "券不存在", NUMBER_UNKNOWN,
        "this user has a coupon with this id";
    COUPON_ROLE = "query.coupon_role", Documented, "3.12", 403 "REQUEST_BLOCKED"
        "调用商户无权限", NUMBER_UNKNOWN,
        "the caller created the coupon's stock or sent the coupon";
    APPID = "query.appid", Documented, "3.0.1", 400 "APPID_MCHID_NOT_MATCH"
        "商户号与appid不匹配", 270_079_507,
        "the appid is bound to the caller";
    OPENID = "query.openid", Documented, "3.0.1", 400 "INVALID_REQUEST"
        "openid与appID不匹配", 270_079_501,
        "the openid belongs to the appid";
}

/// Whether a merchant may read a stock.
pub(crate) fn stock<'a>(
    mchid: &str,
    product_permission: bool,
    stock: Option<&'a StockState>,
    senders: Senders,
    named_creator: &str,
) -> Result<&'a StockState, Refusal> {
    ensure(product_permission, &PRODUCT)?;
    let stock = stock.filter(|stock| stock.creator == named_creator).ok_or(&STOCK)?;
    ensure(stock.creator == mchid || senders.caller, &STOCK_ROLE)?;
    Ok(stock)
}

/// Whether a merchant may list a creator's stocks.
pub(crate) fn own_stocks(mchid: &str, product_permission: bool, creator: &str) -> Result<(), Refusal> {
    ensure(product_permission, &PRODUCT)?;
    ensure(mchid == creator, &STOCKS_ROLE)
}

/// Refuses an empty list of stocks.
pub(crate) fn some_stocks(total: i64, readings: Readings) -> Result<(), Refusal> {
    ensure(total > 0 || readings.empty_stock_list == EmptyStockList::Empty, &NO_STOCKS)
}

/// Refuses a page that does not exist.
pub(crate) fn page(page: Page, total: i64, readings: Readings) -> Result<(), Refusal> {
    ensure(!page.is_past(total) || readings.page_past_end == PagePastEnd::Empty, &PAST_THE_END)
}

/// Who asks for a coupon, and as what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CouponAsker<'a> {
    pub(crate) mchid: &'a str,
    pub(crate) product_permission: bool,
    pub(crate) appid: &'a str,
    pub(crate) appid_bound: bool,
}

/// Whether a merchant may list the coupons of a user, who is known under an appid or not at all.
pub(crate) fn coupons(asker: CouponAsker<'_>, known_appid: Option<&str>) -> Result<(), Refusal> {
    ensure(asker.product_permission, &PRODUCT)?;
    ensure(asker.appid_bound, &APPID)?;
    ensure(known_appid.is_none_or(|known| known == asker.appid), &OPENID)
}

/// Whether a merchant may read a coupon.
pub(crate) fn coupon<'a>(
    asker: CouponAsker<'_>,
    found: Option<&'a (CouponState, StockState)>,
) -> Result<&'a (CouponState, StockState), Refusal> {
    ensure(asker.product_permission, &PRODUCT)?;
    let found = found.ok_or(&COUPON)?;
    let (coupon, stock) = found;
    ensure(stock.creator == asker.mchid || coupon.sender == asker.mchid, &COUPON_ROLE)?;
    ensure(asker.appid_bound, &APPID)?;
    ensure(coupon.appid == asker.appid, &OPENID)?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coupon::state::tests::coupon as sample;
    use crate::stock::state::tests::stock as sample_stock;

    const NO_SENDERS: Senders = Senders { any: false, caller: false };

    #[test]
    fn a_stock_is_for_its_creator_and_senders() {
        let found = sample_stock();
        let ask = |mchid, permission, senders, creator| {
            stock(mchid, permission, Some(&found), senders, creator).map_err(|refusal| refusal.rule.id)
        };
        let creator = found.creator.as_str();
        assert!(ask(creator, true, NO_SENDERS, creator).is_ok());
        assert!(ask("1", true, Senders { any: true, caller: true }, creator).is_ok());
        assert_eq!(ask("1", true, NO_SENDERS, creator), Err(STOCK_ROLE.id));
        assert_eq!(ask("1", true, NO_SENDERS, "1"), Err(STOCK.id));
        assert_eq!(ask(creator, false, NO_SENDERS, creator), Err(PRODUCT.id));
        assert_eq!(stock(creator, true, None, NO_SENDERS, creator).unwrap_err().rule.id, STOCK.id);
    }

    #[test]
    fn lists_are_for_their_creator_and_end() {
        let rule = |result: Result<(), Refusal>| result.map_err(|refusal| refusal.rule.id);
        assert_eq!(rule(own_stocks("1", true, "1")), Ok(()));
        assert_eq!(rule(own_stocks("1", true, "2")), Err(STOCKS_ROLE.id));
        assert_eq!(rule(own_stocks("1", false, "1")), Err(PRODUCT.id));
        let best = Readings::default();
        assert_eq!(rule(some_stocks(0, best)), Err(NO_STOCKS.id));
        assert_eq!(rule(page(Page { offset: 1, limit: 5 }, 5, best)), Err(PAST_THE_END.id));
        assert_eq!(rule(page(Page { offset: 0, limit: 5 }, 0, best)), Ok(()));
        let mild = Readings {
            empty_stock_list: EmptyStockList::Empty,
            page_past_end: PagePastEnd::Empty,
            ..Readings::default()
        };
        assert_eq!(rule(some_stocks(0, mild)), Ok(()));
        assert_eq!(rule(page(Page { offset: 1, limit: 5 }, 5, mild)), Ok(()));
    }

    #[test]
    fn a_coupon_is_for_the_creator_and_its_sender() {
        let found = (sample(), sample_stock());
        let asker =
            CouponAsker { mchid: "1900000109", product_permission: true, appid: "wx1", appid_bound: true };
        let ask = |asker| coupon(asker, Some(&found)).map(|_| ()).map_err(|refusal| refusal.rule.id);
        assert_eq!(ask(asker), Ok(()));
        assert_eq!(ask(CouponAsker { mchid: "1900000110", ..asker }), Ok(()));
        assert_eq!(ask(CouponAsker { mchid: "1", ..asker }), Err(COUPON_ROLE.id));
        assert_eq!(ask(CouponAsker { appid_bound: false, ..asker }), Err(APPID.id));
        assert_eq!(ask(CouponAsker { appid: "wx2", ..asker }), Err(OPENID.id));
        assert_eq!(ask(CouponAsker { product_permission: false, ..asker }), Err(PRODUCT.id));
        assert_eq!(coupon(asker, None).unwrap_err().rule.id, COUPON.id);
        let list = |asker, known| coupons(asker, known).map_err(|refusal| refusal.rule.id);
        assert_eq!(list(asker, None), Ok(()));
        assert_eq!(list(asker, Some("wx1")), Ok(()));
        assert_eq!(list(asker, Some("wx2")), Err(OPENID.id));
        assert_eq!(list(CouponAsker { appid_bound: false, ..asker }, None), Err(APPID.id));
        assert_eq!(list(CouponAsker { product_permission: false, ..asker }, None), Err(PRODUCT.id));
    }
}
