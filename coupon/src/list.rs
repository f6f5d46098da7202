//! Which of a user's coupons to list (spec §3.13).

use favor_core::{
    AppId, BusinessType, CallBuilder, Checks, CouponStatus, InvalidRequest, MerchantId, StockId,
};

/// The largest page that is sure to be accepted: one copy of the documentation says 10, others 20.
const LARGEST_PAGE: u32 = 20;

/// A filter for one user's coupons: by creator, by sender, or by the merchant where they can be spent. The
/// platform takes exactly one of the three, and the last takes no further filter.
///
/// Expired coupons are never listed, and neither are coupons valid at every merchant of the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListCoupons {
    appid: AppId,
    by: By,
    business_type: Option<BusinessType>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum By {
    Issued { parameter: &'static str, merchant: MerchantId, narrowed: Issued },
    Available(MerchantId),
}

/// How the coupons of a creator or sender are narrowed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Issued {
    stock_id: Option<StockId>,
    status: Option<CouponStatus>,
    limit: u32,
}

/// A filter by creator or sender, which can be narrowed further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListIssued {
    appid: AppId,
    parameter: &'static str,
    merchant: MerchantId,
    narrowed: Issued,
}

impl ListCoupons {
    /// Coupons of stocks that `creator` created; it sees only its own.
    pub fn created_by(appid: AppId, creator: MerchantId) -> ListIssued {
        ListIssued::new(appid, "creator_mchid", creator)
    }

    /// Coupons that `sender` sent. The documentation calls this filter not open.
    pub fn sent_by(appid: AppId, sender: MerchantId) -> ListIssued {
        ListIssued::new(appid, "sender_mchid", sender)
    }

    /// Usable coupons that can be spent at `merchant`, all on one page.
    pub fn available_at(appid: AppId, merchant: MerchantId) -> Self {
        Self { appid, by: By::Available(merchant), business_type: None }
    }

    /// Only those of another kind, such as consumption credit.
    #[must_use]
    pub fn business_type(mut self, business_type: BusinessType) -> Self {
        self.business_type = Some(business_type);
        self
    }

    /// Whether there can be a second page.
    pub(crate) fn has_pages(&self) -> bool {
        matches!(self.by, By::Issued { .. })
    }

    /// How many coupons a page holds at most; zero where the platform decides.
    pub(crate) fn limit(&self) -> u64 {
        match &self.by {
            By::Issued { narrowed, .. } => u64::from(narrowed.limit),
            By::Available(_) => 0,
        }
    }

    pub(crate) fn check(&self) -> Result<(), InvalidRequest> {
        let mut checks = Checks::new();
        if let By::Issued { narrowed, .. } = &self.by {
            checks.range("limit", narrowed.limit, 1..=LARGEST_PAGE);
            let status = matches!(narrowed.status, None | Some(CouponStatus::Sent | CouponStatus::Used));
            checks.require(status, "status", "must be SENDED or USED: other coupons are not listed");
        }
        checks.finish()
    }

    pub(crate) fn filter(&self, mut call: CallBuilder, page: u64) -> CallBuilder {
        call = call.query("appid", self.appid.as_str());
        match &self.by {
            By::Available(merchant) => call = call.query("available_mchid", merchant.as_str()),
            By::Issued { parameter, merchant, narrowed } => {
                call = call.query(parameter, merchant.as_str());
                if let Some(stock_id) = &narrowed.stock_id {
                    call = call.query("stock_id", stock_id.as_str());
                }
                if let Some(status) = &narrowed.status {
                    call = call.query("status", status.as_str());
                }
                call = call.query("offset", &page.to_string()).query("limit", &narrowed.limit.to_string());
            }
        }
        match &self.business_type {
            Some(business_type) => call.query("business_type", business_type.as_str()),
            None => call,
        }
    }
}

impl ListIssued {
    fn new(appid: AppId, parameter: &'static str, merchant: MerchantId) -> Self {
        let narrowed = Issued { stock_id: None, status: None, limit: LARGEST_PAGE };
        Self { appid, parameter, merchant, narrowed }
    }

    /// Only those of one stock.
    #[must_use]
    pub fn stock(mut self, stock_id: StockId) -> Self {
        self.narrowed.stock_id = Some(stock_id);
        self
    }

    /// Only usable ones (`SENDED`), or usable and used ones (`USED`): with a creator the platform lists both then.
    #[must_use]
    pub fn status(mut self, status: CouponStatus) -> Self {
        self.narrowed.status = Some(status);
        self
    }

    /// Sets how many come on a page: 1 to 20.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.narrowed.limit = limit;
        self
    }
}

impl From<ListIssued> for ListCoupons {
    fn from(list: ListIssued) -> Self {
        let ListIssued { appid, parameter, merchant, narrowed } = list;
        Self { appid, by: By::Issued { parameter, merchant, narrowed }, business_type: None }
    }
}
