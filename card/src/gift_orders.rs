//! Orders of gift cards (E49–E51, spec §3.38).

use favor_core::{Fen, OpenId, Timestamp};
use serde::Serialize;

use crate::client::Client;
use crate::endpoint;
use crate::error::Error;
use crate::id::{CardId, Code};
use crate::limits::{Checked, Limits};
use crate::macros::{answer, open, request};
use crate::reply::{Done, Reply};

/// The calls on orders of gift cards. Cheap to clone.
#[derive(Clone, Debug)]
pub struct GiftOrders {
    client: Client,
}

answer! {
    /// An order by its id.
    pub struct GiftOrderAnswer {
        required {
            /// The order.
            order: GiftOrder,
        }
    }
}

answer! {
    /// An order of gift cards.
    pub struct GiftOrder {
        required {
            /// The order.
            order_id: String,
        }
        given {
            /// Its cards.
            card_list: Vec<GiftOrderCard>,
        }
        optional {
            /// The page it was made on.
            page_id: String,
            /// The Pay transaction.
            trans_id: String,
            /// When it was made.
            create_time: Timestamp,
            /// When it was paid.
            pay_finish_time: Timestamp,
            /// Its price in fen.
            total_price: Fen,
            /// Who bought it.
            #[serde(rename = "open_id")]
            buyer: OpenId,
            /// Who received it.
            #[serde(rename = "accepter_openid")]
            receiver: OpenId,
            /// The channel.
            outer_str: String,
            /// Whether it went to a group.
            #[serde(rename = "IsChatRoom")]
            is_chat_room: bool,
        }
    }
}

answer! {
    /// A card of an order.
    pub struct GiftOrderCard {
        required {
            /// The card.
            card_id: CardId,
        }
        optional {
            /// Its price in fen.
            price: Fen,
            /// Its code.
            code: Code,
            /// The words that came with it; empty when the buyer wrote his own.
            default_gifting_msg: String,
            /// Its face.
            background_pic_url: String,
            /// The merchant's own name of the face.
            outer_img_id: String,
            /// Who received it, where it went to a group.
            #[serde(rename = "accepter_openid")]
            receiver: OpenId,
        }
    }
}

open! {
    /// In which order to list, by when orders were made.
    pub enum SortType {
        /// The oldest first.
        Ascending => "ASC",
        /// The newest first.
        Descending => "DESC",
    }
}

request! {
    /// Which orders to list (E50).
    pub struct ListGiftOrders {
        required {
            /// From when.
            begin_time: Timestamp,
            /// Until when: at most 31 days later.
            end_time: Timestamp,
            /// In which order.
            sort_type: SortType,
            /// How many to pass over.
            offset: i64,
            /// How many at most: 1 to 100.
            count: i64,
        }
    }
}

impl Checked for ListGiftOrders {
    fn check(&self, limits: &mut Limits) {
        limits.moment("begin_time", &self.begin_time);
        limits.moment("end_time", &self.end_time);
        let span = self.end_time.timestamp().saturating_sub(self.begin_time.timestamp());
        let rule = "must be at most 31 days after begin_time, and not before it";
        limits.require((0..=31 * 24 * 3_600).contains(&span), "end_time", rule);
        limits.range("offset", self.offset, 0, i64::MAX);
        limits.range("count", self.count, 1, 100);
    }
}

answer! {
    /// Some orders.
    pub struct GiftOrderList {
        given {
            /// How many there are in all.
            total_count: i64,
            /// These.
            order_list: Vec<GiftOrder>,
        }
    }
}

#[derive(Serialize)]
struct ByOrder<'a> {
    order_id: &'a str,
}

impl Checked for ByOrder<'_> {
    fn check(&self, limits: &mut Limits) {
        limits.text("order_id", self.order_id, 128);
    }
}

impl GiftOrders {
    /// The orders of an account.
    pub fn new(client: &Client) -> Self {
        Self { client: client.clone() }
    }

    /// An order (E49).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn get(&self, order_id: &str) -> Result<Reply<GiftOrderAnswer>, Error> {
        self.client.post(&endpoint::GIFT_ORDER_GET, &ByOrder { order_id }).await
    }

    /// Some orders (E50).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn list(&self, request: &ListGiftOrders) -> Result<Reply<GiftOrderList>, Error> {
        self.client.post(&endpoint::GIFT_ORDER_LIST, request).await
    }

    /// Gives the money of an order back and makes its cards invalid (E51). This moves real money.
    ///
    /// # Errors
    /// [`Error`]; when its outcome is unknown look at the order before repeating.
    pub async fn refund(&self, order_id: &str) -> Result<Reply<Done>, Error> {
        self.client.post(&endpoint::GIFT_ORDER_REFUND, &ByOrder { order_id }).await
    }
}
