//! Card coins (E61–E67, spec §3.43). Legacy: they belonged to friends' coupons, which are retired.

use favor_core::{OpenId, Timestamp};
use serde::Serialize;

use crate::client::Client;
use crate::endpoint;
use crate::error::Error;
use crate::id::CardId;
use crate::limits::{Checked, Limits};
use crate::macros::{answer, open, request};
use crate::reply::{Done, Reply};

open! {
    /// The kind of an order of coins.
    pub enum CoinOrderType {
        /// Given by the platform.
        SystemAdd => "ORDER_TYPE_SYS_ADD",
        /// Bought with WeChat Pay.
        WeChatPay => "ORDER_TYPE_WXPAY",
        /// Given back.
        Refund => "ORDER_TYPE_REFUND",
        /// Spent on stock.
        Reduce => "ORDER_TYPE_REDUCE",
        /// Taken by the platform.
        SystemReduce => "ORDER_TYPE_SYS_REDUCE",
    }
}

open! {
    /// The state of an order of coins.
    pub enum CoinOrderStatus {
        /// Waiting for payment.
        Waiting => "ORDER_STATUS_WAITING",
        /// Paid.
        Succeeded => "ORDER_STATUS_SUCC",
        /// The coins are booked.
        FinanceSucceeded => "ORDER_STATUS_FINANCE_SUCC",
        /// The stock is booked.
        QuantitySucceeded => "ORDER_STATUS_QUANTITY_SUCC",
        /// Given back.
        Refunded => "ORDER_STATUS_HAS_REFUND",
        /// To be given back.
        RefundWaiting => "ORDER_STATUS_REFUND_WAITING",
        /// Undone.
        RolledBack => "ORDER_STATUS_ROLLBACK",
        /// A receipt was made.
        HasReceipt => "ORDER_STATUS_HAS_RECEIPT",
    }
}

answer! {
    /// Coins that were granted.
    pub struct CoinsActivated {
        optional {
            /// How many.
            reward: i64,
        }
    }
}

answer! {
    /// The price of a stock in coins, held for 60 s.
    pub struct CoinPrice {
        required {
            /// To confirm it with, once.
            order_id: String,
        }
        optional {
            /// In all.
            price: String,
            /// From free coins.
            free_coin: String,
            /// From paid coins.
            pay_coin: String,
        }
    }
}

answer! {
    /// The account's coins.
    pub struct CoinBalance {
        optional {
            /// Free coins.
            free_coin: i64,
            /// Paid coins.
            pay_coin: i64,
            /// All.
            total_coin: i64,
        }
    }
}

answer! {
    /// An order of coins to be paid.
    pub struct CoinRecharge {
        required {
            /// The order.
            order_id: String,
        }
        optional {
            /// What the QR code to pay with says.
            qrcode_url: String,
            /// That QR code as a picture in Base64.
            qrcode_buffer: String,
        }
    }
}

answer! {
    /// One order of coins.
    pub struct CoinOrder {
        required {
            /// The order.
            order_id: String,
        }
        optional {
            /// Its state.
            status: CoinOrderStatus,
            /// When it was made.
            create_time: Timestamp,
            /// When it was paid.
            pay_finish_time: Timestamp,
            /// What it is.
            desc: String,
            /// Free coins used.
            free_coin_count: i64,
            /// Paid coins used.
            pay_coin_count: i64,
            /// Free coins given back.
            refund_free_coin_count: i64,
            /// Paid coins given back.
            refund_pay_coin_count: i64,
            /// Who ordered.
            openid: OpenId,
            /// Its kind.
            order_type: CoinOrderType,
        }
    }
}

answer! {
    /// An order by its id.
    pub struct CoinOrderAnswer {
        required {
            /// The order.
            order_info: CoinOrder,
        }
    }
}

request! {
    /// Which orders to list (E67).
    pub struct ListCoinOrders {
        required {
            /// How many to pass over.
            offset: i64,
            /// How many at most.
            count: i64,
        }
        optional {
            /// Of this kind.
            order_type: CoinOrderType,
            /// Not in this state.
            nor_filter: CoinOrderFilter,
            /// In which order.
            sort_info: CoinOrderSort,
            /// From when.
            begin_time: Timestamp,
            /// Until when.
            end_time: Timestamp,
        }
    }
}

