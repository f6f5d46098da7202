//! Records of comma-separated text, read as bytes through one buffer that is used again for each.
//!
//! The rules are those of RFC 4180, read widely: quotes around a field, doubled inside; CR, LF or CRLF ends a
//! record, except inside quotes; empty lines are none. A field counts as quoted only when its first byte is a
//! quote. Lines are counted, and a record bears the number of the line it begins on.
//!
//! A quote that is never closed would swallow the rest of the file. So a record has a largest size; when it is
//! passed, or the file ends, inside quotes, only the line that the record began on is given up and reading goes on
//! with the line after it, which is still in the buffer. What was read ahead is then read line by line, without
//! line breaks inside quotes, so that no byte is looked at more than twice.

use std::fmt;
use std::io::{self, BufRead};

use memchr::{memchr, memchr2};

use super::line::{Found, split_line};
use super::source::Source;
use super::split::{Field, Split, split, split_quoted};

/// The largest record, in bytes.
pub(super) const MAX_RECORD: usize = 1 << 20;

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Why there is no record.
#[derive(Debug)]
pub enum Fault {
    /// The input could not be read; there is nothing to go on with.
    Read(io::Error),
    /// A quote on this line is not closed. Reading goes on with the next line.
    Unclosed {
        /// The line, from 1.
        line: u64,
    },
    /// The record that begins on this line is too large. Reading goes on with the next line.
    TooLong {
        /// The line, from 1.
        line: u64,
    },
}

/// Reads records of comma-separated text, in constant memory, one at a time from one buffer.
///
/// Quotes around a field, doubled inside; CR, LF or CRLF ends a record, except inside quotes; empty lines and a
/// byte order mark are passed over; an unquoted field loses one backtick at its front. A quote that is not closed
/// costs its line only.
pub struct Records<R> {
    source: Source<R>,
    /// The text of the record, and behind it the values that are not there in one piece.
    buffer: Vec<u8>,
    /// The length of the text.
    raw: usize,
    /// As many as are kept of a record; those behind the record's own have no meaning.
    fields: Vec<Field>,
    /// The number of fields, those that are not kept included.
    count: usize,
    limit: usize,
    /// The line the record begins on.
    begin: u64,
    /// The line that is read next.
    line: u64,
    /// The line before ended with CR, so an LF that follows belongs to it.
    after_cr: bool,
    started: bool,
}

enum Line {
    Ended(u8),
    /// The input ended with it.
    Last,
    /// The record would get too large; the rest of the line is still to be read.
    TooLong,
}

impl<R: BufRead> Records<R> {
    pub(super) fn new(input: R) -> Self {
        Self::with_limit(input, MAX_RECORD)
    }

    /// Records of `input` of at most `limit` bytes each.
    pub fn with_limit(input: R, limit: usize) -> Self {
        Self {
            source: Source::new(input),
            buffer: Vec::new(),
            raw: 0,
            fields: Vec::new(),
            count: 0,
            limit,
            begin: 1,
            line: 1,
            after_cr: false,
            started: false,
        }
    }

    /// Keeps this many fields of the records to come, and only counts the rest.
    pub fn keep(&mut self, fields: usize) {
        self.fields.resize(fields, Field::default());
    }

    /// The line that is read next.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Reads the next record. False at the end.
    ///
    /// # Errors
    /// [`Fault`]; only after [`Fault::Read`] there is nothing to go on with.
    pub fn read(&mut self) -> Result<bool, Fault> {
        loop {
            self.buffer.clear();
            self.end_crlf().map_err(Fault::Read)?;
            self.begin = self.line;
            let confined = self.source.replays();
            let line = self.read_line().map_err(Fault::Read)?;
            if matches!(line, Line::TooLong) {
                self.skip_line().map_err(Fault::Read)?;
                return Err(Fault::TooLong { line: self.begin });
            }
            let bom = !self.started && self.buffer.starts_with(BOM);
            self.started = true;
            let start = if bom { BOM.len() } else { 0 };
            if self.buffer.len() > start {
                self.split_record(start, line, confined)?;
                return Ok(true);
            }
            if matches!(line, Line::Last) {
                return Ok(false);
            }
        }
    }

