//! The forms of the specification, and rows that are bad.

use favor_stock::{FlowReader, FlowRowError, FlowRowProblem};

/// The example of the specification's §7.4.
const USE: &str = "\
批次id,优惠id,优惠类型,优惠金额（元）,订单总金额（元）,交易类型,支付单号,消耗时间,消耗商户号,设备号,银行流水号,单品信息\r
`15300001,`18180000000001,`全场代金券,`1.00,`2.00,`支付,`4200000000202611270000000001,`2026-11-27 16:23:05,`1900000109,\"POS-7\",\"\",\"\"\r
`15300001,`18180000000002,`全场代金券,`5.00,`38.50,`支付,`4200000000202611270000000002,`2026-11-27 18:00:41,`,\"\",\"\",\"\"\r
总条数\r
`2\r
";

/// The example of the specification's §7.5.
const REFUND: &str = "\
批次id,优惠id,优惠类型,优惠金额（元）,订单总金额（元）,交易类型,支付单号,消耗时间,消耗商户号,设备号,银行流水号,单品信息,退款单号,退款时间
`15300001,`18180000000001,`全场代金券,`1.00,`2.00,`退款,`4200000000202611270000000001,`2026-11-27 16:23:05,`1900000109,\"POS-7\",\"\",\"\",`50300000000000000000000000001,`2026-11-28 09:00:00
总条数
`1
";

fn read(text: &str) -> Result<Vec<String>, FlowRowError> {
    let mut reader = FlowReader::new(text.as_bytes())?;
    let rows: Vec<_> = reader.rows().collect::<Result<_, _>>()?;
    reader.finish()?;
    Ok(rows.iter().map(|row| serde_json::to_string(row).expect("a row is JSON")).collect())
}

#[test]
fn the_use_flow_of_the_specification() {
    assert_eq!(
        read(USE).unwrap(),
        [
            r#"{"line":2,"stock_id":"15300001","coupon_id":"18180000000001","kind":"全场代金券","discount":100,"order_total":200,"trade_kind":"支付","transaction_id":"4200000000202611270000000001","consume_time":"2026-11-27T16:23:05+08:00","consume_mchid":"1900000109","device":"POS-7","bank_serial":"","goods":""}"#,
            r#"{"line":3,"stock_id":"15300001","coupon_id":"18180000000002","kind":"全场代金券","discount":500,"order_total":3850,"trade_kind":"支付","transaction_id":"4200000000202611270000000002","consume_time":"2026-11-27T18:00:41+08:00","consume_mchid":null,"device":"","bank_serial":"","goods":""}"#,
        ]
    );
}

#[test]
fn the_refund_flow_of_the_specification() {
    let rows = read(REFUND).unwrap();
    assert!(rows[0].ends_with(
        r#""refund_id":"50300000000000000000000000001","refund_time":"2026-11-28T09:00:00+08:00"}"#
    ));
    assert!(rows[0].contains(r#""trade_kind":"退款""#));
}

#[test]
fn the_columns_of_by_day_files() {
    let text = "\
优惠id,设备号,是否合单订单,微信支付合单单号,合单优惠总金额,合单订单总金额,渠道
`1,\"UE9TLTc=\",`是,`4200,`3.00,`30.00,`小程序
`2,\"\",`,`,`,`,`
总条数
`2
";
    let mut reader = FlowReader::new(text.as_bytes()).unwrap();
    assert_eq!(reader.columns().others().collect::<Vec<_>>(), ["渠道"]);
    let row = reader.next_row().unwrap().unwrap();
    assert_eq!(row.device().unwrap().decode_base64().unwrap(), b"POS-7");
    assert_eq!(row.combined_order().unwrap(), "是");
    assert_eq!(row.combined_transaction_id(), Some("4200"));
    assert_eq!(row.combined_discount().unwrap().get(), 300);
    assert_eq!(row.combined_order_total().unwrap().get(), 3000);
    assert_eq!(row.other("渠道").unwrap(), "小程序");
    assert_eq!(row.others().map(|(name, _)| name).collect::<Vec<_>>(), ["渠道"]);
    assert_eq!((row.stock_id(), row.discount(), row.consume_time()), (None, None, None));
    let json = serde_json::to_value(row.to_owned()).unwrap();
    assert_eq!(json["others"]["渠道"], "小程序");
    let row = reader.next_row().unwrap().unwrap();
    assert_eq!((row.combined_transaction_id(), row.combined_discount()), (None, None));
    assert_eq!(reader.finish().unwrap().rows, 2);
}

#[test]
fn goods_that_are_not_quoted() {
    let goods = r#"[{"goods_id":"a","quantity":1},{"goods_id":"b","quantity":2}]"#;
    let text = USE.replace("\"POS-7\",\"\",\"\"", &format!("\"POS-7\",\"\",{goods}"));
    let mut reader = FlowReader::new(text.as_bytes()).unwrap();
    assert_eq!(reader.next_row().unwrap().unwrap().goods().unwrap(), goods);
    assert_eq!(reader.finish().unwrap().rows, 2);
}

#[test]
fn files_without_rows() {
    let header = USE.split_inclusive('\n').next().unwrap();
    assert_eq!(read(&format!("{header}总条数\r\n`0\r\n")).unwrap(), [""; 0]);
    assert_eq!(read(header).unwrap_err().problem(), &FlowRowProblem::Cut);
    for none in ["", "\r\n\r\n", "\u{feff}", "总条数\r\n`0\r\n", "{\"code\":\"NO_AUTH\"}"] {
        assert_eq!(read(none).unwrap_err().problem(), &FlowRowProblem::NoHeader, "{none:?}");
    }
}

