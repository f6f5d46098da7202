//! Random histories, and what a reconciliation of them must come to, told from the histories themselves.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{DateTime, FixedOffset, TimeDelta};
use favor_core::Timestamp;
use proptest::prelude::*;
use serde_json::json;

use super::event::{Event, Send};
use super::judge::Sum;
use super::{FlowCover, ReconcileCode as Code, ReconcileOptions, ReconcileRow, Reconciled, Reconciliation};

const FACE: i64 = 500;
const HEADER: &str = "批次id,优惠id,优惠类型,优惠金额（元）,订单总金额（元）,交易类型,支付单号,消耗时间,消耗商户号,设备号,\
                      银行流水号,单品信息";

#[derive(Clone, Copy, Debug, PartialEq)]
enum Back {
    No,
    Whole,
    Part,
    /// In two parts that make the whole.
    InTwo,
    TooMuch,
}

#[derive(Clone, Debug)]
struct Paid {
    notified: bool,
    in_flow: bool,
    /// The line of the flow is there once more; with another amount if so.
    again: Option<bool>,
    /// What it took off.
    amount: i64,
    back: Back,
    /// The refund's line is there once more.
    back_again: bool,
}

#[derive(Clone, Debug)]
struct Coupon {
    sends: usize,
    paid: Vec<Paid>,
    /// The last payment is of today.
    lately: bool,
}

impl Paid {
    fn is_seen(&self) -> bool {
        self.notified || self.in_flow || self.back != Back::No
    }

    /// What was given back, a line each.
    fn backs(&self) -> Vec<i64> {
        match self.back {
            Back::No => vec![],
            Back::Whole => vec![self.amount],
            Back::Part => vec![200],
            Back::InTwo => vec![200, self.amount - 200],
            Back::TooMuch => vec![self.amount + 1],
        }
    }

    fn is_whole(&self) -> bool {
        match self.in_flow {
            true => !matches!(self.back, Back::No | Back::Part),
            false => self.back != Back::No,
        }
    }
}

fn paid() -> impl Strategy<Value = Paid> {
    let back = prop_oneof![
        3 => Just(Back::No),
        3 => Just(Back::Whole),
        1 => Just(Back::Part),
        1 => Just(Back::InTwo),
        1 => Just(Back::TooMuch),
    ];
    let often = prop::bool::weighted(0.8);
    let again = prop::option::weighted(0.2, any::<bool>());
    let amount = prop_oneof![5 => Just(FACE), 1 => Just(450_i64)];
    (often, prop::bool::weighted(0.8), again, amount, back, prop::bool::weighted(0.2)).prop_map(
        |(notified, in_flow, again, amount, back, back_again)| Paid {
            notified,
            in_flow,
            again,
            amount,
            back,
            back_again,
        },
    )
}

fn coupons() -> impl Strategy<Value = Vec<Coupon>> {
    let sends = prop_oneof![1 => Just(0_usize), 8 => Just(1_usize), 1 => Just(2_usize)];
    let coupon = (sends, prop::collection::vec(paid(), 0..5), prop::bool::weighted(0.2))
        .prop_map(|(sends, paid, lately)| Coupon { sends, paid, lately });
    prop::collection::vec(coupon, 0..25)
}

fn now() -> Timestamp {
    DateTime::parse_from_rfc3339("2026-11-21T18:00:00+08:00").unwrap()
}

impl Coupon {
    /// When its payments were made: days apart, and the last an hour ago if it was lately.
    fn at(&self, index: usize) -> Timestamp {
        if self.is_late(index) {
            return now() - TimeDelta::hours(1);
        }
        let days = i64::try_from(index).unwrap() * 2;
        now() - TimeDelta::days(40) + TimeDelta::days(days)
    }

    fn is_late(&self, index: usize) -> bool {
        self.lately && index + 1 == self.paid.len()
    }

