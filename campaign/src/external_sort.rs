//! Sorting more than fits in memory: sorted runs in one temporary file, then merges.
//!
//! The file has no name, so nothing of it is left behind, whatever happens to the process.

use std::cmp::Ordering;
use std::fs::File;
use std::io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// The least memory that is worth setting apart.
const LEAST_MEMORY: usize = 256 << 10;
/// Offsets are 32 bits wide.
const MOST_MEMORY: usize = 2 << 30;
/// How many runs are merged at once.
const FAN_IN: usize = 64;
/// Key length, extra length, rank.
const HEADER: usize = 2 + 2 + 8;

/// What is sorted: by the bytes of the key, then by the rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    pub(crate) key: &'a [u8],
    pub(crate) rank: u64,
    /// Goes along and does not count in the order.
    pub(crate) extra: &'a [u8],
}

impl<'a> Entry<'a> {
    fn order(&self) -> (&'a [u8], u64) {
        (self.key, self.rank)
    }

    fn decode(bytes: &'a [u8]) -> io::Result<Self> {
        let (header, rest) = bytes.split_at_checked(HEADER).ok_or_else(broken)?;
        let (key_length, extra_length) = lengths(header);
        let (key, extra) = rest.split_at_checked(key_length).ok_or_else(broken)?;
        let extra = extra.get(..extra_length).ok_or_else(broken)?;
        let rank = header[4..].try_into().map_err(|_| broken())?;
        Ok(Self { key, rank: u64::from_le_bytes(rank), extra })
    }

    fn header(&self) -> io::Result<[u8; HEADER]> {
        let length = |part: &[u8]| u16::try_from(part.len()).map(u16::to_le_bytes).map_err(|_| too_long());
        let mut header = [0; HEADER];
        header[..2].copy_from_slice(&length(self.key)?);
        header[2..4].copy_from_slice(&length(self.extra)?);
        header[4..].copy_from_slice(&self.rank.to_le_bytes());
        Ok(header)
    }

    fn size(&self) -> usize {
        HEADER + self.key.len() + self.extra.len()
    }
}

fn lengths(header: &[u8]) -> (usize, usize) {
    let length = |at: usize| usize::from(u16::from_le_bytes([header[at], header[at + 1]]));
    (length(0), length(2))
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a temporary file is damaged")
}

fn too_long() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "a value is longer than 65,535 bytes")
}

/// Takes entries in any order.
#[derive(Debug)]
pub(crate) struct Sorter {
    folder: PathBuf,
    spool: Option<Spool>,
    text: Vec<u8>,
    offsets: Vec<u32>,
    /// How many bytes of text and offsets are held.
    memory: usize,
    fan_in: usize,
}

impl Sorter {
    /// One that holds at most about `memory` bytes, and puts the rest into a file in `folder`.
    pub(crate) fn new(folder: &Path, memory: usize) -> Self {
        Self::with(folder, memory.clamp(LEAST_MEMORY, MOST_MEMORY), FAN_IN)
    }

    fn with(folder: &Path, memory: usize, fan_in: usize) -> Self {
        let (text, offsets) = (Vec::new(), Vec::new());
        Self { folder: folder.to_owned(), spool: None, text, offsets, memory, fan_in }
    }

    pub(crate) fn push(&mut self, entry: Entry<'_>) -> io::Result<()> {
        let header = entry.header()?;
        let held = self.text.len() + size_of::<u32>() * self.offsets.len();
        if held + entry.size() + size_of::<u32>() > self.memory && !self.offsets.is_empty() {
            self.spill()?;
        }
        if self.text.capacity() == 0 {
            // Pages that are never written to are never there, and growing would copy.
            self.text.reserve_exact(self.memory / 8 * 7);
            self.offsets.reserve_exact(self.memory / 8 / size_of::<u32>());
        }
        let offset = u32::try_from(self.text.len()).map_err(|_| too_long())?;
        self.text.extend_from_slice(&header);
        self.text.extend_from_slice(entry.key);
        self.text.extend_from_slice(entry.extra);
        self.offsets.push(offset);
        Ok(())
    }

    /// Writes what is held as a sorted run.
    fn spill(&mut self) -> io::Result<()> {
        let text = &self.text;
        let at = |offset: u32| usize::try_from(offset).unwrap_or(usize::MAX);
        let entry = |offset: u32| text.get(at(offset)..).ok_or_else(broken).and_then(Entry::decode);
        self.offsets.sort_unstable_by(|left, right| match (entry(*left), entry(*right)) {
            (Ok(left), Ok(right)) => left.order().cmp(&right.order()),
            _ => Ordering::Equal,
        });
        let spool = match &mut self.spool {
            Some(spool) => spool,
            none => none.insert(Spool::new(&self.folder)?),
        };
        spool.begin_run();
        for offset in &self.offsets {
            spool.write(entry(*offset)?)?;
        }
        self.text.clear();
        self.offsets.clear();
        Ok(())
    }