    fn split_record(&mut self, start: usize, mut line: Line, confined: bool) -> Result<(), Fault> {
        if let Some(Found { count, doubled }) = split_line(&mut self.buffer, start, &mut self.fields) {
            self.count = count;
            self.raw = self.buffer.len();
            if doubled {
                for field in self.fields.iter_mut().take(count) {
                    field.pieced =
                        field.quoted && memchr(b'"', &self.buffer[field.start..field.end]).is_some();
                }
                self.put_together();
            }
            return Ok(());
        }
        self.count = 0;
        let mut pieced = false;
        let mut first_end = None;
        let mut found = split(&self.buffer, start);
        loop {
            match found {
                Split::Field(field, next) => {
                    pieced |= field.pieced;
                    if let Some(kept) = self.fields.get_mut(self.count) {
                        *kept = field;
                    }
                    self.count += 1;
                    match next {
                        Some(next) => found = split(&self.buffer, next),
                        None => break,
                    }
                }
                Split::Open(open) => {
                    let Line::Ended(end) = line else { return Err(self.give_up(first_end)) };
                    if confined {
                        return Err(Fault::Unclosed { line: self.begin });
                    }
                    self.buffer.push(end);
                    first_end.get_or_insert(self.buffer.len());
                    line = self.read_next_line().map_err(Fault::Read)?;
                    if matches!(line, Line::TooLong) {
                        return Err(self.give_up(first_end));
                    }
                    found = split_quoted(&self.buffer, open);
                }
            }
        }
        self.raw = self.buffer.len();
        if pieced {
            self.put_together();
        }
        Ok(())
    }

    fn read_next_line(&mut self) -> io::Result<Line> {
        self.end_crlf()?;
        self.read_line()
    }

    /// Gives up the line on which the record began. What was read after it is read again.
    fn give_up(&mut self, first_end: Option<usize>) -> Fault {
        if let Some(end) = first_end {
            self.after_cr = self.buffer[end - 1] == b'\r';
            self.source.replay(&self.buffer[end..]);
            self.line = self.begin + 1;
        }
        Fault::Unclosed { line: self.begin }
    }

