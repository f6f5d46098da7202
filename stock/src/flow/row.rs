//! One row, typed and checked.

use std::fmt;

use favor_core::{Fen, Timestamp};

use super::columns::{Column, FlowColumns};
use super::record::Record;
use super::row_error::{FlowRowError, FlowRowProblem};
use super::text::FlowText;
use super::value;

/// One redemption or refund, as a view of the reader's buffer. [`FlowRow::to_owned`] makes it last.
///
/// A value is none when the file has no such column. What must not be wrong is checked when the row is read:
/// identifiers, amounts and times; free text stays as it came.
#[derive(Clone, Copy)]
pub struct FlowRow<'a> {
    record: Record<'a>,
    columns: &'a FlowColumns,
    stock_id: Option<&'a str>,
    coupon_id: Option<&'a str>,
    discount: Option<Fen>,
    order_total: Option<Fen>,
    transaction_id: Option<&'a str>,
    consume_time: Option<Timestamp>,
    consume_mchid: Option<&'a str>,
    refund_id: Option<&'a str>,
    refund_time: Option<Timestamp>,
    combined_transaction_id: Option<&'a str>,
    combined_discount: Option<Fen>,
    combined_order_total: Option<Fen>,
}

/// Reads the fields of one record.
#[derive(Clone, Copy)]
struct Fields<'a> {
    record: Record<'a>,
    columns: &'a FlowColumns,
}

