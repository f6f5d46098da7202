//! What is compared.

use std::error::Error;
use std::fs::File;
use std::hint::black_box;
use std::io::BufReader;

use csv::{ByteRecord, ReaderBuilder};
use favor_stock::{FlowReader, FlowSummary};

use crate::file::FlowFile;

const BUFFER: usize = 1 << 16;

/// Ours: every field of every row, identifiers as text and free text as it stands there, and the sums.
pub(crate) fn sum(file: &FlowFile) -> Result<(), Box<dyn Error>> {
    let mut reader = FlowReader::new(BufReader::with_capacity(BUFFER, File::open(&file.path)?))?;
    let mut summary = FlowSummary::new();
    while let Some(row) = reader.next_row() {
        let row = row?;
        summary.add(&row)?;
        black_box((row.stock_id(), row.coupon_id(), row.transaction_id()));
        black_box((row.trade_kind(), row.device(), row.bank_serial(), row.goods()));
    }
    let count = reader.finish()?;
    let rows = u64::from(file.rows);
    if count.rows != rows || summary.rows() != rows || summary.discount().get() != file.discount {
        return Err("what was read is not what was written".into());
    }
    Ok(())
}

/// The `csv` crate: splits records into fields, as bytes.
pub(crate) fn split(file: &FlowFile) -> Result<(), Box<dyn Error>> {
    let mut reader = ReaderBuilder::new().flexible(true).buffer_capacity(BUFFER).from_path(&file.path)?;
    let mut record = ByteRecord::new();
    let mut rows = 0_u64;
    while reader.read_byte_record(&mut record)? {
        rows += 1;
        black_box(&record);
    }
    // It knows nothing of the two lines at the end.
    if rows != u64::from(file.rows) + 2 {
        return Err("the csv crate read another number of records".into());
    }
    Ok(())
}
