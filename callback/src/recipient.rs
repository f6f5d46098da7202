//! A merchant that notifications are for.

use std::sync::Arc;

use favor_core::{ApiV3Key, Client, KeyStore, MerchantId};

/// A merchant that notifications are for: the key they are sealed with, and the platform's keys that sign them.
#[derive(Clone, Debug)]
pub struct Recipient {
    pub(crate) merchant_id: Option<MerchantId>,
    pub(crate) api_v3_key: ApiV3Key,
    pub(crate) keys: Arc<dyn KeyStore>,
}

impl Recipient {
    /// A merchant with its APIv3 key and where its platform keys come from.
    pub fn new(api_v3_key: ApiV3Key, keys: Arc<dyn KeyStore>) -> Self {
        Self { merchant_id: None, api_v3_key, keys }
    }

    /// The merchant of `client`, with its merchant id and the platform keys that the client holds and refreshes.
    pub fn of_client(client: &Client, api_v3_key: ApiV3Key) -> Self {
        Self::new(api_v3_key, client.key_store()).merchant_id(client.merchant_id().clone())
    }

    /// Names the merchant. Notifications then carry its id, and those of other merchants' coupons are refused.
    pub fn merchant_id(mut self, merchant_id: MerchantId) -> Self {
        self.merchant_id = Some(merchant_id);
        self
    }

    /// Whether coupons of this creator are its own. Without a merchant id it cannot tell and takes them.
    pub(crate) fn owns(&self, creator: Option<&MerchantId>) -> bool {
        match (&self.merchant_id, creator) {
            (Some(own), Some(creator)) => own == creator,
            _ => true,
        }
    }
}
