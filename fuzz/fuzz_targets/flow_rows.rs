//! The file behind a flow link. The first byte says in what portions it comes.

#![no_main]

use std::io::{BufRead, BufReader};

use favor_stock::{FlowReader, FlowRowError, FlowSummary, OwnedFlowRow};
use libfuzzer_sys::fuzz_target;

const GOOD: &str = include_str!("../seeds/flow_rows/use.csv");

#[derive(Debug, Default, PartialEq)]
struct Read {
    rows: Vec<OwnedFlowRow>,
    errors: Vec<String>,
    end: Option<Result<(u64, u64), String>>,
}

fuzz_target!(
    init: {
        let read = read(&GOOD.as_bytes()[1..]);
        assert_eq!((read.rows.len(), &read.end), (2, &Some(Ok((2, 0)))), "a good one is read: {read:?}");
    },
    |input: &[u8]| {
        let Some((portion, file)) = input.split_first() else { return };
        let whole = read(file);
        let pieces = read(BufReader::with_capacity(usize::from(*portion) + 1, file));
        assert_eq!(whole, pieces, "the portions count");

        let breaks = file.iter().filter(|byte| matches!(byte, b'\r' | b'\n')).count();
        assert!(whole.rows.len() + whole.errors.len() <= breaks + 2, "more rows than lines");
        if let Some(Ok((rows, bad))) = whole.end {
            assert_eq!(rows, u64::try_from(whole.rows.len()).expect("few"));
            assert_eq!(bad, u64::try_from(whole.errors.len()).expect("few"));
        }
    }
);

fn read(input: impl BufRead) -> Read {
    let mut read = Read::default();
    let mut reader = match FlowReader::new(input) {
        Ok(reader) => reader,
        Err(error) => {
            read.errors.push(words(&error));
            return read;
        }
    };
    let mut summary = FlowSummary::new();
    while let Some(row) = reader.next_row() {
        match row {
            Ok(row) => {
                let _ = (summary.add(&row), row.device().map(|device| device.decode_base64()));
                read.rows.push(row.to_owned());
            }
            Err(error) => read.errors.push(words(&error)),
        }
    }
    let _ = format!("{summary:?} {reader:?}");
    let end = reader.finish();
    read.end = Some(end.map(|count| (count.rows, count.bad_rows)).map_err(|error| words(&error)));
    read
}

fn words(error: &FlowRowError) -> String {
    format!("{error} {error:?}")
}
