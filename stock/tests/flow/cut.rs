//! Files that are not whole.

use favor_stock::{FlowReader, FlowRowError, FlowRowProblem};

use crate::write::{PLAIN, Row, Style, file, row};

/// Reads all, and says how many rows were good and how the file ended.
fn read(file: &[u8]) -> Result<u64, FlowRowError> {
    let mut reader = FlowReader::new(file)?;
    let (mut last, mut good) = (None, 0);
    while let Some(row) = reader.next_row() {
        assert!(last.is_none(), "nothing follows the end");
        match row {
            Ok(_) => good += 1,
            Err(error) if error.is_one_row() => {}
            Err(error) => last = Some(error),
        }
    }
    let end = reader.finish();
    assert_eq!(last.map(|error| error.to_string()), end.as_ref().err().map(ToString::to_string));
    end.map(|count| {
        assert_eq!(count.rows, good);
        count.rows
    })
}

fn rows() -> Vec<Row> {
    let mut rows: Vec<_> = (0..12).map(row).collect();
    rows[3].goods = "[{\"goods_id\":\"a\",\r\n\"quantity\":1}]".to_owned();
    rows[5].device = b"\xFF\"\n".to_vec();
    rows
}

#[test]
fn no_part_of_a_file_passes_for_the_whole() {
    for style in [PLAIN, Style { refund: true, bom: true, end: "\n", ..PLAIN }, Style { end: "\r", ..PLAIN }]
    {
        for rows in [rows(), rows().split_off(11), Vec::new()] {
            let whole = file(&rows, style);
            let text = whole.strip_suffix(style.end.as_bytes()).unwrap();
            for length in 0..text.len() {
                let end = read(&text[..length]);
                assert!(end.is_err(), "{length} of {} bytes: {end:?}", whole.len());
            }
            for length in text.len()..=whole.len() {
                assert_eq!(read(&whole[..length]).unwrap(), u64::try_from(rows.len()).unwrap());
            }
        }
    }
}

#[test]
fn a_cut_is_called_a_cut() {
    let whole = file(&[row(0), row(1)], PLAIN);
    let text = String::from_utf8(whole).unwrap();
    let header = text.find('\n').unwrap() + 1;
    let total = text.find("总条数").unwrap();
    for length in [header, total, total + "总条数\r\n".len()] {
        assert_eq!(read(&text.as_bytes()[..length]).unwrap_err().problem(), &FlowRowProblem::Cut);
    }
    let error = read(&text.as_bytes()[..total]).unwrap_err();
    assert_eq!(error.line(), 4);
    assert_eq!(error.to_string(), "line 4: the file ends before its number of records: it was cut");
}

#[test]
fn a_missing_row_is_noticed() {
    let whole = file(&rows(), PLAIN);
    let mut lines: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
    lines.remove(2);
    let error = read(&lines.concat()).unwrap_err();
    assert_eq!(error.problem(), &FlowRowProblem::Total { stated: 12, found: 11 });
    assert!(!error.is_one_row());
}

#[test]
fn the_count_of_the_link_is_checked() {
    let file = file(&[row(0), row(1)], PLAIN);
    let reader = || FlowReader::new(&file[..]).unwrap();
    assert_eq!(reader().expect_count(2).finish().unwrap().rows, 2);
    let error = reader().expect_count(3).finish().unwrap_err();
    assert_eq!(error.problem(), &FlowRowProblem::Count { expected: 3, found: 2 });
}

#[test]
fn nothing_may_follow_the_number_of_records() {
    let whole = file(&[row(0)], PLAIN);
    for (more, problem) in [
        ("", None),
        ("\r\n\r\n\n", None),
        ("`15300001", Some(FlowRowProblem::TextAfterTotal)),
        ("\r\n\"", Some(FlowRowProblem::TextAfterTotal)),
        ("总条数\r\n`1\r\n", Some(FlowRowProblem::TextAfterTotal)),
    ] {
        let end = read(&[&whole[..], more.as_bytes()].concat());
        assert_eq!(end.err().map(|error| error.problem().clone()), problem, "{more:?}");
    }
}

#[test]
fn the_number_of_records_must_be_a_number() {
    let text = String::from_utf8(file(&[row(0)], PLAIN)).unwrap();
    for bad in ["`", "`x", "`-1", "`1,`1", "\"", "`1.0", "`99999999999999999999"] {
        let error = read(text.replace("数\r\n`1\r\n", &format!("数\r\n{bad}\r\n")).as_bytes()).unwrap_err();
        assert_eq!(error.problem(), &FlowRowProblem::NoTotal, "{bad}");
        assert_eq!(error.line(), 4);
    }
    assert_eq!(read(text.replace("数\r\n`1\r\n", "数\r\n1").as_bytes()).unwrap(), 1);
}

/// Gives its bytes and then an error.
struct Failing<'a>(&'a [u8]);

impl std::io::Read for Failing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(std::io::Error::other("the disk is gone")),
            length => Ok(length),
        }
    }
}

#[test]
fn an_input_that_fails_ends_it() {
    let whole = file(&[row(0), row(1)], PLAIN);
    let mut reader =
        FlowReader::new(std::io::BufReader::with_capacity(8, Failing(&whole[..whole.len() - 60]))).unwrap();
    assert!(reader.next_row().unwrap().is_ok());
    let error = reader.next_row().unwrap().unwrap_err();
    assert_eq!(error.problem(), &FlowRowProblem::Read);
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the disk is gone");
    assert!(reader.next_row().is_none());
    assert_eq!(reader.finish().unwrap_err().problem(), &FlowRowProblem::Read);
}
