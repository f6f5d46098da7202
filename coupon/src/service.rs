//! The calls on coupons.

use favor_core::{
    AppId, Call, Client, CouponId, Error, ErrorCode, OpenId, Operation, Page, Rate, Reply, Verb, all_pages,
};
use futures_util::Stream;

use crate::list::ListCoupons;
use crate::model::Coupon;
use crate::send::{SendCoupon, SentCoupon};

static SEND: Operation =
    Operation::new("coupon.send", Verb::Post, "/v3/marketing/favor/users/{openid}/coupons")
        .limited_to(Rate::per_second(500));
static GET: Operation =
    Operation::new("coupon.get", Verb::Get, "/v3/marketing/favor/users/{openid}/coupons/{coupon_id}")
        .limited_to(Rate::per_second(500));

static LIST: Operation =
    Operation::new("coupon.list", Verb::Get, "/v3/marketing/favor/users/{openid}/coupons")
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

    /// Lists one page of a user's coupons (spec §3.13). Where the platform answers "not found" for want of any, that
    /// is an empty page here.
    ///
    /// # Errors
    /// [`Error`]; of kind `InvalidRequest` when the page size or the status is out of range.
    pub async fn list(
        &self,
        openid: &OpenId,
        request: &ListCoupons,
        page: u64,
    ) -> Result<Reply<Page<Coupon>>, Error> {
        request.check()?;
        let call = request.filter(Call::to(&LIST).private_segment("openid", openid.as_str()), page);
        match self.client.fetch(&call.finish()?).await {
            Err(error) if error.api().and_then(|api| api.code()) == Some(&ErrorCode::ResourceNotExists) => {
                Reply::instead_of(&error, Page::empty(page, request.limit())).ok_or(error)
            }
            result => result,
        }
    }

    /// Lists all of a user's coupons that fit, page by page as the stream is read.
    pub fn list_all(
        &self,
        openid: &OpenId,
        request: &ListCoupons,
    ) -> impl Stream<Item = Result<Coupon, Error>> + Send + use<> {
        let (coupons, openid, request) = (self.clone(), openid.clone(), request.clone());
        all_pages(move |page| {
            let (coupons, openid, request) = (coupons.clone(), openid.clone(), request.clone());
            async move {
                let mut listed = coupons.list(&openid, &request, page).await?.into_value();
                if !request.has_pages() {
                    // The platform does not page here, whatever counts it gives.
                    listed.total_count = 0;
                }
                Ok(listed)
            }
        })
    }
}
