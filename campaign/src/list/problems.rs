//! The problems of a list: the first ones in memory, all of them in a file.

use std::collections::BinaryHeap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::{ListError, Problem, ProblemKind};
use crate::external_sort::{Entry, Sorter};
use crate::private_file::PrivateFile;

/// What the sort by lines may hold in memory.
const MEMORY: usize = 4 << 20;

/// Takes problems in any order.
#[derive(Debug)]
pub(super) struct Problems {
    /// Those on the first lines, the last of them on top.
    first: BinaryHeap<ByLine>,
    most: usize,
    pub(super) duplicates: u64,
    pub(super) malformed: u64,
    /// All of them, where they are to be written.
    all: Option<(PathBuf, Sorter)>,
}

#[derive(Debug, PartialEq, Eq)]
struct ByLine(Problem);

impl Ord for ByLine {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.line.cmp(&other.0.line)
    }
}

impl PartialOrd for ByLine {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Problems {
    pub(super) fn new(most: usize, file: Option<&Path>, folder: &Path) -> Self {
        let all = file.map(|file| (file.to_owned(), Sorter::new(folder, MEMORY)));
        Self { first: BinaryHeap::new(), most, duplicates: 0, malformed: 0, all }
    }

    pub(super) fn add(&mut self, line: u64, kind: ProblemKind) -> io::Result<()> {
        *(if kind.is_duplicate() { &mut self.duplicates } else { &mut self.malformed }) += 1;
        self.first.push(ByLine(Problem { line, kind }));
        if self.first.len() > self.most {
            self.first.pop();
        }
        match &mut self.all {
            Some((_, all)) => all.push(Entry { key: &line.to_be_bytes(), rank: 0, extra: &kind.pack() }),
            None => Ok(()),
        }
    }

    /// Writes the file, and gives those on the first lines in the order of the lines.
    pub(super) fn finish(self) -> Result<Vec<Problem>, ListError> {
        if let Some((file, all)) = self.all {
            write_all(&file, all).map_err(|cause| ListError::Problems { file, cause })?;
        }
        Ok(self.first.into_sorted_vec().into_iter().map(|ByLine(problem)| problem).collect())
    }
}

fn write_all(file: &Path, all: Sorter) -> io::Result<()> {
    let mut out = PrivateFile::begin(file)?;
    writeln!(out, "line,code,text")?;
    let sorted = all.finish()?;
    let mut entries = sorted.entries()?;
    while let Some(entry) = entries.next()? {
        let line = entry.key.try_into().map(u64::from_be_bytes).ok();
        let Some((line, kind)) = line.zip(ProblemKind::unpack(entry.extra)) else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a temporary file is damaged"));
        };
        // No text has a comma or a quote in it.
        writeln!(out, "{line},{},{kind}", kind.code())?;
    }
    out.finish()
}