    fn codes(&self) -> Vec<Code> {
        let mut codes = Vec::new();
        let seen: Vec<_> = self.paid.iter().enumerate().filter(|(_, paid)| paid.is_seen()).collect();
        for (index, paid) in &seen {
            let late = self.is_late(*index);
            codes.extend(match (paid.notified, paid.in_flow) {
                (true, false) if late => Some(Code::FlowPending),
                (true, false) => Some(Code::CallbackWithoutFlow),
                (false, true) if late => Some(Code::CallbackPending),
                (false, true) => Some(Code::FlowWithoutCallback),
                (false, false) if late => Some(Code::UsePending),
                (false, false) => Some(Code::RefundWithoutUse),
                (true, true) => None,
            });
            if paid.in_flow {
                let worth_known = paid.notified || self.sends > 0;
                codes.extend((paid.amount != FACE && worth_known).then_some(Code::AmountDiffers));
                codes.extend((paid.back == Back::TooMuch).then_some(Code::RefundExceedsUse));
                codes.extend((paid.again == Some(true)).then_some(Code::LinesDiffer));
            }
        }
        for pair in seen.windows(2) {
            codes.extend((!pair[0].1.is_whole()).then_some(Code::UsedTwice));
        }
        codes.extend((self.sends == 0 && !seen.is_empty()).then_some(Code::UsedWithoutSend));
        codes.extend((self.sends == 2).then_some(Code::SentTwice));
        codes.sort_unstable();
        codes
    }

    fn fate(&self, ended: bool) -> Option<&'static str> {
        let mut seen = self.paid.iter().filter(|paid| paid.is_seen()).peekable();
        let unseen = seen.peek().is_none();
        match (self.sends, unseen) {
            (0, true) => None,
            (_, true) => Some(if ended { "expired" } else { "unused" }),
            _ => Some(if seen.all(Paid::is_whole) { "refunded" } else { "used" }),
        }
    }
}

fn text(at: Timestamp) -> String {
    at.with_timezone(&FixedOffset::east_opt(8 * 3_600).unwrap()).format("%Y-%m-%d %H:%M:%S").to_string()
}

fn yuan(fen: i64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}

fn flow_line(stock: &str, coupon: &str, transaction: &str, fen: i64, at: Timestamp) -> String {
    let amount = yuan(fen);
    let at = text(at);
    format!(
        "`{stock},`{coupon},`全场代金券,`{amount},`30.00,`支付,`{transaction},`{at},`1900000109,\"\",\"\",\"\""
    )
}

fn file(header: &str, lines: &[String]) -> String {
    let mut text = format!("{header}\r\n");
    for line in lines {
        let _ = write!(text, "{line}\r\n");
    }
    let _ = write!(text, "总条数\r\n`{}\r\n", lines.len());
    text
}

/// The flow files of a history, and the sums of their amounts.
fn flows(coupons: &[Coupon]) -> ([String; 2], [i128; 2]) {
    let (mut uses, mut refunds, mut sums) = (Vec::new(), Vec::new(), [0_i128; 2]);
    for (number, coupon) in coupons.iter().enumerate() {
        for (index, paid) in coupon.paid.iter().enumerate() {
            let (id, transaction, at) =
                (format!("c{number}"), format!("t{number}-{index}"), coupon.at(index));
            let mut put = |lines: &mut Vec<String>, which: usize, fen: i64, tail: &str| {
                sums[which] += i128::from(fen);
                lines.push(flow_line("1530", &id, &transaction, fen, at) + tail);
            };
            if paid.in_flow {
                put(&mut uses, 0, paid.amount, "");
                if let Some(otherwise) = paid.again {
                    put(&mut uses, 0, paid.amount + i64::from(otherwise), "");
                }
            }
            for (part, fen) in paid.backs().into_iter().enumerate() {
                let tail = format!(",`r{number}-{index}-{part},`{}", text(at + TimeDelta::minutes(10)));
                put(&mut refunds, 1, fen, &tail);
                if paid.back_again {
                    put(&mut refunds, 1, fen, &tail);
                }
            }
        }
    }
    ([file(HEADER, &uses), file(&format!("{HEADER},退款单号,退款时间"), &refunds)], sums)
}

