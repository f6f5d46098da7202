//! A coupon as the store keeps it.

use crate::moment::Moment;
use crate::payment::Redemption;
use crate::stock::StockState;

/// One coupon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CouponState {
    pub(crate) id: i64,
    pub(crate) stock_id: i64,
    pub(crate) openid: String,
    pub(crate) appid: String,
    pub(crate) sender: String,
    pub(crate) out_request_no: String,
    pub(crate) amount: i64,
    pub(crate) minimum: i64,
    /// The wire value; an unused coupon past its end is shown as expired.
    pub(crate) status: String,
    pub(crate) received: Moment,
    pub(crate) begins: Moment,
    pub(crate) ends: Moment,
    /// The payment it is used up by.
    pub(crate) consumed: Option<Redemption>,
}

impl CouponState {
    /// Whether it can be paid with at this moment.
    pub(crate) fn usable_now(&self, stock: &StockState, now: Moment) -> bool {
        let inside = (self.begins..=self.ends).contains(&now);
        let hours = stock.fixed_time.as_ref().is_none_or(|time| time.holds(now));
        self.status == "SENDED" && inside && hours
    }

    pub(crate) fn shown_status(&self, now: Moment) -> &str {
        if self.status == "SENDED" && now > self.ends { "EXPIRED" } else { &self.status }
    }
}

/// A coupon about to be given.
#[derive(Debug)]
pub(crate) struct NewCoupon<'a> {
    pub(crate) stock_id: i64,
    pub(crate) openid: &'a str,
    pub(crate) appid: &'a str,
    pub(crate) sender: &'a str,
    pub(crate) out_request_no: &'a str,
    pub(crate) amount: i64,
    pub(crate) minimum: i64,
    pub(crate) received: Moment,
    pub(crate) begins: Moment,
    pub(crate) ends: Moment,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::stock::state::tests::{at, stock};

    pub(crate) fn coupon() -> CouponState {
        CouponState {
            id: 18_180_000_000_001,
            stock_id: stock().id,
            openid: "o1".into(),
            appid: "wx1".into(),
            sender: "1900000110".into(),
            out_request_no: "1900000110_1".into(),
            amount: 500,
            minimum: 3_000,
            status: "SENDED".into(),
            received: at("2026-08-02T09:00:00+08:00"),
            begins: stock().begins,
            ends: stock().ends,
            consumed: None,
        }
    }

    #[test]
    fn only_an_unused_coupon_expires() {
        let coupon = coupon();
        let over = coupon.ends.plus_millis(1);
        assert_eq!(coupon.shown_status(coupon.ends), "SENDED");
        assert_eq!(coupon.shown_status(over), "EXPIRED");
        let used = CouponState { status: "USED".into(), ..coupon };
        assert_eq!(used.shown_status(over), "USED");
    }
}