#[test]
fn a_bad_row_is_named_and_reading_goes_on() {
    use FlowRowProblem as P;
    let amount = "优惠金额(元)";
    for (good, bad, problem, column) in [
        ("`1.00", "`1.0", P::NoAmount, Some(amount)),
        ("`1.00", "`-1.00", P::NoAmount, Some(amount)),
        ("`1.00", "``1.00", P::NoAmount, Some(amount)),
        ("`1.00", "\"`1.00\"", P::NoAmount, Some(amount)),
        ("`1.00", "`", P::Empty, Some(amount)),
        ("`2.00", "`2", P::NoAmount, Some("订单总金额(元)")),
        ("16:23:05", "25:23:05", P::NoTime, Some("消耗时间")),
        ("`18180000000001,", "`,", P::Empty, Some("优惠id")),
        ("`支付,`4200000000202611270000000001", "`支付", P::FieldCount { expected: 12, found: 11 }, None),
        ("\"POS-7\"", "\"POS-7", P::UnclosedQuote, None),
    ] {
        let text = USE.replacen(good, bad, 1);
        let mut reader = FlowReader::new(text.as_bytes()).unwrap();
        let error = reader.next_row().unwrap().unwrap_err();
        assert_eq!((error.line(), error.column(), error.problem()), (2, column, &problem), "{bad}");
        assert!(error.is_one_row());
        assert_eq!(reader.next_row().unwrap().unwrap().coupon_id(), Some("18180000000002"));
        assert!(reader.next_row().is_none());
        assert_eq!(reader.records(), 2);
        let count = reader.finish().unwrap();
        assert_eq!((count.rows, count.bad_rows), (1, 1));
    }
    let error = read(&USE.replacen("`1.00", "`1.0", 1)).unwrap_err();
    assert_eq!(error.to_string(), "line 2, column 优惠金额(元): not an amount in yuan with two decimals");
}

#[test]
fn what_is_not_utf_8_is_kept_where_it_is_text() {
    let (before, after) = USE.split_once("POS-7").unwrap();
    let garbled = [before.as_bytes(), b"\xCA\xD5\xFF", after.as_bytes()].concat();
    let mut reader = FlowReader::new(&garbled[..]).unwrap();
    let row = reader.next_row().unwrap().unwrap();
    assert_eq!(row.device().unwrap().as_bytes(), b"\xCA\xD5\xFF");
    assert_eq!(row.kind().unwrap().as_str(), Some("全场代金券"));
    assert_eq!(reader.finish().unwrap().bad_rows, 0);

    let (before, after) = USE.split_once("18180000000001").unwrap();
    let garbled = [before.as_bytes(), b"1818\xFF", after.as_bytes()].concat();
    let mut reader = FlowReader::new(&garbled[..]).unwrap();
    let error = reader.next_row().unwrap().unwrap_err();
    assert_eq!((error.problem(), error.column()), (&FlowRowProblem::NotText, Some("优惠id")));
}

#[test]
fn errors_show_no_content() {
    let text = USE.replacen("`1.00", "`13800138000", 1);
    let error = FlowReader::new(text.as_bytes()).unwrap().next_row().unwrap().unwrap_err();
    assert!(!format!("{error} {error:?}").contains("13800138000"));
}
