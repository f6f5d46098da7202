//! From the bytes of a list to its people.

use std::cell::RefCell;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use favor_stock::csv::{Fault, Record, Records};

use super::columns::{Columns, FirstLine};
use super::input::{self, Input, Tally};
use super::problems::Problems;
use super::same_person;
use super::sorted::{PeopleWriter, SortedList};
use super::{ListError, ListProgress, ListSource, ProblemKind};
use crate::external_sort::{Entry, Sorter};
use crate::manifest::ListFacts;

/// The longest row.
const MAX_ROW: usize = 64 << 10;
/// A header has no more columns than this.
const MAX_COLUMNS: usize = 1_024;
const ROWS_PER_PROGRESS: u64 = 4_096;
const LEAST_MEMORY: usize = 1 << 20;

pub(super) fn read(source: &ListSource) -> Result<SortedList, ListError> {
    let (bytes, opened) = input::open(source)?;
    let total = opened.as_ref().and_then(|opened| opened.size());
    let folder = temporary_folder(source);
    let (list, bytes) = Reading::new(source, &folder, total).run(bytes)?;
    let unchanged = opened.as_ref().map_or(Ok(true), |opened| opened.is_unchanged(bytes));
    match unchanged {
        Ok(true) => Ok(list),
        Ok(false) => Err(ListError::Changed(source.file.clone())),
        Err(cause) => Err(ListError::Read { file: source.file.clone(), cause }),
    }
}

/// The folder that was chosen, or that of the list if files can be made there, or the system's.
fn temporary_folder(source: &ListSource) -> PathBuf {
    if let Some(chosen) = &source.temporary_folder {
        return chosen.clone();
    }
    let beside = source.file.parent().filter(|_| !source.is_stdin());
    let beside = beside.map(|folder| if folder == Path::new("") { Path::new(".") } else { folder });
    match beside {
        Some(folder) if tempfile::tempfile_in(folder).is_ok() => folder.to_owned(),
        _ => std::env::temp_dir(),
    }
}

struct Reading<'a> {
    source: &'a ListSource,
    folder: &'a Path,
    total: Option<u64>,
    problems: Problems,
    people: Sorter,
    rows: u64,
    /// How much memory one sort may use.
    memory: usize,
}

impl<'a> Reading<'a> {
    fn new(source: &'a ListSource, folder: &'a Path, total: Option<u64>) -> Self {
        // At most two sorts hold something at a time.
        let memory = source.memory.max(LEAST_MEMORY) / 2;
        let problems = Problems::new(source.problems_kept, source.problems_file.as_deref(), folder);
        Self { source, folder, total, problems, people: Sorter::new(folder, memory), rows: 0, memory }
    }

    /// Reads it all; returns the number of bytes too.
    fn run(mut self, bytes: Box<dyn io::Read>) -> Result<(SortedList, u64), ListError> {
        let fault = |cause| ListError::Read { file: self.source.file.clone(), cause };
        let (mut input, tally) = Input::new(bytes).map_err(fault)?;
        let packed = input.is_packed();
        let begin = io::BufRead::fill_buf(&mut input).map_err(|cause| self.unreadable(packed, cause))?;
        if begin.starts_with(b"\xff\xfe") || begin.starts_with(b"\xfe\xff") {
            return Err(ListError::Utf16);
        }
        let has_unionids = self.rows(Records::with_limit(input, MAX_ROW), packed, &tally)?;
        let Self { source, folder, mut problems, people, rows, memory, .. } = self;
        let temporary = |cause| ListError::Temporary { folder: folder.to_owned(), cause };
        let people = if has_unionids {
            same_person::drop_repeats(people, folder, memory, &mut problems)
        } else {
            drop_repeats(people, folder, memory, &mut problems)
        };
        let people = people.map_err(temporary)?;
        let facts = ListFacts {
            file: source.file.display().to_string(),
            sha256: tally.borrow().sha256(),
            rows,
            people: people.count(),
            duplicates: problems.duplicates,
            malformed: problems.malformed,
        };
        let list = SortedList::new(facts, problems.finish()?, people, folder.to_owned());
        let bytes = tally.borrow().bytes;
        Ok((list?, bytes))
    }