    /// Reads over an LF that belongs to the CR before it.
    fn end_crlf(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.after_cr) && self.source.fill()?.first() == Some(&b'\n') {
            self.source.consume(1);
            if !self.buffer.is_empty() {
                self.buffer.push(b'\n');
            }
        }
        Ok(())
    }

    /// Reads up to the end of the line into the buffer.
    #[inline]
    fn read_line(&mut self) -> io::Result<Line> {
        loop {
            let chunk = self.source.fill()?;
            if chunk.is_empty() {
                return Ok(Line::Last);
            }
            let found = memchr2(b'\r', b'\n', chunk);
            let text = found.map_or(chunk, |at| &chunk[..at]);
            let room = self.limit.saturating_sub(self.buffer.len());
            if text.len() > room {
                self.buffer.extend_from_slice(&text[..room]);
                self.source.consume(room);
                return Ok(Line::TooLong);
            }
            self.buffer.extend_from_slice(text);
            let end = found.map(|at| chunk[at]);
            let read = text.len() + usize::from(end.is_some());
            self.source.consume(read);
            if let Some(end) = end {
                self.after_cr = end == b'\r';
                self.line += 1;
                return Ok(Line::Ended(end));
            }
        }
    }

    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let chunk = self.source.fill()?;
            if chunk.is_empty() {
                return Ok(());
            }
            let found = memchr2(b'\r', b'\n', chunk);
            let read = found.map_or(chunk.len(), |at| at + 1);
            self.after_cr = found.is_some_and(|at| chunk[at] == b'\r');
            self.source.consume(read);
            if found.is_some() {
                self.line += 1;
                return Ok(());
            }
        }
    }

    /// Makes the values that are not there in one piece, behind the text.
    fn put_together(&mut self) {
        for index in 0..self.kept() {
            let field = self.fields[index];
            if field.pieced {
                let start = self.buffer.len();
                self.append_value(field);
                self.fields[index] = Field { start, end: self.buffer.len(), ..field };
            }
        }
    }

    /// Appends the value of a field: doubled quotes once, the closing quote not at all, what follows it as it is.
    fn append_value(&mut self, field: Field) {
        let Field { start: mut at, end, .. } = field;
        while let Some(distance) = if field.pieced { memchr(b'"', &self.buffer[at..end]) } else { None } {
            let quote = at + distance;
            let doubled = quote + 1 < end && self.buffer[quote + 1] == b'"';
            self.buffer.extend_from_within(at..quote + usize::from(doubled));
            if !doubled {
                return self.buffer.extend_from_within(quote + 1..end);
            }
            at = quote + 2;
        }
        self.buffer.extend_from_within(at..end);
    }

    /// Makes the last field that is kept take in all that follows it, when there is more, or when it has text after
    /// its closing quote: a list of goods in JSON that was written without quoting, or quoted without doubling the
    /// quotes inside. Such text is taken as it is, without the quotes around it; fields that are quoted as they
    /// should be are joined with commas.
    pub(super) fn join_rest(&mut self) {
        let kept = self.kept();
        let Some(&last) = self.fields[..kept].last() else { return };
        let more = self.count > kept;
        if !more && !last.loose {
            return;
        }
        let joined = if last.quoted && !last.loose {
            let start = self.buffer.len();
            let mut next = Some(last.raw);
            while let Some(at) = next {
                let Split::Field(field, following) = split(&self.buffer[..self.raw], at) else { break };
                if at != last.raw {
                    self.buffer.push(b',');
                }
                self.append_value(field);
                next = following;
            }
            Field { start, end: self.buffer.len(), ..last }
        } else {
            match &self.buffer[last.raw..self.raw] {
                [b'"', .., b'"'] => Field { start: last.raw + 1, end: self.raw - 1, ..last },
                _ if last.quoted => Field { start: last.raw, end: self.raw, ..last },
                _ => Field { end: self.raw, ..last },
            }
        };
        self.count = kept;
        self.fields[kept - 1] = joined;
    }

    /// The record that was read last.
    #[inline]
    pub fn record(&self) -> Record<'_> {
        let fields = &self.fields[..self.kept()];
        Record { bytes: &self.buffer, fields, count: self.count, line: self.begin }
    }

    /// The number of fields that are kept of this record.
    #[inline]
    fn kept(&self) -> usize {
        self.count.min(self.fields.len())
    }
}

impl<R> fmt::Debug for Records<R> {
    /// Shows where it is, and no content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records").field("line", &self.line).finish_non_exhaustive()
    }
}

impl fmt::Debug for Record<'_> {
    /// Shows where it is, and no content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record").field("line", &self.line).field("count", &self.count).finish_non_exhaustive()
    }
}

/// One record.
#[derive(Clone, Copy)]
pub struct Record<'a> {
    bytes: &'a [u8],
    fields: &'a [Field],
    count: usize,
    line: u64,
}

