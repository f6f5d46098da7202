//! The sums.

use favor_core::time::to_wire;
use favor_stock::{FlowGroups, FlowReader, FlowSummary};
use proptest::prelude::*;

use crate::write::{PLAIN, Row, Style, any_row, any_style, file, row};

fn summary(file: &[u8]) -> FlowSummary {
    let mut reader = FlowReader::new(file).expect("a flow file");
    let mut summary = FlowSummary::new();
    while let Some(row) = reader.next_row() {
        summary.add(&row.expect("a good row")).expect("the sums fit");
    }
    assert_eq!(reader.finish().expect("a whole file").rows, summary.rows());
    summary
}

#[test]
fn sums_by_kind_and_merchant() {
    let rows = [
        Row { discount: 1, mchid: String::new(), ..row(1) },
        Row {
            discount: 20, kind: "单品代金券".to_owned(), time: "2026-11-27 00:00:00".to_owned(), ..row(2)
        },
        Row { discount: 300, time: "2026-11-28 23:59:59".to_owned(), ..row(3) },
    ];
    let summary = summary(&file(&rows, PLAIN));
    assert_eq!((summary.rows(), summary.discount().get(), summary.order_total().get()), (3, 321, 3 * 3850));
    assert_eq!(summary.consumed().first.map(|time| to_wire(&time)).unwrap(), "2026-11-27T00:00:00+08:00");
    assert_eq!(summary.consumed().last.map(|time| to_wire(&time)).unwrap(), "2026-11-28T23:59:59+08:00");
    assert!(summary.refunded().is_empty());
    let groups = |groups: &FlowGroups| -> Vec<_> {
        groups.iter().map(|(text, tally)| (text.to_owned(), tally.rows, tally.discount.get())).collect()
    };
    assert_eq!(
        groups(summary.by_kind()),
        [("全场代金券".to_owned(), 2, 301), ("单品代金券".to_owned(), 1, 20)]
    );
    assert_eq!(groups(summary.by_merchant()), [(String::new(), 1, 1), ("1900000109".to_owned(), 2, 320)]);
    assert_eq!(summary.by_merchant().get("1900000109").map(|tally| tally.rows), Some(2));
    let json = serde_json::to_value(&summary).unwrap();
    assert_eq!(json["all"]["discount"], 321);
    assert_eq!(json["by_kind"]["groups"]["单品代金券"]["rows"], 1);
    assert_eq!(json["consumed"]["first"], "2026-11-27T00:00:00+08:00");
}

#[test]
fn refund_files_have_times_of_refunds() {
    let summary = summary(&file(&[row(1)], Style { refund: true, ..PLAIN }));
    assert_eq!(summary.refunded().first.map(|time| to_wire(&time)).unwrap(), "2026-11-28T09:00:00+08:00");
}

#[test]
fn a_sum_that_is_too_large_changes_nothing() {
    let rows = vec![Row { discount: 900_000_000_000_000_000, ..row(1) }; 11];
    let file = file(&rows, PLAIN);
    let mut reader = FlowReader::new(&file[..]).unwrap();
    let mut summary = FlowSummary::new();
    for _ in 0..10 {
        summary.add(&reader.next_row().unwrap().unwrap()).unwrap();
    }
    let before = summary.clone();
    assert!(summary.add(&reader.next_row().unwrap().unwrap()).is_err());
    assert_eq!(summary, before);
}

#[test]
fn the_groups_are_bounded() {
    let numbers = 0..u32::try_from(FlowGroups::MAX).unwrap() + 7;
    let rows: Vec<_> =
        numbers.map(|number| Row { mchid: (1_000_000 + number).to_string(), ..row(1) }).collect();
    let summary = summary(&file(&rows, PLAIN));
    assert_eq!(summary.by_merchant().iter().count(), FlowGroups::MAX);
    assert_eq!(summary.by_merchant().rest().map(|tally| (tally.rows, tally.discount.get())), Some((7, 700)));
    assert!(summary.by_kind().rest().is_none());
}

proptest! {
    #[test]
    fn the_parts_make_the_whole(rows in prop::collection::vec(any_row(), 0..20), style in any_style()) {
        let summary = summary(&file(&rows, style));
        prop_assert_eq!(summary.discount().get(), rows.iter().map(|row| row.discount).sum::<i64>());
        prop_assert_eq!(summary.order_total().get(), rows.iter().map(|row| row.order_total).sum::<i64>());
        for groups in [summary.by_kind(), summary.by_merchant()] {
            prop_assert_eq!(groups.iter().map(|(_, tally)| tally.rows).sum::<u64>(), summary.rows());
            prop_assert_eq!(groups.iter().map(|(_, tally)| tally.discount.get()).sum::<i64>(), summary.discount().get());
        }
    }
}
