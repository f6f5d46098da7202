//! Stocks and coupons of a running mirror, and what production has no endpoint for: paying and refunding.

use super::Mirror;
use crate::control;
use crate::control::stocks::{self, Button, StockRecord};
use crate::error::MirrorError;
use crate::payment::{self, CouponRecord, Redeem, Refund};
use crate::rules::lifecycle::Action;

impl Mirror {
    /// Allows another merchant to send coupons of a stock.
    ///
    /// # Errors
    ///
    /// When there is no such stock or merchant, or storage fails.
    pub async fn authorise_sender(&self, stock_id: &str, mchid: &str) -> Result<(), MirrorError> {
        control::senders::authorise(&self.app, stock_id, mchid).await
    }

    /// All stocks with their rules and budgets, newest first.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub async fn stocks(&self) -> Result<Vec<StockRecord>, MirrorError> {
        Ok(stocks::newest(&self.app, i64::MAX).await?.1)
    }

    /// One stock.
    ///
    /// # Errors
    ///
    /// When there is no such stock, or storage fails.
    pub async fn stock(&self, stock_id: &str) -> Result<StockRecord, MirrorError> {
        stocks::find(&self.app, stock_id).await
    }

    /// Coupons of a stock in the order in which they were given: at most `limit`, and only those after the coupon
    /// `after`; 0 begins with the first.
    ///
    /// # Errors
    ///
    /// When there is no such stock, or storage fails.
    pub async fn stock_coupons(
        &self,
        stock_id: &str,
        limit: u32,
        after: i64,
    ) -> Result<Vec<CouponRecord>, MirrorError> {
        stocks::coupons(&self.app, stock_id, limit.into(), after).await
    }

    /// Starts a stock as its creator, under the rules of the API.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Refused`] when the API would refuse it, [`MirrorError::NotFound`] when there is no such
    /// stock; or storage fails.
    pub async fn start_stock(&self, stock_id: &str) -> Result<StockRecord, MirrorError> {
        stocks::press(&self.app, stock_id, Button::Start).await
    }

    /// Pauses a stock as its creator, under the rules of the API.
    ///
    /// # Errors
    ///
    /// As [`Mirror::start_stock`].
    pub async fn pause_stock(&self, stock_id: &str) -> Result<StockRecord, MirrorError> {
        stocks::press(&self.app, stock_id, Button::Act(Action::Pause)).await
    }

    /// Restarts a paused stock as its creator, under the rules of the API.
    ///
    /// # Errors
    ///
    /// As [`Mirror::start_stock`].
    pub async fn restart_stock(&self, stock_id: &str) -> Result<StockRecord, MirrorError> {
        stocks::press(&self.app, stock_id, Button::Act(Action::Restart)).await
    }

    /// Stops a stock that was never started, as its creator, under the rules of the API.
    ///
    /// # Errors
    ///
    /// As [`Mirror::start_stock`].
    pub async fn stop_stock(&self, stock_id: &str) -> Result<StockRecord, MirrorError> {
        stocks::press(&self.app, stock_id, Button::Act(Action::Stop)).await
    }

    /// Puts a stock that was never started under the platform's review (`audit`), in which it can be neither started
    /// nor stopped; or ends its review. Production does this by itself.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Refused`] when it was started or stopped already, [`MirrorError::NotFound`] when there is no
    /// such stock; or storage fails.
    pub async fn review_stock(&self, stock_id: &str, under_review: bool) -> Result<StockRecord, MirrorError> {
        stocks::review(&self.app, stock_id, under_review).await
    }

    /// A coupon with everything that was paid with it and refunded.
    ///
    /// # Errors
    ///
    /// When there is no such coupon, or storage fails.
    pub async fn coupon(&self, coupon_id: &str) -> Result<CouponRecord, MirrorError> {
        payment::show(&self.app, coupon_id).await
    }

    /// Pays with a coupon, as a user would: it must be usable now, the total must reach its threshold, and the
    /// merchant must be one of the stock's. Returns the coupon afterwards. Where the stock's creator has an address
    /// for notifications, the first delivery has been tried by then.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Refused`] when the payment cannot be made, [`MirrorError::NotFound`] when there is no such
    /// coupon; or storage fails.
    pub async fn redeem(&self, coupon_id: &str, payment: Redeem) -> Result<CouponRecord, MirrorError> {
        payment::redeem(&self.app, coupon_id, payment).await
    }

    /// Refunds the order that a coupon was used in, or a part of it. With the whole order refunded the coupon
    /// is `SENDED` again, or `EXPIRED` if its time is over; until then it stays `USED`.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Refused`] when there is nothing to refund or less than asked for,
    /// [`MirrorError::NotFound`] when there is no such coupon; or storage fails.
    pub async fn refund(&self, coupon_id: &str, refund: Refund) -> Result<CouponRecord, MirrorError> {
        payment::refund(&self.app, coupon_id, refund).await
    }

    /// Ends a coupon's time now, as if it had run out. One that has ended already stays as it is.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Refused`] when the coupon is used, [`MirrorError::NotFound`] when there is no such coupon;
    /// or storage fails.
    pub async fn expire(&self, coupon_id: &str) -> Result<CouponRecord, MirrorError> {
        payment::expire(&self.app, coupon_id).await
    }

    /// Takes a coupon back, whatever its state, as the platform may: its status is `RECOVER` from then on. What was
    /// paid with it stays paid, and its place in the budget stays taken.
    ///
    /// # Errors
    ///
    /// [`MirrorError::NotFound`] when there is no such coupon; or storage fails.
    pub async fn recover(&self, coupon_id: &str) -> Result<CouponRecord, MirrorError> {
        payment::recover(&self.app, coupon_id).await
    }

    /// Makes a long history quickly: gives `rows` coupons of a running stock to as many made-up users and
    /// redeems each now, all in one transaction. A million rows take some seconds, during which nothing else is
    /// written. Budgets hold; the limits of users are not looked at, since every user is new. Nobody is notified.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Refused`] when the stock does not give coupons now or not so many,
    /// [`MirrorError::NotFound`] when there is no such stock; or storage fails.
    pub async fn fill_flow(&self, stock_id: &str, rows: i64) -> Result<(), MirrorError> {
        payment::fill(&self.app, stock_id, rows).await
    }
}
