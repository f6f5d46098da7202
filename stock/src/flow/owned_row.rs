//! A row that lasts.

use std::collections::BTreeMap;

use favor_core::time::rfc3339_option;
use favor_core::{CouponId, Fen, MerchantId, StockId, Timestamp, TransactionId};
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error, StrDeserializer};
use serde::{Deserialize, Serialize};

use super::row::FlowRow;
use super::text::{FlowText, FlowTextBuf};

/// A [`FlowRow`] of its own: the same values, under the same names. Amounts are written in fen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OwnedFlowRow {
    /// The line of the file it begins on.
    pub line: u64,
    /// The stock.
    pub stock_id: Option<StockId>,
    /// The coupon.
    pub coupon_id: Option<CouponId>,
    /// The kind of coupon.
    pub kind: Option<FlowTextBuf>,
    /// The discount.
    pub discount: Option<Fen>,
    /// The order total.
    pub order_total: Option<Fen>,
    /// What happened.
    pub trade_kind: Option<FlowTextBuf>,
    /// The payment.
    pub transaction_id: Option<TransactionId>,
    /// When the coupon was redeemed.
    #[serde(with = "rfc3339_option")]
    pub consume_time: Option<Timestamp>,
    /// The merchant at which it was redeemed.
    pub consume_mchid: Option<MerchantId>,
    /// The device number of the order; Base64 in by-day files.
    pub device: Option<FlowTextBuf>,
    /// The bank's serial number.
    pub bank_serial: Option<FlowTextBuf>,
    /// The goods.
    pub goods: Option<FlowTextBuf>,
    /// The refund.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_id: Option<String>,
    /// When it was refunded.
    #[serde(with = "rfc3339_option", skip_serializing_if = "Option::is_none")]
    pub refund_time: Option<Timestamp>,
    /// Whether the order is part of a combined order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub combined_order: Option<FlowTextBuf>,
    /// The payment of the combined order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub combined_transaction_id: Option<TransactionId>,
    /// The discount on the combined order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub combined_discount: Option<Fen>,
    /// The total of the combined order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub combined_order_total: Option<Fen>,
    /// The columns that have no meaning here, by name; of two with the same name, the first.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub others: BTreeMap<String, FlowTextBuf>,
}

impl FlowRow<'_> {
    /// The same row, on its own.
    pub fn to_owned(&self) -> OwnedFlowRow {
        let text = |text: Option<FlowText<'_>>| text.map(FlowText::to_buf);
        let mut others = BTreeMap::new();
        for (name, text) in self.others() {
            others.entry(name.to_owned()).or_insert_with(|| text.to_buf());
        }
        OwnedFlowRow {
            line: self.line(),
            stock_id: self.stock_id().map(kept),
            coupon_id: self.coupon_id().map(kept),
            kind: text(self.kind()),
            discount: self.discount(),
            order_total: self.order_total(),
            trade_kind: text(self.trade_kind()),
            transaction_id: self.transaction_id().map(kept),
            consume_time: self.consume_time(),
            consume_mchid: self.consume_mchid().map(kept),
            device: text(self.device()),
            bank_serial: text(self.bank_serial()),
            goods: text(self.goods()),
            refund_id: self.refund_id().map(str::to_owned),
            refund_time: self.refund_time(),
            combined_order: text(self.combined_order()),
            combined_transaction_id: self.combined_transaction_id().map(kept),
            combined_discount: self.combined_discount(),
            combined_order_total: self.combined_order_total(),
            others,
        }
    }
}

/// An identifier from the platform, kept as it comes.
fn kept<T: for<'de> Deserialize<'de>>(text: &str) -> T {
    let deserializer: StrDeserializer<'_, Error> = text.into_deserializer();
    T::deserialize(deserializer).expect("identifiers from the platform take any text")
}