impl<'a> Fields<'a> {
    #[inline]
    fn bytes(&self, column: Column) -> Option<&'a [u8]> {
        self.record.value(self.columns.position(column)?)
    }

    #[inline]
    fn filled(&self, column: Column) -> Option<&'a [u8]> {
        self.bytes(column).filter(|bytes| !bytes.is_empty())
    }

    #[inline]
    fn read<T>(
        &self,
        column: Column,
        bytes: Option<&'a [u8]>,
        read: impl Fn(&'a [u8]) -> Option<T>,
        otherwise: FlowRowProblem,
    ) -> Result<Option<T>, FlowRowError> {
        let Some(bytes) = bytes else { return Ok(None) };
        match read(bytes) {
            Some(value) => Ok(Some(value)),
            None => Err(self.fault(column, if bytes.is_empty() { FlowRowProblem::Empty } else { otherwise })),
        }
    }

    #[cold]
    fn fault(&self, column: Column, problem: FlowRowProblem) -> FlowRowError {
        FlowRowError::new(self.record.line(), problem).in_column(column)
    }

    #[inline]
    fn id(&self, column: Column, bytes: Option<&'a [u8]>) -> Result<Option<&'a str>, FlowRowError> {
        let text = |bytes: &'a [u8]| std::str::from_utf8(bytes).ok().filter(|text| !text.is_empty());
        self.read(column, bytes, text, FlowRowProblem::NotText)
    }

    #[inline]
    fn amount(&self, column: Column, bytes: Option<&'a [u8]>) -> Result<Option<Fen>, FlowRowError> {
        self.read(column, bytes, value::amount, FlowRowProblem::NoAmount)
    }

    #[inline]
    fn time(&self, column: Column, bytes: Option<&'a [u8]>) -> Result<Option<Timestamp>, FlowRowError> {
        self.read(column, bytes, value::time, FlowRowProblem::NoTime)
    }
}

impl<'a> FlowRow<'a> {
    #[inline]
    pub(super) fn read(record: Record<'a>, columns: &'a FlowColumns) -> Result<Self, FlowRowError> {
        let (expected, found) = (columns.len(), record.count());
        if expected != found {
            return Err(FlowRowError::new(record.line(), FlowRowProblem::FieldCount { expected, found }));
        }
        let fields = Fields { record, columns };
        let id = |column| fields.id(column, fields.bytes(column));
        let id_or_empty = |column| fields.id(column, fields.filled(column));
        let amount = |column| fields.amount(column, fields.bytes(column));
        let amount_or_empty = |column| fields.amount(column, fields.filled(column));
        Ok(Self {
            stock_id: id(Column::StockId)?,
            coupon_id: id(Column::CouponId)?,
            discount: amount(Column::Discount)?,
            order_total: amount(Column::OrderTotal)?,
            transaction_id: id(Column::TransactionId)?,
            consume_time: fields.time(Column::ConsumeTime, fields.bytes(Column::ConsumeTime))?,
            consume_mchid: id_or_empty(Column::ConsumeMerchant)?,
            refund_id: id_or_empty(Column::RefundId)?,
            refund_time: fields.time(Column::RefundTime, fields.filled(Column::RefundTime))?,
            combined_transaction_id: id_or_empty(Column::CombinedTransaction)?,
            combined_discount: amount_or_empty(Column::CombinedDiscount)?,
            combined_order_total: amount_or_empty(Column::CombinedTotal)?,
            record,
            columns,
        })
    }

    fn text(&self, column: Column) -> Option<FlowText<'a>> {
        self.record.value(self.columns.position(column)?).map(FlowText::from)
    }

    /// The line of the file it begins on, counted from 1.
    pub fn line(&self) -> u64 {
        self.record.line()
    }

    /// The stock (批次id).
    pub fn stock_id(&self) -> Option<&'a str> {
        self.stock_id
    }

    /// The coupon (优惠id).
    pub fn coupon_id(&self) -> Option<&'a str> {
        self.coupon_id
    }

    /// The kind of coupon (优惠类型), `全场代金券` for one on whole orders.
    pub fn kind(&self) -> Option<FlowText<'a>> {
        self.text(Column::Kind)
    }

    /// The discount (优惠金额).
    pub fn discount(&self) -> Option<Fen> {
        self.discount
    }

    /// The order total (订单总金额).
    pub fn order_total(&self) -> Option<Fen> {
        self.order_total
    }

    /// What happened (交易类型): `支付`, a payment.
    pub fn trade_kind(&self) -> Option<FlowText<'a>> {
        self.text(Column::TradeKind)
    }

    /// The payment (支付单号).
    pub fn transaction_id(&self) -> Option<&'a str> {
        self.transaction_id
    }

    /// When the coupon was redeemed (消耗时间).
    pub fn consume_time(&self) -> Option<Timestamp> {
        self.consume_time
    }

    /// The merchant at which it was redeemed (消耗商户号); none also when the field is empty.
    pub fn consume_mchid(&self) -> Option<&'a str> {
        self.consume_mchid
    }

    /// The device number of the order (设备号). In by-day files it is Base64, see [`FlowText::decode_base64`].
    pub fn device(&self) -> Option<FlowText<'a>> {
        self.text(Column::Device)
    }

    /// The bank's serial number (银行流水号), often empty.
    pub fn bank_serial(&self) -> Option<FlowText<'a>> {
        self.text(Column::BankSerial)
    }

    /// The goods (单品信息): free text or JSON, often empty.
    pub fn goods(&self) -> Option<FlowText<'a>> {
        self.text(Column::Goods)
    }

    /// The refund (退款单号); none also when the field is empty.
    pub fn refund_id(&self) -> Option<&'a str> {
        self.refund_id
    }

    /// When it was refunded (退款时间); none also when the field is empty.
    pub fn refund_time(&self) -> Option<Timestamp> {
        self.refund_time
    }

    /// Whether the order is part of a combined order (是否合单订单), in the platform's words.
    pub fn combined_order(&self) -> Option<FlowText<'a>> {
        self.text(Column::CombinedOrder)
    }

    /// The payment of the combined order (微信支付合单单号); none also when the field is empty.
    pub fn combined_transaction_id(&self) -> Option<&'a str> {
        self.combined_transaction_id
    }

    /// The discount on the combined order (合单优惠总金额); none also when the field is empty.
    pub fn combined_discount(&self) -> Option<Fen> {
        self.combined_discount
    }

    /// The total of the combined order (合单订单总金额); none also when the field is empty.
    pub fn combined_order_total(&self) -> Option<Fen> {
        self.combined_order_total
    }

    /// A column that has no meaning here, by the text of its header; brackets may be wide or narrow.
    pub fn other(&self, name: &str) -> Option<FlowText<'a>> {
        self.record.value(self.columns.other(name)?).map(FlowText::from)
    }

    /// All columns that have no meaning here, with their names.
    pub fn others(&self) -> impl Iterator<Item = (&'a str, FlowText<'a>)> {
        let record = self.record;
        let text = move |position| FlowText::from(record.value(position).unwrap_or_default());
        self.columns.unknown().map(move |(position, name)| (name, text(position)))
    }
}

impl fmt::Debug for FlowRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_owned().fmt(f)
    }
}
