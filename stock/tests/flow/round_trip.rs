//! What is written is read back.

use std::io::BufReader;

use favor_core::Timestamp;
use favor_core::time::from_wire;
use favor_stock::{FlowReader, FlowText};
use proptest::prelude::*;

use crate::write::{OTHER, Row, any_row, any_style, file};

fn moment(text: &str) -> Option<Timestamp> {
    from_wire(&format!("{}+08:00", text.replace(' ', "T"))).ok()
}

fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        rows in prop::collection::vec(any_row(), 0..6), style in any_style(), chunk in 1_usize..64,
    ) {
        let file = file(&rows, style);
        let mut reader = FlowReader::new(BufReader::with_capacity(chunk, &file[..])).unwrap();
        for written in &rows {
            let read = reader.next_row().unwrap().unwrap();
            let Row { stock_id, coupon_id, kind, transaction_id, bank_serial, goods, other, .. } = written;
            prop_assert_eq!(read.stock_id(), Some(stock_id.as_str()));
            prop_assert_eq!(read.coupon_id(), Some(coupon_id.as_str()));
            prop_assert_eq!(read.kind(), Some(FlowText::from(kind.as_str())));
            prop_assert_eq!(read.discount().map(|fen| fen.get()), Some(written.discount));
            prop_assert_eq!(read.order_total().map(|fen| fen.get()), Some(written.order_total));
            prop_assert_eq!(read.trade_kind(), Some(FlowText::from(if style.refund { "退款" } else { "支付" })));
            prop_assert_eq!(read.transaction_id(), Some(transaction_id.as_str()));
            prop_assert_eq!(read.consume_time(), moment(&written.time));
            prop_assert_eq!(read.consume_mchid(), some(&written.mchid));
            prop_assert_eq!(read.device().map(FlowText::as_bytes), Some(&written.device[..]));
            prop_assert_eq!(read.bank_serial(), Some(FlowText::from(bank_serial.as_str())));
            prop_assert_eq!(read.goods(), Some(FlowText::from(goods.as_str())));
            prop_assert_eq!(read.other(OTHER), style.other.then(|| FlowText::from(other.as_str())));
            prop_assert_eq!(read.refund_id(), some(&written.refund_id).filter(|_| style.refund));
            prop_assert_eq!(read.refund_time(), moment(&written.refund_time).filter(|_| style.refund));
            let owned = read.to_owned();
            prop_assert_eq!(owned.stock_id.as_ref().map(|id| id.as_str()), read.stock_id());
            prop_assert_eq!(owned.consume_mchid.as_ref().map(|id| id.as_str()), read.consume_mchid());
            prop_assert_eq!(owned.device.as_ref().map(|text| text.as_text()), read.device());
            prop_assert_eq!(owned.consume_time, read.consume_time());
        }
        prop_assert!(reader.next_row().is_none());
        prop_assert_eq!(reader.finish().unwrap().rows, u64::try_from(rows.len()).unwrap());
    }
}
