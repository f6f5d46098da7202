//! People who stand in a list under two openids, told by the unionid.

use std::io;
use std::path::Path;

use super::ProblemKind;
use super::problems::Problems;
use super::sorted::PeopleWriter;
use crate::external_sort::{Entry, Sorter};

/// Keeps the first line of each openid, and of those the first line of each unionid. An openid's unionid is the first
/// that any of its lines gives.
pub(super) fn drop_repeats(
    people: Sorter,
    folder: &Path,
    memory: usize,
    problems: &mut Problems,
) -> io::Result<PeopleWriter> {
    // Their lines do not change the order any more, and openids differ.
    let mut kept = Sorter::new(folder, memory);
    let by_unionid = each_openid_once(people, folder, memory, problems, &mut kept)?.finish()?;
    let mut entries = by_unionid.entries()?;
    let (mut last, mut first_line) = (Vec::new(), 0);
    while let Some(entry) = entries.next()? {
        if entry.key == last {
            problems.add(entry.rank, ProblemKind::SamePerson { first_line })?;
            continue;
        }
        last.clear();
        last.extend_from_slice(entry.key);
        first_line = entry.rank;
        kept.push(Entry { key: entry.extra, rank: entry.rank, extra: &[] })?;
    }
    let kept = kept.finish()?;
    let mut entries = kept.entries()?;
    let mut people = PeopleWriter::new(folder, memory)?;
    while let Some(entry) = entries.next()? {
        people.add(entry.key, entry.rank)?;
    }
    Ok(people)
}

/// An openid whose lines are being read.
#[derive(Default)]
struct Openid {
    text: Vec<u8>,
    first_line: u64,
    unionid: Vec<u8>,
}

impl Openid {
    /// Those without a unionid are kept as they are.
    fn pass_on(&self, kept: &mut Sorter, by_unionid: &mut Sorter) -> io::Result<()> {
        match (self.text.is_empty(), self.unionid.is_empty()) {
            (true, _) => Ok(()),
            (false, true) => kept.push(Entry { key: &self.text, rank: self.first_line, extra: &[] }),
            (false, false) => {
                by_unionid.push(Entry { key: &self.unionid, rank: self.first_line, extra: &self.text })
            }
        }
    }
}

fn each_openid_once(
    people: Sorter,
    folder: &Path,
    memory: usize,
    problems: &mut Problems,
    kept: &mut Sorter,
) -> io::Result<Sorter> {
    let sorted = people.finish()?;
    let mut entries = sorted.entries()?;
    let mut by_unionid = Sorter::new(folder, memory);
    let mut openid = Openid::default();
    while let Some(entry) = entries.next()? {
        if entry.key == openid.text {
            problems.add(entry.rank, ProblemKind::Duplicate { first_line: openid.first_line })?;
        } else {
            openid.pass_on(kept, &mut by_unionid)?;
            openid.text.clear();
            openid.text.extend_from_slice(entry.key);
            openid.first_line = entry.rank;
            openid.unionid.clear();
        }
        if openid.unionid.is_empty() {
            openid.unionid.extend_from_slice(entry.extra);
        }
    }
    openid.pass_on(kept, &mut by_unionid)?;
    Ok(by_unionid)
}
