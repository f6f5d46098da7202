//! Shops for which a third party makes cards (E54–E58, spec §3.40–§3.41).

use favor_core::Timestamp;
use serde::Serialize;

use crate::client::Client;
use crate::endpoint;
use crate::error::Error;
use crate::limits::{Checked, Limits, URL};
use crate::macros::{answer, open, request};
use crate::reply::Reply;

/// The calls on sub-merchants. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SubMerchants {
    client: Client,
}

request! {
    /// What is submitted of a sub-merchant.
    pub struct SubMerchantSubmission {
        required {
            /// Its name on cards; at most 36 bytes (12 Han characters).
            brand_name: String,
            /// Its logo: a url from the picture upload; at most 128 bytes.
            logo_url: String,
            /// The letter of authorisation: a media id from the media upload.
            protocol: String,
            /// Until when it is authorised, as the letter says.
            end_time: Timestamp,
            /// Its category.
            primary_category_id: i64,
            /// The category below that.
            secondary_category_id: i64,
        }
        optional {
            /// In updates: the sub-merchant.
            merchant_id: i64,
            /// Its own verified account.
            app_id: String,
            /// The business licence: a media id. Needed without an account of its own.
            agreement_media_id: String,
            /// The operator's identity card: a media id. For sole traders.
            operator_media_id: String,
        }
    }
}

open! {
    /// The state of a sub-merchant.
    pub enum SubMerchantStatus {
        /// Waiting for review.
        Checking => "CHECKING",
        /// Approved.
        Approved => "APPROVED",
        /// Refused.
        Rejected => "REJECTED",
        /// Its authorisation has ended.
        Expired => "EXPIRED",
    }
}

answer! {
    /// A sub-merchant.
    pub struct SubMerchant {
        required {
            /// Its id; cards name it in `sub_merchant_info`.
            merchant_id: i64,
        }
        optional {
            /// Its own account.
            app_id: String,
            /// When it was submitted.
            create_time: Timestamp,
            /// When it was changed.
            update_time: Timestamp,
            /// Its name on cards.
            brand_name: String,
            /// Its logo.
            logo_url: String,
            /// Its state.
            status: SubMerchantStatus,
            /// When it was submitted; not when the authorisation begins.
            begin_time: Timestamp,
            /// Until when it is authorised.
            end_time: Timestamp,
            /// Its category.
            primary_category_id: i64,
            /// The category below that.
            secondary_category_id: i64,
        }
    }
}

answer! {
    /// A sub-merchant by its id.
    pub struct SubMerchantAnswer {
        required {
            /// The sub-merchant.
            info: SubMerchant,
        }
    }
}

request! {
    /// Which sub-merchants to list (E57).
    pub struct ListSubMerchants {
        required {
            /// After which id; 0 to begin with, then `next_begin_id` of the answer.
            begin_id: i64,
            /// How many at most: 1 to 100.
            limit: i64,
        }
        optional {
            /// Only those in this state.
            status: SubMerchantStatus,
        }
    }
}

impl Checked for ListSubMerchants {
    fn check(&self, limits: &mut Limits) {
        limits.range("begin_id", self.begin_id, 0, i64::MAX);
        limits.range("limit", self.limit, 1, 100);
    }
}

answer! {
    /// Some sub-merchants.
    pub struct SubMerchantList {
        given {
            /// These.
            info_list: Vec<SubMerchant>,
        }
        optional {
            /// The last id of these, to go on with.
            next_begin_id: i64,
        }
    }
}

answer! {
    /// The categories of merchants. They change: fetch them when they are needed.
    pub struct Categories {
        given {
            /// These.
            category: Vec<Category>,
        }
    }
}

answer! {
    /// A category.
    pub struct Category {
        required {
            /// Its id.
            primary_category_id: i64,
        }
        given {
            /// The categories below it.
            secondary_category: Vec<SecondaryCategory>,
        }
        optional {
            /// Its name.
            category_name: String,
        }
    }
}

answer! {
    /// A category below another.
    pub struct SecondaryCategory {
        required {
            /// Its id.
            secondary_category_id: i64,
        }
        optional {
            /// Its name.
            category_name: String,
            /// The papers it needs.
            need_qualification_stuffs: Vec<String>,
            /// Whether it may have cards with a balance: 1 is yes.
            can_choose_prepaid_card: i64,
            /// Whether it may have cards to pay with: 1 is yes.
            can_choose_payment_card: i64,
        }
    }
}

#[derive(Serialize)]
struct Submit<'a> {
    info: &'a SubMerchantSubmission,
}

fn check_info(limits: &mut Limits, info: &SubMerchantSubmission) {
    limits.text("info.brand_name", &info.brand_name, 36);
    limits.text("info.logo_url", &info.logo_url, URL);
    limits.text("info.protocol", &info.protocol, 256);
    limits.moment("info.end_time", &info.end_time);
    limits.range("info.primary_category_id", info.primary_category_id, 1, i64::MAX);
    limits.range("info.secondary_category_id", info.secondary_category_id, 1, i64::MAX);
}

impl Checked for Submit<'_> {
    fn check(&self, limits: &mut Limits) {
        check_info(limits, self.info);
        let is_new = self.info.merchant_id.is_none();
        limits.require(is_new, "info.merchant_id", "is given by the platform: leave it out, or update");
        let has_paper = self.info.app_id.is_some() || self.info.agreement_media_id.is_some();
        let rule = "is needed without app_id: the business licence";
        limits.require(has_paper, "info.agreement_media_id", rule);
    }
}

#[derive(Serialize)]
struct Update<'a> {
    info: &'a SubMerchantSubmission,
}

impl Checked for Update<'_> {
    fn check(&self, limits: &mut Limits) {
        check_info(limits, self.info);
        limits.require(self.info.merchant_id.is_some(), "info.merchant_id", "is needed: which one to update");
    }
}

#[derive(Serialize)]
struct ById {
    merchant_id: i64,
}

impl Checked for ById {
    fn check(&self, limits: &mut Limits) {
        limits.range("merchant_id", self.merchant_id, 1, i64::MAX);
    }
}

impl SubMerchants {
    /// The sub-merchants of an account.
    pub fn new(client: &Client) -> Self {
        Self { client: client.clone() }
    }

    /// Submits a sub-merchant for review (E54). The result comes as an event.
    ///
    /// # Errors
    /// [`Error`]; when its outcome is unknown look with [`list`](Self::list) before repeating.
    pub async fn create(&self, info: &SubMerchantSubmission) -> Result<Reply<SubMerchantAnswer>, Error> {
        self.client.post(&endpoint::SUB_MERCHANT_SUBMIT, &Submit { info }).await
    }

    /// Submits all of a sub-merchant again (E55), which is then reviewed again.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn update(&self, info: &SubMerchantSubmission) -> Result<Reply<SubMerchantAnswer>, Error> {
        self.client.post(&endpoint::SUB_MERCHANT_UPDATE, &Update { info }).await
    }

    /// A sub-merchant (E56).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn get(&self, merchant_id: i64) -> Result<Reply<SubMerchantAnswer>, Error> {
        self.client.post(&endpoint::SUB_MERCHANT_GET, &ById { merchant_id }).await
    }

    /// Some sub-merchants (E57).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn list(&self, request: &ListSubMerchants) -> Result<Reply<SubMerchantList>, Error> {
        self.client.post(&endpoint::SUB_MERCHANT_LIST, request).await
    }

    /// The categories (E58).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn categories(&self) -> Result<Reply<Categories>, Error> {
        self.client.get(&endpoint::CATEGORIES).await
    }
}
