//! One row, typed and checked.

use std::fmt;

use favor_core::{Fen, Timestamp};

use super::columns::{Column, FlowColumns};
use super::record::Record;
use super::row_error::{FlowRowError, FlowRowProblem};
use super::text::FlowText;
use super::value::{BeijingClock, amount};

/// One redemption or refund, as a view of the reader's buffer. [`FlowRow::to_owned`] makes it last.
///
/// A value is none when the file has no such column. What must not be wrong is checked when the row is read:
/// identifiers, amounts and times; free text stays as it came.
#[derive(Clone, Copy)]
pub struct FlowRow<'a> {
    record: Record<'a>,
    columns: &'a FlowColumns,
    values: &'a Values,
}

/// The amounts and times of a row.
#[derive(Clone, Copy, Default)]
pub(super) struct Values {
    discount: Option<Fen>,
    order_total: Option<Fen>,
    consume_time: Option<Timestamp>,
    refund_time: Option<Timestamp>,
    combined_discount: Option<Fen>,
    combined_total: Option<Fen>,
}

impl Values {
    /// Reads the amounts and times of a row, and checks its identifiers.
    #[inline]
    pub(super) fn read(
        record: Record<'_>,
        columns: &FlowColumns,
        clock: &mut BeijingClock,
    ) -> Result<Self, FlowRowError> {
        let (expected, found) = (columns.len(), record.count());
        if expected != found {
            return Err(FlowRowError::new(record.line(), FlowRowProblem::FieldCount { expected, found }));
        }
        let fields = Fields { record, columns };
        for id in [Column::StockId, Column::CouponId, Column::TransactionId] {
            fields.check_id(id, Emptiness::IsWrong)?;
        }
        for id in [Column::ConsumeMerchant, Column::RefundId, Column::CombinedTransaction] {
            fields.check_id(id, Emptiness::IsNone)?;
        }
        Ok(Self {
            discount: fields.amount(Column::Discount, Emptiness::IsWrong)?,
            order_total: fields.amount(Column::OrderTotal, Emptiness::IsWrong)?,
            consume_time: fields.time(Column::ConsumeTime, Emptiness::IsWrong, clock)?,
            refund_time: fields.time(Column::RefundTime, Emptiness::IsNone, clock)?,
            combined_discount: fields.amount(Column::CombinedDiscount, Emptiness::IsNone)?,
            combined_total: fields.amount(Column::CombinedTotal, Emptiness::IsNone)?,
        })
    }
}

/// What an empty field means.
#[derive(Clone, Copy, PartialEq)]
enum Emptiness {
    IsNone,
    IsWrong,
}

/// Reads the fields of one record.
#[derive(Clone, Copy)]
struct Fields<'a> {
    record: Record<'a>,
    columns: &'a FlowColumns,
}

impl<'a> Fields<'a> {
    /// The bytes of a field; none when it is empty and that means none.
    #[inline]
    fn bytes(&self, column: Column, empty: Emptiness) -> Result<Option<&'a [u8]>, FlowRowError> {
        match self.columns.position(column).and_then(|position| self.record.value(position)) {
            Some([]) => match empty {
                Emptiness::IsNone => Ok(None),
                Emptiness::IsWrong => Err(self.fault(column, FlowRowProblem::Empty)),
            },
            bytes => Ok(bytes),
        }
    }

    #[inline]
    fn check_id(&self, column: Column, empty: Emptiness) -> Result<(), FlowRowError> {
        match self.bytes(column, empty)? {
            Some(bytes) if !bytes.is_ascii() && std::str::from_utf8(bytes).is_err() => {
                Err(self.fault(column, FlowRowProblem::NotText))
            }
            _ => Ok(()),
        }
    }

    #[inline]
    fn amount(&self, column: Column, empty: Emptiness) -> Result<Option<Fen>, FlowRowError> {
        let Some(bytes) = self.bytes(column, empty)? else { return Ok(None) };
        amount(bytes).map(Some).ok_or_else(|| self.fault(column, FlowRowProblem::NoAmount))
    }

    #[inline]
    fn time(
        &self,
        column: Column,
        empty: Emptiness,
        clock: &mut BeijingClock,
    ) -> Result<Option<Timestamp>, FlowRowError> {
        let Some(bytes) = self.bytes(column, empty)? else { return Ok(None) };
        clock.read(bytes).map(Some).ok_or_else(|| self.fault(column, FlowRowProblem::NoTime))
    }

    #[cold]
    fn fault(&self, column: Column, problem: FlowRowProblem) -> FlowRowError {
        FlowRowError::new(self.record.line(), problem).in_column(column)
    }
}

