//! A list that was read: its people in the order of their places.

use std::io;
use std::path::{Path, PathBuf};

use favor_core::OpenId;

use super::{ListError, Problem};
use crate::external_sort::{Entry, Merge, Sorted, Spool};
use crate::ledger::Recipient;
use crate::manifest::ListFacts;

/// A list that was read, each person once, sorted by the bytes of the openid. Its people are in a temporary file
/// that has no name and goes with it.
#[derive(Debug)]
pub struct SortedList {
    facts: ListFacts,
    problems: Vec<Problem>,
    people: Sorted,
    folder: PathBuf,
}

impl SortedList {
    pub(super) fn new(
        facts: ListFacts,
        problems: Vec<Problem>,
        people: PeopleWriter,
        folder: PathBuf,
    ) -> Result<Self, ListError> {
        let people =
            people.finish().map_err(|cause| ListError::Temporary { folder: folder.clone(), cause })?;
        Ok(Self { facts, problems, people, folder })
    }

    /// What is known of the list as a whole.
    pub fn facts(&self) -> &ListFacts {
        &self.facts
    }

    /// The problems on the first lines, in the order of the lines: at most as many as the source keeps. How many
    /// there are in all is in the facts.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The people from the first on, in the order of their places.
    ///
    /// # Errors
    /// [`ListError::Temporary`].
    pub fn people(&mut self) -> Result<People<'_>, ListError> {
        let Self { people, folder, .. } = self;
        let entries =
            people.entries().map_err(|cause| ListError::Temporary { folder: folder.clone(), cause })?;
        Ok(People { entries, folder, place: 0 })
    }
}

/// The people of a list in the order of their places. After an error there are none.
#[derive(Debug)]
pub struct People<'a> {
    entries: Merge<'a>,
    folder: &'a Path,
    place: u64,
}

impl People<'_> {
    fn read(&mut self) -> io::Result<Option<Recipient>> {
        let Some(entry) = self.entries.next()? else { return Ok(None) };
        let damaged = || io::Error::new(io::ErrorKind::InvalidData, "a temporary file is damaged");
        let text = std::str::from_utf8(entry.key).map_err(|_| damaged())?;
        let openid = OpenId::new(text).map_err(|_| damaged())?;
        let person = Recipient { place: self.place, line: entry.rank, openid };
        self.place += 1;
        Ok(Some(person))
    }
}

impl Iterator for People<'_> {
    type Item = Result<Recipient, ListError>;

    fn next(&mut self) -> Option<Self::Item> {
        let folder = self.folder;
        self.read().map_err(|cause| ListError::Temporary { folder: folder.to_owned(), cause }).transpose()
    }
}

/// Takes people in the order of their places.
#[derive(Debug)]
pub(super) struct PeopleWriter {
    spool: Spool,
    count: u64,
    memory: usize,
}

impl PeopleWriter {
    pub(super) fn new(folder: &Path, memory: usize) -> io::Result<Self> {
        let mut spool = Spool::new(folder)?;
        spool.begin_run();
        Ok(Self { spool, count: 0, memory })
    }

    pub(super) fn add(&mut self, openid: &[u8], line: u64) -> io::Result<()> {
        self.count += 1;
        self.spool.write(Entry { key: openid, rank: line, extra: &[] })
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    fn finish(self) -> io::Result<Sorted> {
        self.spool.sealed(self.memory)
    }
}
