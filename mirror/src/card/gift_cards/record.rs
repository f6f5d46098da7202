//! What control calls show of gift-card orders.

use chrono::{DateTime, FixedOffset};
use rusqlite::Connection;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::ledger::card::cards;
use crate::ledger::card::codes;
use crate::ledger::card::gift_orders::{self, GiftItem, GiftOrder, ItemState};

/// An order from a gift-card page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct GiftOrderRecord {
    /// Its number.
    pub order_id: String,
    /// The account.
    pub appid: String,
    /// The page it was made on.
    pub page_id: String,
    /// The payment.
    pub trans_id: String,
    /// When it was made and paid, on the test clock.
    pub created: DateTime<FixedOffset>,
    /// What was paid, in fen.
    pub total_fen: i64,
    /// Who bought.
    pub openid: String,
    /// The scene.
    pub outer_str: String,
    /// The face.
    pub picture: String,
    /// The merchant's own name of the face; may be empty.
    pub image_id: String,
    /// The words that come with it.
    pub message: String,
    /// Whether the buyer wrote them.
    pub own_words: bool,
    /// Whether it was sent into a group.
    pub chat_room: bool,
    /// When all the money went back, if it did.
    pub refunded: Option<DateTime<FixedOffset>>,
    /// Its cards.
    pub cards: Vec<GiftCardRecord>,
}

/// A card of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct GiftCardRecord {
    /// The card.
    pub card_id: String,
    /// The code it has now: a friend gets another one.
    pub code: String,
    /// Its price, in fen.
    pub price_fen: i64,
    /// Where it is.
    pub state: GiftCardState,
    /// Who took it; empty before.
    pub accepter: String,
}

/// Where a card of an order is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum GiftCardState {
    /// With the buyer.
    Held,
    /// On its way to a friend.
    Sent,
    /// With whoever took it.
    Taken,
}

/// What a user gave for an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct InvoiceRecord {
    /// The order.
    pub order_id: String,
    /// As the merchant gets to see it.
    pub invoice_status: String,
    /// The same: what was given, as `user_field` or as `biz_field`.
    pub user_auth_info: Map<String, Value>,
}

impl GiftOrderRecord {
    pub(crate) fn of(db: &Connection, order: &GiftOrder) -> rusqlite::Result<Self> {
        let items = gift_orders::items(db, order.id)?;
        Ok(Self {
            order_id: order.order_id.clone(),
            appid: order.appid.clone(),
            page_id: order.page_id.clone(),
            trans_id: order.trans_id.clone(),
            created: order.created.date_time(),
            total_fen: order.total_fen,
            openid: order.buyer.clone(),
            outer_str: order.outer_str.clone(),
            picture: order.picture.clone(),
            image_id: order.image_id.clone(),
            message: order.message.clone(),
            own_words: order.own_words,
            chat_room: order.chat_room,
            refunded: order.refunded.map(crate::moment::Moment::date_time),
            cards: items.into_iter().map(|item| GiftCardRecord::of(db, item)).collect::<Result<_, _>>()?,
        })
    }
}

impl GiftCardRecord {
    pub(crate) fn of(db: &Connection, item: GiftItem) -> rusqlite::Result<Self> {
        let code = codes::by_number(db, item.code)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        let card = cards::by_number(db, code.card)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        Ok(Self {
            card_id: card.card_id,
            code: code.code,
            price_fen: item.price_fen,
            state: match item.state {
                ItemState::Held => GiftCardState::Held,
                ItemState::Sent => GiftCardState::Sent,
                ItemState::Taken => GiftCardState::Taken,
            },
            accepter: item.accepter,
        })
    }
}