    /// Ends the input.
    pub(crate) fn finish(mut self) -> io::Result<Sorted> {
        if !self.offsets.is_empty() {
            self.spill()?;
        }
        drop((std::mem::take(&mut self.text), std::mem::take(&mut self.offsets)));
        let spool = match self.spool {
            Some(spool) => spool,
            None => Spool::new(&self.folder)?,
        };
        let mut sorted = spool.sealed(self.memory)?;
        while sorted.runs.len() > self.fan_in {
            let mut next = Spool::new(&self.folder)?;
            for runs in sorted.runs.chunks(self.fan_in) {
                let mut merge = Merge::new(&sorted.file, runs, sorted.buffer)?;
                next.begin_run();
                while let Some(entry) = merge.next()? {
                    next.write(entry)?;
                }
            }
            sorted = next.sealed(self.memory)?;
        }
        Ok(sorted)
    }
}

/// A file of runs that is being written.
#[derive(Debug)]
pub(crate) struct Spool {
    file: BufWriter<File>,
    written: u64,
    begins: Vec<u64>,
}

impl Spool {
    pub(crate) fn new(folder: &Path) -> io::Result<Self> {
        let file = BufWriter::with_capacity(64 << 10, tempfile::tempfile_in(folder)?);
        Ok(Self { file, written: 0, begins: Vec::new() })
    }

    pub(crate) fn begin_run(&mut self) {
        self.begins.push(self.written);
    }

    pub(crate) fn write(&mut self, entry: Entry<'_>) -> io::Result<()> {
        self.file.write_all(&entry.header()?)?;
        self.file.write_all(entry.key)?;
        self.file.write_all(entry.extra)?;
        self.written += u64::try_from(entry.size()).map_err(|_| too_long())?;
        Ok(())
    }

    /// Ends the writing; `memory` is what a merge may use.
    pub(crate) fn sealed(self, memory: usize) -> io::Result<Sorted> {
        let Self { file, written, begins } = self;
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        let ends = begins.iter().skip(1).copied().chain([written]);
        let runs = begins.iter().copied().zip(ends).collect();
        Ok(Sorted { file, runs, buffer: (memory / FAN_IN).clamp(4 << 10, 256 << 10) })
    }
}

/// Entries in their order, to be read as often as wanted.
#[derive(Debug)]
pub(crate) struct Sorted {
    file: File,
    /// Where each run begins and ends.
    runs: Vec<(u64, u64)>,
    buffer: usize,
}

impl Sorted {
    /// All entries, from the first.
    pub(crate) fn entries(&self) -> io::Result<Merge<'_>> {
        Merge::new(&self.file, &self.runs, self.buffer)
    }
}

/// Reads the entries of several runs in their order. Only one merge of a file may be read at a time.
#[derive(Debug)]
pub(crate) struct Merge<'a> {
    file: &'a File,
    runs: Vec<Run>,
    /// Indices of runs that have an entry, as a heap: the least first.
    heap: Vec<usize>,
    /// The first of the heap was given out and is to be moved on.
    given: bool,
}

/// A run that is being read. What is in the buffer from `at` on begins with its current entry.
#[derive(Debug)]
struct Run {
    next: u64,
    end: u64,
    buffer: Vec<u8>,
    at: usize,
    capacity: usize,
}

impl<'a> Merge<'a> {
    fn new(file: &'a File, runs: &[(u64, u64)], capacity: usize) -> io::Result<Self> {
        let run = |&(next, end): &(u64, u64)| Run { next, end, buffer: Vec::new(), at: 0, capacity };
        let mut merge = Self { file, runs: runs.iter().map(run).collect(), heap: Vec::new(), given: false };
        for index in 0..merge.runs.len() {
            if merge.runs[index].fill(file)? {
                merge.heap.push(index);
            }
        }
        for root in (0..merge.heap.len() / 2).rev() {
            merge.sift_down(root)?;
        }
        Ok(merge)
    }