fn callback(coupon: &str, transaction: &str, at: Timestamp) -> favor_callback::CouponEvent {
    let event = json!({
        "stock_creator_mchid": "1900000109", "stock_id": "1530", "coupon_id": coupon, "coupon_name": "Tea",
        "status": "USED", "description": "", "create_time": "2026-10-01T00:00:00+08:00", "coupon_type": "NORMAL",
        "no_cash": false, "available_begin_time": "2026-10-01T00:00:00+08:00",
        "available_end_time": "2026-12-01T00:00:00+08:00", "singleitem": false,
        "normal_coupon_information": {"coupon_amount": FACE, "transaction_minimum": 3000},
        "consume_information": {"consume_time": at.to_rfc3339(), "consume_mchid": "1900000109",
            "transaction_id": transaction},
    });
    serde_json::from_value(event).unwrap()
}

fn reconciliation(memory: usize) -> Reconciliation {
    Reconciliation::new("1530".parse().unwrap(), &ReconcileOptions::default().memory(memory).keep(usize::MAX))
}

fn reconciled(coupons: &[Coupon], ended: bool) -> Reconciled {
    let mut reconciliation = reconciliation(0);
    reconciliation.ends(if ended { now() - TimeDelta::seconds(1) } else { now() + TimeDelta::days(1) });
    reconciliation.frame.faces.push(Some(FACE));
    let manifest_numbers = favor_coupon::DerivedNumbers::new(
        "1900000109".parse().unwrap(),
        "spring",
        "1530".parse().unwrap(),
        "wx0a".parse().unwrap(),
    );
    reconciliation.campaigns.push(("spring".parse().unwrap(), manifest_numbers));
    reconciliation.frame.callbacks_since = Some(i64::MIN);
    for (number, coupon) in coupons.iter().enumerate() {
        for copy in 0..coupon.sends {
            let line = u64::try_from(number * 2 + copy).unwrap();
            let send = Send { campaign: 0, line, slot: 0, openid: Some(format!("oTea{number}")) };
            reconciliation.incoming.sent.add_sum(Sum { lines: 1, fen: FACE.into() });
            reconciliation.push(&format!("c{number}"), &Event::Send(send)).unwrap();
        }
        for (index, paid) in coupon.paid.iter().enumerate().filter(|(_, paid)| paid.notified) {
            let _ = paid;
            let event = callback(&format!("c{number}"), &format!("t{number}-{index}"), coupon.at(index));
            reconciliation.callback(favor_callback::InboxId(1), &event).unwrap();
        }
    }
    let ([uses, refunds], _) = flows(coupons);
    reconciliation.add_use_flow("uses", uses.as_bytes(), FlowCover::Whole).unwrap();
    reconciliation.add_refund_flow("refunds", refunds.as_bytes()).unwrap();
    reconciliation.finish(now()).unwrap()
}

fn rows(reconciled: &Reconciled) -> BTreeMap<String, ReconcileRow> {
    let mut rows = BTreeMap::new();
    reconciled
        .for_each_row(|row| {
            let before = rows.insert(row.coupon_id.clone().unwrap(), row);
            assert!(before.is_none(), "each coupon once");
            Ok(())
        })
        .unwrap();
    rows
}

