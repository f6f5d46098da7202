//! The form of a flow file, to the byte: UTF-8 without a mark, lines ended by CR LF, a backtick before each bare
//! value, quotes around what may hold anything, and two lines of summary.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::row::{Flow, FlowRow, Kind};

const COLUMNS: &str = "批次id,优惠id,优惠类型,优惠金额（元）,订单总金额（元）,交易类型,支付单号,消耗时间,消耗商户号,\
                       设备号,银行流水号,单品信息";
const REFUND_COLUMNS: &str = ",退款单号,退款时间";
/// Announced for the files of a day; without content unless agreed with the platform.
const COMBINED_ORDER_COLUMNS: &str = ",是否合单订单,微信支付合单单号,合单优惠总金额,合单订单总金额";

pub(super) fn header(flow: Flow) -> String {
    let refund = if flow.kind == Kind::Refund { REFUND_COLUMNS } else { "" };
    let combined = if flow.day.is_some() { COMBINED_ORDER_COLUMNS } else { "" };
    format!("{COLUMNS}{refund}{combined}\r\n")
}

pub(super) fn record(out: &mut Vec<u8>, flow: Flow, row: &FlowRow) {
    let kind = if flow.single_item { "单品代金券" } else { "全场代金券" };
    let trade = if flow.kind == Kind::Refund { "退款" } else { "支付" };
    let bare = format!(
        "`{},`{},`{kind},`{},`{},`{trade},`{},`{},`{}",
        flow.stock_id,
        row.coupon_id,
        yuan(row.discount),
        yuan(row.total_amount),
        row.transaction_id,
        row.redeemed.beijing_text(),
        row.mchid,
    );
    out.extend_from_slice(bare.as_bytes());
    if flow.day.is_some() {
        quoted(out, STANDARD.encode(&row.device_no).as_bytes());
    } else {
        quoted(out, &row.device_no);
    }
    quoted(out, row.bank_serial.as_bytes());
    quoted(out, row.goods_detail.as_bytes());
    if let Some((id, time)) = &row.refund {
        out.extend_from_slice(format!(",`{id},`{}", time.beijing_text()).as_bytes());
    }
    if flow.day.is_some() {
        out.extend_from_slice(b",`,`,`,`");
    }
    out.extend_from_slice(b"\r\n");
}

pub(super) fn summary(records: u64) -> String {
    format!("总条数\r\n`{records}\r\n")
}

/// A comma and a value in quotes; quotes inside are doubled.
fn quoted(out: &mut Vec<u8>, value: &[u8]) {
    out.extend_from_slice(b",\"");
    for byte in value {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

fn yuan(fen: i64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}

#[cfg(test)]
mod tests;
