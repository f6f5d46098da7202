//! Setting and querying the address (spec §3.14, §3.15).

use favor_core::{Call, Client, Error, MerchantId, Operation, Rate, Reply, Timestamp, Verb};
use serde::{Deserialize, Serialize};

use crate::notify_url::NotifyUrl;

static GET: Operation = Operation::new("callback.get", Verb::Get, "/v3/marketing/favor/callbacks")
    .limited_to(Rate::per_second(2000));
static SET: Operation = Operation::new("callback.set", Verb::Post, "/v3/marketing/favor/callbacks")
    .limited_to(Rate::per_minute(5));

/// The address that the calling merchant's notifications go to. Cheap to clone.
#[derive(Clone, Debug)]
pub struct CallbackAddress {
    client: Client,
}

#[derive(Serialize)]
struct SetBody<'a> {
    mchid: &'a MerchantId,
    notify_url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    switch: Option<bool>,
}

/// The address as it is set.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Callback {
    /// The merchant.
    pub mchid: MerchantId,
    /// The address. The platform may give it without its scheme, so it is a text here.
    pub notify_url: String,
}

/// The address was set.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct UpdatedCallback {
    /// Since when.
    #[serde(with = "favor_core::time::rfc3339")]
    pub update_time: Timestamp,
    /// The address. The platform may give it without its scheme, so it is a text here.
    pub notify_url: String,
}

impl CallbackAddress {
    /// The address of the calling merchant.
    pub fn new(client: &Client) -> Self {
        Self { client: client.clone() }
    }

    /// Queries the address (spec §3.14).
    ///
    /// # Errors
    /// [`Error`]; `RESOURCE_NOT_EXISTS` where none is set.
    pub async fn get(&self) -> Result<Reply<Callback>, Error> {
        let call = Call::to(&GET).query("mchid", self.client.merchant_id().as_str()).finish()?;
        self.client.fetch(&call).await
    }

    /// Sets the address (spec §3.15); it replaces the one before. The merchant needs the "marketing event push"
    /// permission and an APIv3 key, both set in the merchant console.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn set(&self, url: &NotifyUrl) -> Result<Reply<UpdatedCallback>, Error> {
        self.set_switched(url, None).await
    }

    /// Sets the address and says whether to push. Stopping is described as not supported at present.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn set_switched(
        &self,
        url: &NotifyUrl,
        push: Option<bool>,
    ) -> Result<Reply<UpdatedCallback>, Error> {
        let body = SetBody { mchid: self.client.merchant_id(), notify_url: url.as_str(), switch: push };
        self.client.fetch(&Call::to(&SET).json(&body).finish()?).await
    }
}
