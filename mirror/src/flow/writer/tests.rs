//! The samples of section 7, and whatever a text may hold.

use proptest::prelude::*;

use super::*;
use crate::flow::row::Place;
use crate::stock::state::tests::at;

const USES: Flow = Flow { kind: Kind::Use, stock_id: 15_300_001, single_item: false, day: None };

fn row() -> FlowRow {
    FlowRow {
        place: Place::START,
        coupon_id: 18_180_000_000_001,
        discount: 100,
        total_amount: 200,
        transaction_id: "4200000000202611270000000001".into(),
        redeemed: at("2026-11-27T16:23:05+08:00"),
        mchid: "1900000109".into(),
        device_no: b"POS-7".to_vec(),
        bank_serial: String::new(),
        goods_detail: String::new(),
        refund: None,
    }
}

fn file(flow: Flow, rows: &[FlowRow]) -> Vec<u8> {
    let mut out = header(flow).into_bytes();
    for row in rows {
        record(&mut out, flow, row);
    }
    out.extend_from_slice(summary(rows.len().try_into().unwrap()).as_bytes());
    out
}

#[test]
fn the_use_flow_of_the_reference() {
    let second = FlowRow {
        coupon_id: 18_180_000_000_002,
        discount: 500,
        total_amount: 3_850,
        transaction_id: "4200000000202611270000000002".into(),
        redeemed: at("2026-11-27T18:00:41+08:00"),
        mchid: String::new(),
        device_no: Vec::new(),
        ..row()
    };
    let expected = "\
批次id,优惠id,优惠类型,优惠金额（元）,订单总金额（元）,交易类型,支付单号,消耗时间,消耗商户号,设备号,银行流水号,单品信息
`15300001,`18180000000001,`全场代金券,`1.00,`2.00,`支付,`4200000000202611270000000001,`2026-11-27 16:23:05,`1900000109,\"POS-7\",\"\",\"\"
`15300001,`18180000000002,`全场代金券,`5.00,`38.50,`支付,`4200000000202611270000000002,`2026-11-27 18:00:41,`,\"\",\"\",\"\"
总条数
`2
";
    assert_eq!(String::from_utf8(file(USES, &[row(), second])).unwrap(), expected.replace('\n', "\r\n"));
}

#[test]
fn the_refund_flow_of_the_reference() {
    let refund = Some(("50300000000000000000000000001".to_owned(), at("2026-11-28T09:00:00+08:00")));
    let flow = Flow { kind: Kind::Refund, ..USES };
    let expected = "\
批次id,优惠id,优惠类型,优惠金额（元）,订单总金额（元）,交易类型,支付单号,消耗时间,消耗商户号,设备号,银行流水号,单品信息,退款单号,退款时间
`15300001,`18180000000001,`全场代金券,`1.00,`2.00,`退款,`4200000000202611270000000001,`2026-11-27 16:23:05,`1900000109,\"POS-7\",\"\",\"\",`50300000000000000000000000001,`2026-11-28 09:00:00
总条数
`1
";
    let written = file(flow, &[FlowRow { refund, ..row() }]);
    assert_eq!(String::from_utf8(written).unwrap(), expected.replace('\n', "\r\n"));
}

#[test]
fn the_files_of_a_day_hide_the_device_and_have_more_columns() {
    let flow = Flow { day: Some(1), single_item: true, ..USES };
    let row = FlowRow { goods_detail: r#"[{"goods_id":"a"}]"#.into(), bank_serial: "1,2".into(), ..row() };
    let written = String::from_utf8(file(flow, &[row])).unwrap();
    assert!(written.contains("单品信息,是否合单订单,微信支付合单单号,合单优惠总金额,合单订单总金额\r\n"));
    assert!(written.contains("`单品代金券,"));
    assert!(
        written.contains(",\"UE9TLTc=\",\"1,2\",\"[{\"\"goods_id\"\":\"\"a\"\"}]\",`,`,`,`\r\n"),
        "{written}"
    );
}

#[test]
fn amounts_have_two_decimals() {
    assert_eq!([yuan(1), yuan(10), yuan(100), yuan(12_345)], ["0.01", "0.10", "1.00", "123.45"]);
}

proptest! {
    /// Read back by a parser that is not ours.
    #[test]
    fn any_content_comes_back(
        device_no in prop::collection::vec(any::<u8>(), 0..40),
        bank_serial in "[\\PC\"',\r\n`]{0,20}",
        goods_detail in "[\\PC\"',\r\n`]{0,20}",
        next in "[\"',\r\na]{0,8}",
    ) {
        let rows = [
            FlowRow { device_no: device_no.clone(), bank_serial: bank_serial.clone(), goods_detail: goods_detail.clone(), ..row() },
            FlowRow { bank_serial: next.clone(), ..row() },
        ];
        let written = file(USES, &rows);
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(&written[..]);
        let records: Vec<csv::ByteRecord> = reader.byte_records().collect::<Result<_, _>>().unwrap();
        prop_assert_eq!(records.len(), 4);
        prop_assert_eq!(&records[0][9], &device_no[..]);
        prop_assert_eq!(&records[0][10], bank_serial.as_bytes());
        prop_assert_eq!(&records[0][11], goods_detail.as_bytes());
        prop_assert_eq!(&records[1][10], next.as_bytes());
        prop_assert_eq!((&records[0][8], &records[3][0]), (&b"`1900000109"[..], &b"`2"[..]));
    }
}
