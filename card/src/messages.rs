//! Cards sent as messages (M1–M4, spec §3.45).

use favor_core::OpenId;
use serde::Serialize;

use crate::client::Client;
use crate::endpoint;
use crate::error::Error;
use crate::id::{CardId, Personal};
use crate::limits::{Checked, Limits};
use crate::macros::answer;
use crate::reply::{Done, Reply};
use crate::sign::SignedCard;

/// The calls that send cards as messages. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Messages {
    client: Client,
}

/// A card in a message.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CardMessage {
    /// The card.
    pub card_id: CardId,
    /// The signed parameters, as for pages: needed for custom codes and bound openids.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card_ext: Option<Personal>,
}

impl CardMessage {
    /// A card whose codes are the platform's or deposited.
    pub fn new(card_id: CardId) -> Self {
        Self { card_id, card_ext: None }
    }

    /// With signed parameters, which must be of the same card.
    #[must_use]
    pub fn signed(mut self, card: &SignedCard) -> Self {
        self.card_ext = Some(Personal::new(card.card_ext()));
        self
    }
}

/// To whom a message is shown before it is sent to many.
#[derive(Clone, Debug, PartialEq)]
pub enum PreviewTo {
    /// By openid.
    OpenId(OpenId),
    /// By WeChat id.
    WeChatId(Personal),
}

answer! {
    /// A message to many that was taken.
    pub struct SentMessage {
        optional {
            /// Its id.
            msg_id: i64,
            /// The id of its data.
            msg_data_id: i64,
        }
    }
}

#[derive(Serialize)]
struct Message<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    filter: Option<Filter>,
    #[serde(skip_serializing_if = "Option::is_none")]
    touser: Option<To<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    towxname: Option<&'a Personal>,
    msgtype: &'static str,
    wxcard: &'a CardMessage,
}

#[derive(Serialize)]
#[serde(untagged)]
enum To<'a> {
    One(&'a OpenId),
    Many(&'a [OpenId]),
}

#[derive(Serialize)]
struct Filter {
    is_to_all: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag_id: Option<i64>,
}

impl Checked for Message<'_> {
    fn check(&self, limits: &mut Limits) {
        limits.text("wxcard.card_id", self.wxcard.card_id.as_str(), 32);
        match &self.touser {
            Some(To::One(openid)) => limits.text("touser", openid.as_str(), 32),
            Some(To::Many(openids)) => {
                limits.list("touser", openids, 2, 10_000);
                for openid in *openids {
                    limits.text("touser", openid.as_str(), 32);
                }
            }
            None => {}
        }
        if let Some(name) = self.towxname {
            limits.text("towxname", name.as_str(), 32);
        }
    }
}

fn message(card: &CardMessage) -> Message<'_> {
    Message { filter: None, touser: None, towxname: None, msgtype: "wxcard", wxcard: card }
}

impl Messages {
    /// The messages of an account.
    pub fn new(client: &Client) -> Self {
        Self { client: client.clone() }
    }

    /// Sends a card to a user who was active within the last 48 hours (M1). Cards with the platform's or deposited codes
    /// alone.
    ///
    /// # Errors
    /// [`Error`]; 45015 after 48 hours.
    pub async fn send(&self, to: &OpenId, card_id: &CardId) -> Result<Reply<Done>, Error> {
        let card = CardMessage::new(card_id.clone());
        let request = Message { touser: Some(To::One(to)), ..message(&card) };
        self.client.post(&endpoint::MESSAGE_SEND, &request).await
    }

    /// Sends a card to all users with a tag (M2).
    ///
    /// # Errors
    /// [`Error`]; when its outcome is unknown look in the console before repeating.
    pub async fn send_to_tag(&self, tag: i64, card: &CardMessage) -> Result<Reply<SentMessage>, Error> {
        let filter = Filter { is_to_all: false, tag_id: Some(tag) };
        self.client.post(&endpoint::MESSAGE_TO_TAG, &Message { filter: Some(filter), ..message(card) }).await
    }

    /// Sends a card to all users (M2).
    ///
    /// # Errors
    /// [`Error`]; when its outcome is unknown look in the console before repeating.
    pub async fn send_to_all(&self, card: &CardMessage) -> Result<Reply<SentMessage>, Error> {
        let filter = Filter { is_to_all: true, tag_id: None };
        self.client.post(&endpoint::MESSAGE_TO_TAG, &Message { filter: Some(filter), ..message(card) }).await
    }

    /// Sends a card to 2 to 10,000 users (M3).
    ///
    /// # Errors
    /// [`Error`]; when its outcome is unknown look in the console before repeating.
    pub async fn send_to_users(
        &self,
        to: &[OpenId],
        card: &CardMessage,
    ) -> Result<Reply<SentMessage>, Error> {
        let request = Message { touser: Some(To::Many(to)), ..message(card) };
        self.client.post(&endpoint::MESSAGE_TO_USERS, &request).await
    }

    /// Shows one person what would be sent to many (M4).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn preview(&self, to: &PreviewTo, card: &CardMessage) -> Result<Reply<SentMessage>, Error> {
        let request = match to {
            PreviewTo::OpenId(openid) => Message { touser: Some(To::One(openid)), ..message(card) },
            PreviewTo::WeChatId(name) => Message { towxname: Some(name), ..message(card) },
        };
        self.client.post(&endpoint::MESSAGE_PREVIEW, &request).await
    }
}
