//! General cards in users' hands (E34–E36, spec §3.31).

use favor_core::{Fen, Timestamp};

use crate::client::Client;
use crate::endpoint;
use crate::error::Error;
use crate::id::{CardId, Code};
use crate::limits::{Checked, Limits, URL};
use crate::macros::request;
use crate::members::{ByCardAndCode, UpdatedMember};
use crate::reply::{Done, Reply};

/// The calls on general cards. Cheap to clone.
#[derive(Clone, Debug)]
pub struct GeneralCards {
    client: Client,
}

request! {
    /// Activates a general card that was made with `auto_activate` false (E34).
    pub struct ActivateGeneralCard {
        required {
            /// The code, at most 20 bytes.
            code: Code,
            /// The card.
            card_id: CardId,
            /// The number printed on it; at most 20 bytes.
            card_number: String,
        }
        optional {
            /// The first own field; at most 12 bytes (4 Han characters).
            init_custom_field_value1: String,
            /// The second own field; at most 12 bytes.
            init_custom_field_value2: String,
            /// The third own field; at most 12 bytes.
            init_custom_field_value3: String,
            /// The picture on the card; at most 128 bytes. Not documented, like all that follows.
            background_pic_url: String,
            /// Points to begin with.
            init_bonus: i64,
            /// Balance in fen to begin with.
            init_balance: Fen,
            /// From when it is valid.
            activate_begin_time: Timestamp,
            /// Until when.
            activate_end_time: Timestamp,
        }
    }
}

impl Checked for ActivateGeneralCard {
    fn check(&self, limits: &mut Limits) {
        limits.code(&self.code);
        limits.text("card_number", &self.card_number, 20);
        limits.optional("init_custom_field_value1", self.init_custom_field_value1.as_ref(), 12);
        limits.optional("init_custom_field_value2", self.init_custom_field_value2.as_ref(), 12);
        limits.optional("init_custom_field_value3", self.init_custom_field_value3.as_ref(), 12);
        limits.optional("background_pic_url", self.background_pic_url.as_ref(), URL);
        limits.optional_moment("activate_begin_time", self.activate_begin_time.as_ref());
        limits.optional_moment("activate_end_time", self.activate_end_time.as_ref());
    }
}

request! {
    /// Sets what a general card shows (E36): values from now on, never changes. Use it after each purchase with it.
    pub struct UpdateGeneralCard {
        required {
            /// The code, at most 20 bytes.
            code: Code,
            /// The card.
            card_id: CardId,
        }
        optional {
            /// The picture on the card; at most 128 bytes.
            background_pic_url: String,
            /// The points from now on.
            bonus: i64,
            /// The text of the entry; at most 42 bytes (14 Han characters).
            record_bonus: String,
            /// The balance in fen from now on.
            balance: Fen,
            /// The text of the entry; at most 42 bytes.
            record_balance: String,
            /// The first own field; at most 12 bytes (4 Han characters).
            custom_field_value1: String,
            /// The second own field; at most 12 bytes.
            custom_field_value2: String,
            /// The third own field; at most 12 bytes.
            custom_field_value3: String,
            /// Whether the button to give it on stays.
            can_give_friend: bool,
        }
    }
}

impl Checked for UpdateGeneralCard {
    fn check(&self, limits: &mut Limits) {
        limits.code(&self.code);
        limits.optional("background_pic_url", self.background_pic_url.as_ref(), URL);
        limits.optional("record_bonus", self.record_bonus.as_ref(), 42);
        limits.optional("record_balance", self.record_balance.as_ref(), 42);
        limits.optional("custom_field_value1", self.custom_field_value1.as_ref(), 12);
        limits.optional("custom_field_value2", self.custom_field_value2.as_ref(), 12);
        limits.optional("custom_field_value3", self.custom_field_value3.as_ref(), 12);
    }
}

impl GeneralCards {
    /// The general cards of an account.
    pub fn new(client: &Client) -> Self {
        Self { client: client.clone() }
    }

    /// Activates a card (E34).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn activate(&self, request: &ActivateGeneralCard) -> Result<Reply<Done>, Error> {
        self.client.post(&endpoint::GENERAL_ACTIVATE, request).await
    }

    /// Takes the activation back (E35).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn deactivate(&self, card_id: &CardId, code: &Code) -> Result<Reply<Done>, Error> {
        self.client.post(&endpoint::GENERAL_DEACTIVATE, &ByCardAndCode { card_id, code }).await
    }

    /// Sets what a card shows (E36).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn update(&self, request: &UpdateGeneralCard) -> Result<Reply<UpdatedMember>, Error> {
        self.client.post(&endpoint::GENERAL_UPDATE, request).await
    }
}