proptest! {
    #[test]
    fn it_comes_to_what_the_history_says(coupons in coupons(), ended in any::<bool>()) {
        let reconciled = reconciled(&coupons, ended);
        let rows = rows(&reconciled);
        let (mut fates, mut counts) = (BTreeMap::new(), BTreeMap::new());
        let (mut used, mut given_back, mut of_others) = (0_i128, 0_i128, 0_i128);
        for (number, coupon) in coupons.iter().enumerate() {
            let row = rows.get(&format!("c{number}"));
            let fate = coupon.fate(ended);
            prop_assert_eq!(row.and_then(|row| row.fate), fate, "coupon {}", number);
            let mut codes: Vec<_> =
                row.iter().flat_map(|row| &row.differences).map(|difference| difference.code).collect();
            codes.sort_unstable();
            prop_assert_eq!(&codes, &coupon.codes(), "coupon {}: {:?}", number, coupon);
            for code in codes {
                *counts.entry(code).or_insert(0_u64) += 1;
            }
            let Some(row) = row else { continue };
            let uses: i64 = coupon.paid.iter().filter(|paid| paid.in_flow).map(|paid| paid.amount).sum();
            let backs: i64 = coupon.paid.iter().flat_map(Paid::backs).sum();
            prop_assert_eq!((row.used_fen, row.refunded_fen), (uses.into(), backs.into()));
            if coupon.sends > 0 {
                *fates.entry(fate.unwrap()).or_insert(0) += 1;
                used += i128::from(uses);
                given_back += i128::from(backs);
            } else {
                of_others += i128::from(uses);
            }
        }
        let totals = reconciled.totals();
        let (_, sums) = flows(&coupons);
        prop_assert!(totals.balance(), "{totals:?}");
        prop_assert_eq!([totals.use_lines.fen, totals.refund_lines.fen], sums);
        prop_assert_eq!(totals.net.fen, used - given_back);
        prop_assert_eq!(totals.use_of_others.fen, of_others);
        let told = |money: super::Money, fate: &str| (money.count, *fates.get(fate).unwrap_or(&0));
        for (money, fate) in [
            (totals.unused, "unused"),
            (totals.used, "used"),
            (totals.refunded, "refunded"),
            (totals.expired, "expired"),
        ] {
            let (found, expected) = told(money, fate);
            prop_assert_eq!(found, expected, "{}", fate);
            prop_assert_eq!(money.fen, i128::from(expected) * i128::from(FACE));
        }
        let mut all = totals.differences.clone();
        all.extend(totals.pending.clone());
        prop_assert_eq!(all, counts);
        prop_assert_eq!(reconciled.is_clean(), totals.difference_count() == 0);
    }

    #[test]
    fn any_bytes_are_reported_and_never_fatal(bytes in prop::collection::vec(any::<u8>(), 0..300), header in any::<bool>()) {
        let head = if header { format!("{HEADER}\r\n") } else { String::new() };
        let bytes = [head.as_bytes(), &bytes].concat();
        let mut reconciliation = reconciliation(0);
        reconciliation.add_use_flow("uses", &bytes[..], FlowCover::Whole).unwrap();
        reconciliation.add_refund_flow("refunds", &bytes[..]).unwrap();
        let reconciled = reconciliation.finish(now()).unwrap();
        prop_assert!(reconciled.totals().balance());
        prop_assert!(!reconciled.is_clean(), "no random bytes are a whole flow file");
    }
}

#[test]
fn five_rounds_of_use_and_refund_are_five_payments_of_one_coupon() {
    let round = Paid {
        notified: true,
        in_flow: true,
        again: None,
        amount: FACE,
        back: Back::Whole,
        back_again: false,
    };
    let mut paid = vec![round.clone(); 5];
    let coupon = |paid: &[Paid]| vec![Coupon { sends: 1, paid: paid.to_vec(), lately: false }];
    let refunded = reconciled(&coupon(&paid), false);
    assert!(refunded.is_clean(), "{:?}", refunded.differences());
    let row = &rows(&refunded)["c0"];
    assert_eq!((row.fate, row.payments, row.used_fen, row.refunded_fen), (Some("refunded"), 5, 2_500, 2_500));
    assert_eq!(refunded.totals().net.fen, 0);

    paid[4].back = Back::No;
    let used = reconciled(&coupon(&paid), false);
    assert!(used.is_clean());
    let row = &rows(&used)["c0"];
    assert_eq!((row.fate, row.used_fen - row.refunded_fen), (Some("used"), 500));
    assert_eq!(row.transaction_id.as_deref(), Some("t0-4"));
}