    /// Reads all rows; returns whether they have unionids.
    fn rows(
        &mut self,
        mut records: Records<Input>,
        packed: bool,
        tally: &Rc<RefCell<Tally>>,
    ) -> Result<bool, ListError> {
        let mut columns: Option<Columns> = None;
        records.keep(MAX_COLUMNS);
        loop {
            let read = records.read();
            if let (None, Ok(true)) = (columns, &read) {
                let header = match FirstLine::read(records.record(), self.source)? {
                    FirstLine::Header(header) => header,
                    FirstLine::Row(row) => {
                        self.row(records.record(), row)?;
                        row
                    }
                };
                let last = header.openid.max(header.unionid.unwrap_or_default());
                records.keep(last + 1);
                columns = Some(header);
                continue;
            }
            match (read, columns) {
                (Ok(false), columns) => {
                    self.tell(tally.borrow().bytes);
                    return Ok(columns.is_some_and(|columns| columns.unionid.is_some()));
                }
                (Ok(true), Some(columns)) => self.row(records.record(), columns)?,
                (Err(Fault::Read(cause)), _) => return Err(self.unreadable(packed, cause)),
                (Err(Fault::Unclosed { .. }), None) => {
                    return Err(ListError::NoHeader(ProblemKind::UnclosedQuote));
                }
                (Err(Fault::TooLong { .. }), None) => return Err(ListError::NoHeader(ProblemKind::TooLong)),
                (Err(Fault::Unclosed { line }), _) => self.malformed(line, ProblemKind::UnclosedQuote)?,
                (Err(Fault::TooLong { line }), _) => self.malformed(line, ProblemKind::TooLong)?,
                (Ok(true), None) => {}
            }
            if self.rows.is_multiple_of(ROWS_PER_PROGRESS) {
                self.tell(tally.borrow().bytes);
            }
        }
    }

    fn row(&mut self, record: Record<'_>, columns: Columns) -> Result<(), ListError> {
        let rank = record.line();
        match columns.values(record) {
            Ok((openid, unionid)) => {
                self.rows += 1;
                let pushed = self.people.push(Entry { key: openid, rank, extra: unionid });
                pushed.map_err(|cause| self.temporary(cause))
            }
            Err(kind) => self.malformed(rank, kind),
        }
    }

    fn malformed(&mut self, line: u64, kind: ProblemKind) -> Result<(), ListError> {
        self.rows += 1;
        self.problems.add(line, kind).map_err(|cause| self.temporary(cause))
    }

    fn tell(&self, bytes: u64) {
        if let Some(progress) = &self.source.progress {
            progress(ListProgress { bytes, total: self.total, rows: self.rows });
        }
    }

    fn unreadable(&self, packed: bool, cause: io::Error) -> ListError {
        use io::ErrorKind as K;
        let file = self.source.file.clone();
        match cause.kind() {
            K::UnexpectedEof | K::InvalidInput | K::InvalidData if packed => {
                ListError::Packed { file, cause }
            }
            _ => ListError::Read { file, cause },
        }
    }

    fn temporary(&self, cause: io::Error) -> ListError {
        ListError::Temporary { folder: self.folder.to_owned(), cause }
    }
}

/// Keeps the first line of each openid.
fn drop_repeats(
    people: Sorter,
    folder: &Path,
    memory: usize,
    problems: &mut Problems,
) -> io::Result<PeopleWriter> {
    let sorted = people.finish()?;
    let mut entries = sorted.entries()?;
    let mut kept = PeopleWriter::new(folder, memory)?;
    let (mut last, mut first_line) = (Vec::new(), 0);
    while let Some(entry) = entries.next()? {
        if entry.key == last {
            problems.add(entry.rank, ProblemKind::Duplicate { first_line })?;
            continue;
        }
        last.clear();
        last.extend_from_slice(entry.key);
        first_line = entry.rank;
        kept.add(entry.key, entry.rank)?;
    }
    Ok(kept)
}
