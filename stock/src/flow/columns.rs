//! Which column is where, by the text of the header.

use super::record::Record;
use super::row_error::{FlowRowError, FlowRowProblem};

/// The columns that have a meaning here (spec §7.4, §7.5, §3.20).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    StockId,
    CouponId,
    Kind,
    Discount,
    OrderTotal,
    TradeKind,
    TransactionId,
    ConsumeTime,
    ConsumeMerchant,
    Device,
    BankSerial,
    Goods,
    RefundId,
    RefundTime,
    CombinedOrder,
    CombinedTransaction,
    CombinedDiscount,
    CombinedTotal,
}

/// Every column with its header, brackets written narrow.
const COLUMNS: [(Column, &str); 18] = [
    (Column::StockId, "批次id"),
    (Column::CouponId, "优惠id"),
    (Column::Kind, "优惠类型"),
    (Column::Discount, "优惠金额(元)"),
    (Column::OrderTotal, "订单总金额(元)"),
    (Column::TradeKind, "交易类型"),
    (Column::TransactionId, "支付单号"),
    (Column::ConsumeTime, "消耗时间"),
    (Column::ConsumeMerchant, "消耗商户号"),
    (Column::Device, "设备号"),
    (Column::BankSerial, "银行流水号"),
    (Column::Goods, "单品信息"),
    (Column::RefundId, "退款单号"),
    (Column::RefundTime, "退款时间"),
    (Column::CombinedOrder, "是否合单订单"),
    (Column::CombinedTransaction, "微信支付合单单号"),
    (Column::CombinedDiscount, "合单优惠总金额"),
    (Column::CombinedTotal, "合单订单总金额"),
];

/// More columns than any file will have; the memory for a record is bounded by it.
pub(super) const MAX_COLUMNS: usize = 1024;

impl Column {
    /// The text of its header, brackets written narrow.
    pub(super) fn name(self) -> &'static str {
        COLUMNS[self as usize].1
    }

    /// The column with this header, as [`tidy`] gives it. Yuan need not be said.
    fn named(name: &str) -> Option<Self> {
        let known = |name: &str| COLUMNS.iter().find(|(_, known)| *known == name).map(|(column, _)| *column);
        known(name).or_else(|| {
            known(name.strip_suffix("(元)")?)
                .filter(|column| matches!(column, Column::CombinedDiscount | Column::CombinedTotal))
        })
    }
}

/// The columns of one file.
#[derive(Clone, Debug)]
pub struct FlowColumns {
    known: [Option<usize>; COLUMNS.len()],
    names: Vec<(String, Option<Column>)>,
}

impl FlowColumns {
    /// Reads the header.
    pub(super) fn read(header: Record<'_>) -> Result<Self, FlowRowError> {
        let fault = |problem| FlowRowError::new(header.line(), problem);
        if header.count() > MAX_COLUMNS {
            return Err(fault(FlowRowProblem::NoHeader));
        }
        let mut columns = Self { known: [None; COLUMNS.len()], names: Vec::with_capacity(header.count()) };
        for position in 0..header.count() {
            let name = tidy(&String::from_utf8_lossy(header.value(position).unwrap_or_default()));
            let column = Column::named(&name);
            if let Some(column) = column
                && columns.known[column as usize].replace(position).is_some()
            {
                return Err(fault(FlowRowProblem::RepeatedColumn).in_column(column));
            }
            columns.names.push((name, column));
        }
        let recognised = [Column::StockId, Column::CouponId].iter().any(|id| columns.position(*id).is_some());
        if recognised { Ok(columns) } else { Err(fault(FlowRowProblem::NoHeader)) }
    }

    /// The names in the order of the file: trimmed, and with narrow brackets.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|(name, _)| name.as_str())
    }

    /// The names of the columns that have no meaning here; [`FlowRow::other`](super::FlowRow::other) reads them.
    pub fn others(&self) -> impl Iterator<Item = &str> {
        self.unknown().map(|(_, name)| name)
    }

    pub(super) fn unknown(&self) -> impl Iterator<Item = (usize, &str)> {
        let unknown = self.names.iter().enumerate().filter(|(_, (_, column))| column.is_none());
        unknown.map(|(position, (name, _))| (position, name.as_str()))
    }

    /// Where the column of this name is that has no meaning here.
    pub(super) fn other(&self, name: &str) -> Option<usize> {
        let name = tidy(name);
        self.unknown().find(|(_, other)| *other == name).map(|(position, _)| position)
    }

    #[inline]
    pub(super) fn position(&self, column: Column) -> Option<usize> {
        self.known[column as usize]
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether the goods come last, so that what follows them belongs to them.
    pub(super) fn end_with_goods(&self) -> bool {
        self.names.last().is_some_and(|(_, column)| *column == Some(Column::Goods))
    }
}

/// The text of a header cell in the form that is compared.
fn tidy(name: &str) -> String {
    name.trim().replace('（', "(").replace('）', ")")
}

#[cfg(test)]
mod tests {
    use super::super::record::Records;
    use super::*;

    fn columns(header: &str) -> Result<FlowColumns, FlowRowError> {
        let mut records = Records::new(header.as_bytes());
        records.keep(MAX_COLUMNS + 1);
        assert!(records.read().unwrap());
        FlowColumns::read(records.record())
    }

    #[test]
    fn columns_are_in_the_order_of_their_table() {
        for (index, (column, name)) in COLUMNS.iter().enumerate() {
            assert_eq!(*column as usize, index);
            assert_eq!(column.name(), *name);
        }
    }

    #[test]
    fn finds_columns_by_name_in_any_order() {
        let columns =
            columns("颜色,`优惠金额（元） ,\"批次id\",　优惠id,新（列）,合单优惠总金额（元）").unwrap();
        assert_eq!(columns.position(Column::Discount), Some(1));
        assert_eq!(columns.position(Column::StockId), Some(2));
        assert_eq!(columns.position(Column::CouponId), Some(3));
        assert_eq!(columns.position(Column::CombinedDiscount), Some(5));
        assert_eq!(columns.position(Column::Goods), None);
        assert_eq!(columns.others().collect::<Vec<_>>(), ["颜色", "新(列)"]);
        assert_eq!(columns.other(" 新（列）"), Some(4));
        assert_eq!(columns.other("批次id"), None, "it is no other column");
    }

    #[test]
    fn refuses_what_is_no_header() {
        let bill = "交易时间,公众账号ID,商户号,交易类型";
        let wide = "批次id".to_owned() + &",".repeat(MAX_COLUMNS);
        for text in ["{\"code\":\"NO_AUTH\"}", "<html>", "总条数", bill, &wide] {
            assert_eq!(columns(text).unwrap_err().problem(), &FlowRowProblem::NoHeader, "{text}");
        }
        let repeated = columns("批次id,优惠金额（元）,优惠金额(元)").unwrap_err();
        assert_eq!(repeated.problem(), &FlowRowProblem::RepeatedColumn);
        assert_eq!(repeated.column(), Some("优惠金额(元)"));
    }
}
