//! What a campaign does, frozen when it is planned.

use favor_core::{AppId, Fen, MerchantId, OpenId, StockId, Timestamp};
use favor_coupon::{DerivedNumbers, SendCoupon};
use serde::{Deserialize, Serialize};

use crate::name::CampaignName;
use crate::pace::Pace;
use crate::policy::Policy;

/// What a campaign does: whom it gives what, how fast, and what it makes of each answer.
///
/// It is frozen when the campaign is planned, since a request number must never go out with other parameters. A
/// changed value is another campaign. The numbers follow from [`key`](Self::key), merchant, stock, appid, person and
/// slot alone ([`DerivedNumbers`]): planned anew under the same key, even in another ledger, nobody gets a second coupon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Manifest {
    /// The version of this form: 1.
    pub version: u32,
    /// The name within the ledger.
    pub name: CampaignName,
    /// What the request numbers are derived from, beside the person; the name, unless it was said otherwise.
    pub key: String,
    /// Who sends.
    pub merchant_id: MerchantId,
    /// What is sent.
    pub stock_id: StockId,
    /// Who created the stock.
    pub stock_creator_mchid: MerchantId,
    /// Under which appid the openids of the list were issued.
    pub appid: AppId,
    /// How many coupons each person gets, at least 1. They are numbered by slots from 0.
    pub coupons_per_person: u32,
    /// Value and threshold, for stocks that leave them open.
    pub open_value: Option<OpenValue>,
    /// What one coupon is worth, where the stock said so.
    pub face_value: Option<Fen>,
    /// The list as it was read.
    pub list: ListFacts,
    /// How fast.
    pub pace: Pace,
    /// What is made of each answer.
    pub policy: Policy,
    /// When it was planned.
    #[serde(with = "favor_core::time::rfc3339")]
    pub planned_at: Timestamp,
}

/// Value and threshold of a coupon whose stock leaves them open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenValue {
    /// What the coupon takes off.
    pub coupon_value: Fen,
    /// The lowest order total at which it applies.
    pub coupon_minimum: Fen,
}

/// A list of people as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListFacts {
    /// The path it was read from, as given.
    pub file: String,
    /// SHA-256 over the bytes of the file, in hexadecimal.
    pub sha256: String,
    /// Rows read, without a header and empty lines.
    pub rows: u64,
    /// People: rows that are well formed, each person once.
    pub people: u64,
    /// Rows that name a person once more.
    pub duplicates: u64,
    /// Rows that cannot be read.
    pub malformed: u64,
}

impl Manifest {
    /// A manifest with one coupon per person at the default pace under the default policy.
    pub fn new(
        name: CampaignName,
        merchant_id: MerchantId,
        stock_id: StockId,
        stock_creator_mchid: MerchantId,
        appid: AppId,
        list: ListFacts,
        planned_at: Timestamp,
    ) -> Self {
        Self {
            version: 1,
            key: name.as_str().to_owned(),
            name,
            merchant_id,
            stock_id,
            stock_creator_mchid,
            appid,
            coupons_per_person: 1,
            open_value: None,
            face_value: None,
            list,
            pace: Pace::default(),
            policy: Policy::default(),
            planned_at,
        }
    }

    /// Where the request numbers come from.
    pub fn numbers(&self) -> DerivedNumbers {
        DerivedNumbers::new(self.merchant_id.clone(), &self.key, self.stock_id.clone(), self.appid.clone())
    }

    /// The one request for a person's slot, by [`numbers`](Self::numbers); always the same.
    pub fn request(&self, numbers: &DerivedNumbers, openid: &OpenId, slot: u32) -> SendCoupon {
        let request = SendCoupon::new(
            self.stock_id.clone(),
            numbers.of(openid, slot),
            self.appid.clone(),
            self.stock_creator_mchid.clone(),
        );
        match self.open_value {
            Some(open) => request.value(open.coupon_value, open.coupon_minimum),
            None => request,
        }
    }
}
