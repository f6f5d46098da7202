//! Bytes that are no flow file, or a damaged one.

use favor_stock::{FlowReader, FlowSummary};
use proptest::prelude::*;

use crate::write::{any_row, any_style, file};

/// Reads to the end; neither panics nor reads more rows than there are lines.
fn read(bytes: &[u8]) -> Result<(), TestCaseError> {
    let Ok(mut reader) = FlowReader::new(bytes) else { return Ok(()) };
    let mut summary = FlowSummary::new();
    let mut steps = 0;
    while let Some(row) = reader.next_row() {
        steps += 1;
        match row {
            Ok(row) => {
                let _ =
                    (row.to_owned(), summary.add(&row), row.device().map(|device| device.decode_base64()));
            }
            Err(error) => prop_assert!(error.line() > 0 || !error.is_one_row()),
        }
    }
    let lines = bytes.iter().filter(|byte| matches!(byte, b'\r' | b'\n')).count() + 1;
    prop_assert!(steps <= lines + 1);
    let _ = reader.finish();
    Ok(())
}

proptest! {
    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read(&bytes)?;
        read(&["批次id,优惠金额(元),单品信息\n".as_bytes(), &bytes].concat())?;
    }

    #[test]
    fn a_damaged_file(
        rows in prop::collection::vec(any_row(), 0..5), style in any_style(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut file = file(&rows, style);
        for (place, byte) in damage {
            let place = place.index(file.len());
            file[place] = byte;
        }
        read(&file)?;
    }
}
