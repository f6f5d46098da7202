//! A writer of the format of the specification's §7.4 and §7.5, made from its text alone.

use proptest::prelude::*;

/// The values of one row.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) stock_id: String,
    pub(crate) coupon_id: String,
    pub(crate) kind: String,
    pub(crate) discount: i64,
    pub(crate) order_total: i64,
    pub(crate) transaction_id: String,
    pub(crate) time: String,
    pub(crate) mchid: String,
    pub(crate) device: Vec<u8>,
    pub(crate) bank_serial: String,
    pub(crate) goods: String,
    pub(crate) other: String,
    pub(crate) refund_id: String,
    pub(crate) refund_time: String,
}

/// How the file is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    pub(crate) bom: bool,
    pub(crate) end: &'static str,
    pub(crate) narrow: bool,
    pub(crate) refund: bool,
    /// An unknown column before the goods.
    pub(crate) other: bool,
}

pub(crate) const PLAIN: Style = Style { bom: false, end: "\r\n", narrow: false, refund: false, other: false };

pub(crate) const OTHER: &str = "新列（测试）";

pub(crate) fn file(rows: &[Row], style: Style) -> Vec<u8> {
    let mut header = "批次id,优惠id,优惠类型,优惠金额（元）,订单总金额（元）,交易类型,支付单号,消耗时间,消耗商户号,设备号,银行流水号,".to_owned();
    if style.other {
        header += OTHER;
        header += ",";
    }
    header += "单品信息";
    if style.refund {
        header += ",退款单号,退款时间";
    }
    if style.narrow {
        header = header.replace('（', "(").replace('）', ")");
    }
    let mut file = if style.bom { b"\xEF\xBB\xBF".to_vec() } else { Vec::new() };
    file.extend(header.as_bytes());
    file.extend(style.end.as_bytes());
    for row in rows {
        line(&mut file, row, style);
    }
    file.extend(format!("总条数{end}`{}{end}", rows.len(), end = style.end).as_bytes());
    file
}

fn line(file: &mut Vec<u8>, row: &Row, style: Style) {
    let trade = if style.refund { "退款" } else { "支付" };
    let (discount, order_total) = (yuan(row.discount), yuan(row.order_total));
    let plain = [
        &row.stock_id,
        &row.coupon_id,
        &row.kind,
        &discount,
        &order_total,
        trade,
        &row.transaction_id,
        &row.time,
        &row.mchid,
    ];
    for value in plain {
        file.extend(format!("`{value},").as_bytes());
    }
    let mut quoted = vec![&row.device[..], row.bank_serial.as_bytes()];
    if style.other {
        quoted.push(row.other.as_bytes());
    }
    quoted.push(row.goods.as_bytes());
    for (index, value) in quoted.iter().enumerate() {
        file.extend(if index == 0 { &b"\""[..] } else { b",\"" });
        for &byte in *value {
            file.extend(if byte == b'"' { &b"\"\""[..] } else { std::slice::from_ref(&byte) });
        }
        file.push(b'"');
    }
    if style.refund {
        file.extend(format!(",`{},`{}", row.refund_id, row.refund_time).as_bytes());
    }
    file.extend(style.end.as_bytes());
}

pub(crate) fn yuan(fen: i64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}

/// A plain row; `number` tells it from others.
pub(crate) fn row(number: u32) -> Row {
    Row {
        stock_id: "15300001".to_owned(),
        coupon_id: format!("1818000000{number:04}"),
        kind: "全场代金券".to_owned(),
        discount: 100,
        order_total: 3850,
        transaction_id: format!("420000000020261127{number:010}"),
        time: "2026-11-27 16:23:05".to_owned(),
        mchid: "1900000109".to_owned(),
        device: b"POS-7".to_vec(),
        bank_serial: String::new(),
        goods: String::new(),
        other: String::new(),
        refund_id: String::new(),
        refund_time: "2026-11-28 09:00:00".to_owned(),
    }
}

prop_compose! {
    pub(crate) fn any_style()(
        bom: bool, end in prop::sample::select(vec!["\r\n", "\n", "\r"]), narrow: bool, refund: bool, other: bool,
    ) -> Style {
        Style { bom, end, narrow, refund, other }
    }
}

/// Text with much of what has a meaning in the format.
pub(crate) fn any_text() -> impl Strategy<Value = String> {
    prop_oneof!["[\",`\r\n（）a总条数]{0,12}", "\\PC{0,12}", any::<String>()]
}

/// Text that can stand without quotes.
fn unquoted() -> impl Strategy<Value = String> {
    any_text().prop_map(|text| text.replace([',', '\r', '\n'], ""))
}

fn id() -> impl Strategy<Value = String> {
    "[0-9]{1,28}"
}

fn time() -> impl Strategy<Value = String> {
    "20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8]) ([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
}

prop_compose! {
    pub(crate) fn any_row()(
        (stock_id, coupon_id, transaction_id, refund_id) in (id(), id(), id(), prop_oneof![Just(String::new()), id()]),
        kind in unquoted(),
        (discount, order_total) in (0_i64..=99_999_999_999_999_999, 0_i64..1_000_000),
        (time, refund_time) in (time(), prop_oneof![Just(String::new()), time()]),
        mchid in prop_oneof![Just(String::new()), id()],
        device in prop_oneof![any_text().prop_map(String::into_bytes), prop::collection::vec(any::<u8>(), 0..12)],
        (bank_serial, goods, other) in (any_text(), any_text(), any_text()),
    ) -> Row {
        Row {
            stock_id, coupon_id, kind, discount, order_total, transaction_id, time, mchid, device, bank_serial, goods,
            other, refund_id, refund_time,
        }
    }
}