    /// The next entry.
    #[expect(clippy::should_implement_trait, reason = "it lends from itself")]
    pub(crate) fn next(&mut self) -> io::Result<Option<Entry<'_>>> {
        if std::mem::take(&mut self.given) {
            let first = self.heap[0];
            let run = &mut self.runs[first];
            run.at += run.current()?.size();
            if !run.fill(self.file)? {
                self.heap.swap_remove(0);
            }
            self.sift_down(0)?;
        }
        let Some(&first) = self.heap.first() else { return Ok(None) };
        self.given = true;
        self.runs[first].current().map(Some)
    }

    fn sift_down(&mut self, mut root: usize) -> io::Result<()> {
        loop {
            let mut least = root;
            for child in [2 * root + 1, 2 * root + 2] {
                if child < self.heap.len() && self.is_before(child, least)? {
                    least = child;
                }
            }
            if least == root {
                return Ok(());
            }
            self.heap.swap(root, least);
            root = least;
        }
    }

    fn is_before(&self, left: usize, right: usize) -> io::Result<bool> {
        let entry = |at: usize| self.runs[self.heap[at]].current();
        Ok(entry(left)?.order() < entry(right)?.order())
    }
}

impl Run {
    fn current(&self) -> io::Result<Entry<'_>> {
        Entry::decode(self.buffer.get(self.at..).ok_or_else(broken)?)
    }

    /// Makes sure that the current entry is in the buffer. False at the end of the run.
    fn fill(&mut self, file: &File) -> io::Result<bool> {
        let have = self.buffer.len().saturating_sub(self.at);
        if have == 0 && self.next == self.end {
            return Ok(false);
        }
        let mut want = HEADER;
        if have >= HEADER {
            let (key, extra) = lengths(&self.buffer[self.at..]);
            want += key + extra;
            if have >= want {
                return Ok(true);
            }
        }
        self.buffer.drain(..self.at);
        self.at = 0;
        let left = self.end - self.next;
        let room = u64::try_from(self.capacity.max(want) - have).unwrap_or(u64::MAX);
        let mut file = file;
        file.seek(SeekFrom::Start(self.next))?;
        let read = file.take(left.min(room)).read_to_end(&mut self.buffer)?;
        if read == 0 {
            return Err(broken());
        }
        self.next += u64::try_from(read).map_err(|_| broken())?;
        self.fill(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Owned = (Vec<u8>, u64, Vec<u8>);

    fn sort(entries: &[Owned], memory: usize, fan_in: usize) -> (Vec<Owned>, usize) {
        let folder = tempfile::tempdir().unwrap();
        let mut sorter = Sorter::with(folder.path(), memory, fan_in);
        for (key, rank, extra) in entries {
            sorter.push(Entry { key, rank: *rank, extra }).unwrap();
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "its file has no name");
        let sorted = sorter.finish().unwrap();
        let mut read = Vec::new();
        for _ in 0..2 {
            read.clear();
            let mut merge = sorted.entries().unwrap();
            while let Some(entry) = merge.next().unwrap() {
                read.push((entry.key.to_vec(), entry.rank, entry.extra.to_vec()));
            }
            assert!(merge.next().unwrap().is_none(), "the end stays the end");
        }
        (read, sorted.runs.len())
    }

    #[test]
    fn nothing_is_sorted_too() {
        assert_eq!(sort(&[], 100, 2), (Vec::new(), 0));
    }

    #[test]
    fn many_runs_are_merged_in_rounds() {
        let entry = |number: u64| (format!("{:05}", number * 7919 % 10_007).into_bytes(), number, Vec::new());
        let entries: Vec<_> = (0..5_000).map(entry).collect();
        let (sorted, runs) = sort(&entries, 300, 3);
        assert!((1..=3).contains(&runs), "{runs}");
        assert_eq!(sorted.len(), 5_000);
        assert!(sorted.is_sorted());
    }

    #[test]
    fn a_value_may_be_larger_than_the_memory_but_not_than_its_length_can_say() {
        let large = vec![7; 65_535];
        let entries = [(large.clone(), 2, large.clone()), (b"a".to_vec(), 1, large)];
        let (sorted, _) = sort(&entries, 100, 2);
        assert_eq!(sorted.len(), 2);
        let folder = tempfile::tempdir().unwrap();
        let too_large = vec![0; 65_536];
        let error = Sorter::new(folder.path(), 0).push(Entry { key: &too_large, rank: 0, extra: &[] });
        assert_eq!(error.unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }

    proptest! {
        #[test]
        fn it_sorts_like_a_vector(
            entries in prop::collection::vec(
                (prop::collection::vec(0_u8..4, 0..6), 0_u64..50, prop::collection::vec(any::<u8>(), 0..40)),
                0..200,
            ),
            memory in 50_usize..2_000,
            fan_in in 2_usize..5,
        ) {
            // The extra does not count, so equal ones are told apart by nothing.
            let mut entries = entries;
            let mut seen = std::collections::HashSet::new();
            entries.retain(|(key, rank, _)| seen.insert((key.clone(), *rank)));
            let (sorted, _) = sort(&entries, memory, fan_in);
            entries.sort();
            prop_assert_eq!(sorted, entries);
        }
    }
}