impl<'a> FlowRow<'a> {
    /// The row of these values, which were read from this record.
    pub(super) fn new(record: Record<'a>, columns: &'a FlowColumns, values: &'a Values) -> Self {
        Self { record, columns, values }
    }

    #[inline]
    fn text(&self, column: Column) -> Option<FlowText<'a>> {
        self.record.value(self.columns.position(column)?).map(FlowText::from)
    }

    /// The merchant as it stands there, which may be nothing.
    #[inline]
    pub(super) fn merchant(&self) -> Option<FlowText<'a>> {
        self.text(Column::ConsumeMerchant)
    }

    #[inline]
    fn id(&self, column: Column) -> Option<&'a str> {
        self.text(column)?.as_str().filter(|text| !text.is_empty())
    }

    /// The line of the file it begins on, counted from 1.
    pub fn line(&self) -> u64 {
        self.record.line()
    }

    /// The stock (批次id).
    pub fn stock_id(&self) -> Option<&'a str> {
        self.id(Column::StockId)
    }

    /// The coupon (优惠id).
    pub fn coupon_id(&self) -> Option<&'a str> {
        self.id(Column::CouponId)
    }

    /// The kind of coupon (优惠类型), `全场代金券` for one on whole orders.
    pub fn kind(&self) -> Option<FlowText<'a>> {
        self.text(Column::Kind)
    }

    /// The discount (优惠金额).
    pub fn discount(&self) -> Option<Fen> {
        self.values.discount
    }

    /// The order total (订单总金额).
    pub fn order_total(&self) -> Option<Fen> {
        self.values.order_total
    }

    /// What happened (交易类型): `支付`, a payment.
    pub fn trade_kind(&self) -> Option<FlowText<'a>> {
        self.text(Column::TradeKind)
    }

    /// The payment (支付单号).
    pub fn transaction_id(&self) -> Option<&'a str> {
        self.id(Column::TransactionId)
    }

    /// When the coupon was redeemed (消耗时间).
    pub fn consume_time(&self) -> Option<Timestamp> {
        self.values.consume_time
    }

    /// The merchant at which it was redeemed (消耗商户号); none also when the field is empty.
    pub fn consume_mchid(&self) -> Option<&'a str> {
        self.id(Column::ConsumeMerchant)
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
        self.id(Column::RefundId)
    }

    /// When it was refunded (退款时间); none also when the field is empty.
    pub fn refund_time(&self) -> Option<Timestamp> {
        self.values.refund_time
    }

    /// Whether the order is part of a combined order (是否合单订单), in the platform's words.
    pub fn combined_order(&self) -> Option<FlowText<'a>> {
        self.text(Column::CombinedOrder)
    }

    /// The payment of the combined order (微信支付合单单号); none also when the field is empty.
    pub fn combined_transaction_id(&self) -> Option<&'a str> {
        self.id(Column::CombinedTransaction)
    }

    /// The discount on the combined order (合单优惠总金额); none also when the field is empty.
    pub fn combined_discount(&self) -> Option<Fen> {
        self.values.combined_discount
    }

    /// The total of the combined order (合单订单总金额); none also when the field is empty.
    pub fn combined_order_total(&self) -> Option<Fen> {
        self.values.combined_total
    }

    /// A column that has no meaning here, by the text of its header; brackets may be wide or narrow.
    pub fn other(&self, name: &str) -> Option<FlowText<'a>> {
        self.record.value(self.columns.other(name)?).map(FlowText::from)
    }

    /// All columns that have no meaning here, with their names.
    pub fn others(&self) -> impl Iterator<Item = (&'a str, FlowText<'a>)> {
        let record = self.record;
        self.columns
            .unknown()
            .filter_map(move |(position, name)| Some((name, record.value(position)?.into())))
    }
}

impl fmt::Debug for FlowRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_owned().fmt(f)
    }
}