request! {
    /// What to leave out.
    pub struct CoinOrderFilter {
        required {
            /// Orders in this state.
            status: CoinOrderStatus,
        }
    }
}

request! {
    /// In which order to list.
    pub struct CoinOrderSort {
        required {
            /// `SORT_BY_TIME`.
            sort_key: String,
            /// `SORT_ASC` or `SORT_DESC`.
            sort_type: String,
        }
    }
}

impl CoinOrderSort {
    /// The oldest first.
    pub fn oldest_first() -> Self {
        Self::new("SORT_BY_TIME", "SORT_ASC")
    }

    /// The newest first.
    pub fn newest_first() -> Self {
        Self::new("SORT_BY_TIME", "SORT_DESC")
    }
}

impl Checked for ListCoinOrders {
    fn check(&self, limits: &mut Limits) {
        limits.range("offset", self.offset, 0, i64::MAX);
        limits.range("count", self.count, 1, i64::MAX);
        limits.optional_moment("begin_time", self.begin_time.as_ref());
        limits.optional_moment("end_time", self.end_time.as_ref());
    }
}

answer! {
    /// Some orders of coins.
    pub struct CoinOrders {
        given {
            /// How many there are in all.
            total_num: i64,
            /// These.
            order_list: Vec<CoinOrder>,
        }
    }
}

#[derive(Serialize)]
struct Price<'a> {
    card_id: &'a CardId,
    quantity: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<&'a str>,
}

impl Checked for Price<'_> {
    fn check(&self, limits: &mut Limits) {
        limits.range("quantity", self.quantity, 1, 100_000_000);
    }
}

#[derive(Serialize)]
struct Recharge {
    coin_count: i64,
}

impl Checked for Recharge {
    fn check(&self, limits: &mut Limits) {
        limits.range("coin_count", self.coin_count, 1, i64::MAX);
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

/// The calls on card coins. Cheap to clone. Legacy.
#[derive(Clone, Debug)]
pub struct Coins {
    client: Client,
}

impl Coins {
    /// The coins of an account.
    pub fn new(client: &Client) -> Self {
        Self { client: client.clone() }
    }

    /// Opens the account's coins (E61).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn activate(&self) -> Result<Reply<CoinsActivated>, Error> {
        self.client.get(&endpoint::COINS_ACTIVATE).await
    }

    /// What so much stock costs (E62).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn price(&self, card_id: &CardId, quantity: i64) -> Result<Reply<CoinPrice>, Error> {
        self.client.post(&endpoint::COINS_PRICE, &Price { card_id, quantity, order_id: None }).await
    }

    /// How many coins there are (E63).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn balance(&self) -> Result<Reply<CoinBalance>, Error> {
        self.client.get(&endpoint::COINS_BALANCE).await
    }

    /// Buys stock at a price that was asked for (E64).
    ///
    /// # Errors
    /// [`Error`]; when its outcome is unknown look at the order.
    pub async fn confirm(
        &self,
        card_id: &CardId,
        order_id: &str,
        quantity: i64,
    ) -> Result<Reply<Done>, Error> {
        let request = Price { card_id, quantity, order_id: Some(order_id) };
        self.client.post(&endpoint::COINS_CONFIRM, &request).await
    }

    /// Orders coins, one for a yuan (E65).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn recharge(&self, coin_count: i64) -> Result<Reply<CoinRecharge>, Error> {
        self.client.post(&endpoint::COINS_RECHARGE, &Recharge { coin_count }).await
    }

    /// One order (E66).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn order(&self, order_id: &str) -> Result<Reply<CoinOrderAnswer>, Error> {
        self.client.post(&endpoint::COINS_ORDER, &ByOrder { order_id }).await
    }

    /// The orders (E67).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn orders(&self, request: &ListCoinOrders) -> Result<Reply<CoinOrders>, Error> {
        self.client.post(&endpoint::COINS_ORDERS, request).await
    }
}
