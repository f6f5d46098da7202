//! The card of a store's mini program (E59–E60, spec §3.42).

use serde::Serialize;

use crate::client::Client;
use crate::endpoint;
use crate::error::Error;
use crate::id::CardId;
use crate::limits::{Checked, Limits};
use crate::macros::answer;
use crate::reply::{Done, Reply};

/// The calls on the cards of stores' mini programs. Cheap to clone.
#[derive(Clone, Debug)]
pub struct StoreCards {
    client: Client,
}

answer! {
    /// The card of a store.
    pub struct StoreCard {
        optional {
            /// The card; none when there is none.
            card_id: CardId,
        }
    }
}

#[derive(Serialize)]
struct ByStore<'a> {
    poi_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    card_id: Option<&'a CardId>,
}

impl Checked for ByStore<'_> {
    fn check(&self, limits: &mut Limits) {
        limits.text("poi_id", &self.poi_id, 32);
    }
}

impl StoreCards {
    /// The stores of an account.
    pub fn new(client: &Client) -> Self {
        Self { client: client.clone() }
    }

    /// The card of a store (E59).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn get(&self, store: i64) -> Result<Reply<StoreCard>, Error> {
        let request = ByStore { poi_id: store.to_string(), card_id: None };
        self.client.post(&endpoint::STORE_CARD_GET, &request).await
    }

    /// Sets the card of a store (E60).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn set(&self, store: i64, card_id: &CardId) -> Result<Reply<Done>, Error> {
        let request = ByStore { poi_id: store.to_string(), card_id: Some(card_id) };
        self.client.post(&endpoint::STORE_CARD_SET, &request).await
    }
}
