//! The calls on coupons.

use favor_core::{AppId, Call, Client, CouponId, Error, OpenId, Operation, Rate, Reply, Verb};

use crate::model::Coupon;
use crate::send::{SendCoupon, SentCoupon};

static SEND: Operation =
    Operation::new("coupon.send", Verb::Post, "/v3/marketing/favor/users/{openid}/coupons")
        .limited_to(Rate::per_second(500));
static GET: Operation =
    Operation::new("coupon.get", Verb::Get, "/v3/marketing/favor/users/{openid}/coupons/{coupon_id}")
        .limited_to(Rate::per_second(500));

/// The coupons in users' hands. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Coupons {
    client: Client,
}

impl Coupons {
    /// Coupons, as the calling merchant may send and see them.
    pub fn new(client: &Client) -> Self {
        Self { client: client.clone() }
    }

    /// Sends a coupon to a user (spec §3.11). At most 500 a second.
    ///
    /// # Errors
    /// [`Error`]. On outcome `Unknown`, repeat with the same request: the same `out_request_no` gives the same
    /// coupon. There is no query by `out_request_no`.
    pub async fn send(&self, openid: &OpenId, request: &SendCoupon) -> Result<Reply<SentCoupon>, Error> {
        request.check()?;
        let call = Call::to(&SEND).private_segment("openid", openid.as_str()).json(request).finish()?;
        self.client.fetch(&call).await
    }

    /// Queries a coupon (spec §3.12): a creator sees those of its stocks, a sender those it sent. At most 500 a
    /// second.
    ///
    /// # Errors
    /// [`Error`]; `RESOURCE_NOT_EXISTS` when there is no such coupon.
    pub async fn get(
        &self,
        openid: &OpenId,
        coupon_id: &CouponId,
        appid: &AppId,
    ) -> Result<Reply<Coupon>, Error> {
        let call = Call::to(&GET)
            .private_segment("openid", openid.as_str())
            .segment("coupon_id", coupon_id.as_str())
            .query("appid", appid.as_str())
            .finish()?;
        self.client.fetch(&call).await
    }
}