#[test]
fn flows_of_days_cover_their_days_alone() {
    let ten = |hour| DateTime::parse_from_rfc3339(&format!("2026-11-20T{hour}:00+08:00")).unwrap();
    let codes = |now: Timestamp, day: Option<&str>| {
        let mut reconciliation = reconciliation(0);
        let paid_at = DateTime::parse_from_rfc3339("2026-11-19T23:59:59+08:00").unwrap();
        let event = callback("c1", "t1", paid_at);
        reconciliation.callback(favor_callback::InboxId(1), &event).unwrap();
        if let Some(day) = day {
            let cover = FlowCover::Day(day.parse().unwrap());
            reconciliation.add_use_flow("day", file(HEADER, &[]).as_bytes(), cover).unwrap();
        }
        let reconciled = reconciliation.finish(now).unwrap();
        let mut codes: Vec<_> = reconciled.differences().iter().map(|difference| difference.code).collect();
        codes.retain(|code| *code != Code::UsedWithoutSend);
        codes
    };
    assert_eq!(codes(ten("10:00"), Some("2026-11-19")), [Code::CallbackWithoutFlow]);
    assert_eq!(codes(ten("09:59"), Some("2026-11-19")), [Code::FlowPending]);
    assert_eq!(codes(ten("10:00"), Some("2026-11-20")), [Code::FlowPending]);
    assert_eq!(codes(ten("10:00"), None), [Code::FlowPending]);
}

#[test]
fn bad_rows_foreign_stocks_and_cut_files_are_told_and_the_rest_counts() {
    let at = now() - TimeDelta::days(3);
    let good = flow_line("1530", "c1", "t1", FACE, at);
    let foreign = flow_line("9999", "c1", "t2", FACE, at);
    let bad = good.replace("5.00", "five").replace("t1", "t3");
    let whole = file(HEADER, &[good.clone(), foreign, bad]);
    let cut = &whole[..whole.find("总条数").unwrap()];
    let mut reconciliation = reconciliation(0);
    reconciliation.add_use_flow("whole.csv", whole.as_bytes(), FlowCover::Whole).unwrap();
    reconciliation.add_use_flow("cut.csv", cut.as_bytes(), FlowCover::Whole).unwrap();
    reconciliation.add_refund_flow("none.csv", &b"not a flow"[..]).unwrap();
    let reconciled = reconciliation.finish(now()).unwrap();
    let totals = reconciled.totals();
    let count = |code: Code| totals.differences.get(&code).copied().unwrap_or_default();
    assert_eq!((count(Code::MalformedRow), totals.malformed_rows), (2, 2));
    assert_eq!((count(Code::ForeignStock), totals.foreign_rows), (2, 2));
    assert_eq!(count(Code::IncompleteFile), 2);
    assert_eq!((totals.use_of_others.fen, totals.use_repeated.fen), (500, 500));
    assert!(totals.balance());
    let texts: Vec<_> = reconciled.differences().iter().map(|difference| difference.text.as_str()).collect();
    assert!(texts.iter().any(|text| text.starts_with("cut.csv: line")), "{texts:?}");
    assert!(texts.contains(&"whole.csv: line 3 is about stock 9999"), "{texts:?}");
}

#[test]
fn a_coupon_with_endless_lines_does_not_take_endless_memory() {
    let at = now() - TimeDelta::days(3);
    let lines: Vec<_> =
        (0..10_500).map(|number| flow_line("1530", "c1", &format!("t{number}"), 1, at)).collect();
    let mut reconciliation = reconciliation(0);
    reconciliation.add_use_flow("uses", file(HEADER, &lines).as_bytes(), FlowCover::Whole).unwrap();
    let reconciled = reconciliation.finish(now()).unwrap();
    let totals = reconciled.totals();
    assert_eq!(totals.differences[&Code::TooManyLines], 1);
    assert_eq!((totals.use_lines.fen, totals.use_repeated.fen), (10_500, 500));
    assert!(totals.balance());
}

#[test]
fn what_the_stock_gave_out_is_compared() {
    for (given, expected) in [(0, Some(Code::SentWithoutTrace)), (1, None), (2, Some(Code::GivenWithoutSend))]
    {
        let mut reconciliation = reconciliation(0);
        let send = Send { campaign: 0, line: 1, slot: 0, openid: None };
        reconciliation.frame.faces.push(None);
        reconciliation.incoming.sent.add_sum(Sum { lines: 1, fen: 0 });
        reconciliation.push("c1", &Event::Send(send)).unwrap();
        reconciliation.distributed = Some(given);
        let reconciled = reconciliation.finish(now()).unwrap();
        let found = reconciled.differences().first().map(|difference| difference.code);
        assert_eq!(found, expected);
        assert!(reconciled.totals().balance());
    }
}
