//! Gift cards from the phones' side in a running mirror.

use super::CardDesk;
use crate::card::gift_cards::act::{AcceptGift, BuyGift, GiveInvoice, SendGift};
use crate::card::gift_cards::desk as gift_desk;
use crate::card::gift_cards::record::{GiftOrderRecord, InvoiceRecord};
use crate::error::MirrorError;

/// Gift cards: bought on a page, sent, taken.
impl CardDesk {
    /// A user buys cards on a gift-card page, and pays at once.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Refused`] when the page is off or does not sell this, or there is no stock; or storage fails.
    pub async fn buy_gift(&self, buy: BuyGift) -> Result<GiftOrderRecord, MirrorError> {
        gift_desk::buy(&self.app, buy).await
    }

    /// The buyer sends the cards of an order that nobody has taken yet to a friend, or into a group. They come back
    /// after a day of the test clock.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Refused`] when there is nothing to send; or storage fails.
    pub async fn send_gift(&self, order_id: &str, chat_room: bool) -> Result<GiftOrderRecord, MirrorError> {
        gift_desk::send(&self.app, SendGift { order_id: order_id.to_owned(), chat_room }).await
    }

    /// A friend takes what was sent: all of it, or one card where it went into a group.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Refused`] when nothing is on its way, or the friend is the buyer; or storage fails.
    pub async fn accept_gift(&self, order_id: &str, friend: &str) -> Result<GiftOrderRecord, MirrorError> {
        let accept = AcceptGift { order_id: order_id.to_owned(), openid: friend.to_owned() };
        gift_desk::accept(&self.app, accept).await
    }

    /// The buyer gives what the invoice of an order needs.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Refused`] when there is no such order, or the merchant does not ask for this; or storage fails.
    pub async fn give_invoice(&self, give: GiveInvoice) -> Result<InvoiceRecord, MirrorError> {
        gift_desk::invoice(&self.app, give).await
    }

    /// Orders from gift-card pages of all accounts, newest first: at most `limit`, and 10,000.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub async fn gift_orders(&self, limit: u32) -> Result<Vec<GiftOrderRecord>, MirrorError> {
        gift_desk::orders(&self.app, limit).await
    }
}