impl<'a> Record<'a> {
    /// The line it begins on.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The number of its fields, those that are not kept included.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The value of a field, without the backtick that an unquoted field may begin with.
    #[inline]
    pub fn value(&self, index: usize) -> Option<&'a [u8]> {
        let field = self.fields.get(index)?;
        self.bytes.get(field.start..field.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::BufReader;

    #[derive(Debug, PartialEq)]
    enum Read {
        Record(u64, Vec<Vec<u8>>),
        Unclosed(u64),
        TooLong(u64),
    }
    use Read::{TooLong, Unclosed};

    fn row(line: u64, fields: &[&str]) -> Read {
        Read::Record(line, fields.iter().map(|field| field.as_bytes().to_vec()).collect())
    }

    fn all<R: BufRead>(mut records: Records<R>) -> Vec<Read> {
        records.keep(512);
        let mut reads = Vec::new();
        loop {
            let read = match records.read() {
                Ok(false) => break,
                Ok(true) => {
                    let start = |field: &Field| if field.quoted { field.start } else { field.raw };
                    let value = |field: &Field| records.buffer[start(field)..field.end].to_vec();
                    Read::Record(records.begin, records.fields[..records.count].iter().map(value).collect())
                }
                Err(Fault::Unclosed { line }) => Unclosed(line),
                Err(Fault::TooLong { line }) => TooLong(line),
                Err(Fault::Read(error)) => panic!("{error}"),
            };
            reads.push(read);
        }
        assert!(!records.read().unwrap(), "the end stays the end");
        reads
    }

    fn read(text: &str) -> Vec<Read> {
        all(Records::new(text.as_bytes()))
    }

    #[test]
    fn reads_fields_and_counts_lines() {
        assert_eq!(read(""), []);
        assert_eq!(read("\u{feff}"), []);
        assert_eq!(read("\u{feff}\"a\",b"), [row(1, &["a", "b"])]);
        assert_eq!(read("\u{feff}\u{feff}a"), [row(1, &["\u{feff}a"])]);
        assert_eq!(
            read("a,\r\n\r\n\n,\"\"\r\"x\"\"\r\ny\",z\nlast"),
            [row(1, &["a", ""]), row(4, &["", ""]), row(5, &["x\"\r\ny", "z"]), row(7, &["last"]),]
        );
        assert_eq!(
            read("`\"a\",b\"c\n\"a\"b\"c,\"\"\"\""),
            [row(1, &["`\"a\"", "b\"c"]), row(2, &["ab\"c", "\""])]
        );
    }

    #[test]
    fn an_unquoted_field_loses_one_backtick() {
        let mut records = Records::new("``a,\"`b\",`,c`".as_bytes());
        records.keep(9);
        assert!(records.read().unwrap());
        let record = records.record();
        let values: Vec<_> = (0..4).map(|index| record.value(index).unwrap()).collect();
        assert_eq!(values, [&b"`a"[..], b"`b", b"", b"c`"]);
        assert_eq!(record.value(4), None);
    }

    #[test]
    fn an_unclosed_quote_costs_one_line() {
        let expected = [row(1, &["a", "b"]), Unclosed(2), row(3, &["c", "d\"\"d"]), row(4, &["e"])];
        assert_eq!(read("a,b\r\nx,\"y\r\nc,d\"\"d\r\ne"), expected);
        assert_eq!(read("a,b\rx,\"y\rc,d\"\"d\re\r"), expected);
        assert_eq!(read("\""), [Unclosed(1)]);
        assert_eq!(read("\"\n"), [Unclosed(1)]);
        assert_eq!(read("\"\r\n\r\na,\"\""), [Unclosed(1), row(3, &["a", ""])]);
    }

    #[test]
    fn a_record_has_a_largest_size() {
        let limited = |text: &str| all(Records::with_limit(BufReader::with_capacity(3, text.as_bytes()), 16));
        assert_eq!(
            limited("0123456789abcdef\n0123456789abcdefg\r\nx"),
            [row(1, &["0123456789abcdef"]), TooLong(2), row(3, &["x"])]
        );
        assert_eq!(limited("0123456789abcdefg"), [TooLong(1)]);
        assert_eq!(
            limited("\"a\r\n\r\nb\r\n\"\",\r\n0123456789\r\n\"e\r\ne\"\r\n"),
            [Unclosed(1), row(3, &["b"]), row(4, &["", ""]), row(5, &["0123456789"]), row(6, &["e\r\ne"]),]
        );
        // What was read ahead in vain is read again without line breaks in quotes, and only that.
        assert_eq!(
            limited("\"a\",\"\n\"b\",\"\n\"c\",\"\nd,e\n\"f\nf\""),
            [Unclosed(1), Unclosed(2), Unclosed(3), row(4, &["d", "e"]), row(5, &["f\nf"]),]
        );
    }

    #[test]
    fn a_hostile_file_takes_little_memory_and_time() {
        // Read from any line on, the quotes never close.
        let text = "\"a\",\"\n".repeat(200_000);
        let mut records = Records::with_limit(text.as_bytes(), 1 << 14);
        records.keep(8);
        let mut faults = 0;
        loop {
            match records.read() {
                Ok(false) => break,
                Ok(true) => panic!("there is no record"),
                Err(_) => faults += 1,
            }
        }
        assert_eq!(faults, 200_000);
        assert!(records.buffer.capacity() <= 1 << 16);
        assert!(records.fields.capacity() <= 16);
    }

    #[test]
    fn fields_that_are_not_kept_are_counted() {
        let mut records = Records::new("a,b,c\nd".as_bytes());
        records.keep(2);
        assert!(records.read().unwrap());
        assert_eq!((records.record().count(), records.record().value(2)), (3, None));
        assert!(records.read().unwrap());
        assert_eq!(records.record().count(), 1);
    }

    #[test]
    fn the_last_field_can_take_in_the_rest() {
        for (line, value) in [
            ("k,`a", "a"),
            ("k,`a,b,", "a,b,"),
            ("k,\"a,\"\"b\"\"\"", "a,\"b\""),
            ("k,\"a\",b,\"c\"\"d\"", "a,b,c\"d"),
            (r#"k,[{"id":"a","n":1},{"id":"b","n":2}]"#, r#"[{"id":"a","n":1},{"id":"b","n":2}]"#),
            (r#"k,"[{"id":"a","n":1},{"id":"b","n":2}]""#, r#"[{"id":"a","n":1},{"id":"b","n":2}]"#),
            (r#"k,"{"id":"a"}""#, r#"{"id":"a"}"#),
            (r#"k,"{"id":"a"}"#, r#""{"id":"a"}"#),
        ] {
            let mut records = Records::new(line.as_bytes());
            records.keep(2);
            assert!(records.read().unwrap());
            records.join_rest();
            let record = records.record();
            assert_eq!((record.count(), record.value(0)), (2, Some(&b"k"[..])), "{line}");
            assert_eq!(record.value(1).map(String::from_utf8_lossy).unwrap(), value, "{line}");
        }
    }

    /// The lines that records begin on, and whether the text ends inside quotes, found byte by byte.
    fn lines(text: &[u8]) -> (Vec<u64>, bool) {
        let (mut lines, mut line, mut quoted, mut field, mut filled) = (Vec::new(), 1, false, true, false);
        let mut at = 0;
        while let Some(&byte) = text.get(at) {
            let next = text.get(at + 1);
            let end = byte == b'\n' || byte == b'\r';
            if !end && !filled {
                lines.push(line);
                filled = true;
            }
            if byte == b'\r' && next == Some(&b'\n') {
                at += 1;
            }
            line += u64::from(end);
            if quoted {
                if byte == b'"' && next == Some(&b'"') {
                    at += 1;
                } else if byte == b'"' {
                    quoted = false;
                }
            } else if end {
                (field, filled) = (true, false);
            } else {
                quoted = field && byte == b'"';
                field = byte == b',';
            }
            at += 1;
        }
        (lines, quoted)
    }

    fn text() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![
            6 => prop::sample::select(b"\",\r\n".to_vec()),
            3 => prop::sample::select(b"a`\xEF\xBB\xBF\xFF".to_vec()),
            1 => any::<u8>(),
        ];
        let piece = prop_oneof![
            8 => byte.prop_map(|byte| vec![byte]),
            1 => Just(b"\"a\r\nb\",".to_vec()),
            1 => Just(b",\"say \"\"a\"\"\",\"\",".to_vec()),
            2 => (1_usize..70).prop_map(|length| vec![b'x'; length]),
        ];
        prop::collection::vec(piece, 0..48).prop_map(|pieces| pieces.concat())
    }

    fn by_csv(text: &[u8]) -> Vec<Vec<Vec<u8>>> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text);
        let records = reader.byte_records().map(|record| record.unwrap());
        records.map(|record| record.iter().map(<[u8]>::to_vec).collect()).collect()
    }

    #[test]
    fn the_place_on_the_line_makes_no_difference() {
        // Lines are looked at in blocks of 64 bytes: every piece comes to lie across every place between two.
        let pieces = [
            "\"a\",b",
            "\"a\"\"b\",c",
            "\"\",\"\"",
            "\"a,b\"",
            "a\"b\",\"c\"",
            "\"a\"b,\"c\"",
            "\"\"\"\",",
            ",,",
        ];
        for piece in pieces {
            for (length, before) in
                (0..140).flat_map(|length| [(length, ""), (length, ","), (length, "\",\"")])
            {
                let opening = if before.len() > 1 { "\"" } else { "" };
                let closing = if before.len() > 1 { "\"" } else { "" };
                for text in [
                    format!("{}{before}{piece}", "x".repeat(length)),
                    format!("{opening}{}{closing},{piece}", "x".repeat(length)),
                    format!("{piece}{before}{},{piece}", "x".repeat(length)),
                ] {
                    let ours: Vec<_> = read(&text)
                        .into_iter()
                        .filter_map(
                            |read| if let Read::Record(_, fields) = read { Some(fields) } else { None },
                        )
                        .collect();
                    let (_, unclosed) = lines(text.as_bytes());
                    assert!(unclosed || ours == by_csv(text.as_bytes()), "{text}");
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn agrees_with_the_csv_crate(text in text(), chunk in 1_usize..9) {
            let ours = all(Records::new(BufReader::with_capacity(chunk, &text[..])));
            // That crate strips the mark of order only from the first chunk; and a record that is nothing else is none.
            let stripped = text.strip_prefix(BOM).unwrap_or(&text);
            let oracle = by_csv(&[BOM, stripped].concat());
            let (begins, unclosed) = lines(stripped);
            let whole = ours.iter().take_while(|read| matches!(read, Read::Record(..))).count();
            prop_assert_eq!(whole < ours.len(), unclosed);
            prop_assert_eq!(oracle.len(), begins.len());
            prop_assert_eq!(oracle.len(), whole + usize::from(unclosed));
            for ((read, fields), begin) in ours.iter().zip(&oracle).zip(&begins).take(whole) {
                prop_assert_eq!(read, &Read::Record(*begin, fields.clone()));
            }
            if unclosed {
                prop_assert_eq!(&ours[whole], &Unclosed(begins[whole]));
            }
        }

        #[test]
        fn goes_on_with_the_next_line(text in text(), chunk in 1_usize..9, limit in 1_usize..24) {
            let ours = all(Records::with_limit(BufReader::with_capacity(chunk, &text[..]), limit));
            let lines = ours.iter().map(|read| match read {
                Read::Record(line, _) | Unclosed(line) | TooLong(line) => *line,
            });
            prop_assert!(lines.clone().is_sorted_by(|line, next| line < next));
            // Nothing is lost but the lines of faults: each line that is not empty is in a record or a fault.
            let breaks = text.iter().filter(|byte| matches!(byte, b'\r' | b'\n')).count();
            prop_assert!(lines.count() <= breaks + 1);
        }

        #[test]
        fn chunks_make_no_difference(text in text(), chunk in 1_usize..9, limit in 1_usize..24) {
            let whole = all(Records::with_limit(&text[..], limit));
            let chunked = all(Records::with_limit(BufReader::with_capacity(chunk, &text[..]), limit));
            prop_assert_eq!(whole, chunked);
        }
    }
}
