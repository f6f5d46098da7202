//! Lists of people: read, checked, sorted, each person once.
//!
//! A list is comma-separated text: one openid per line, or a header that names the columns. It may be packed with
//! gzip. Lists of any size are read in the memory that the source allows; what does not fit goes to temporary files
//! without a name, so that no openid stays on disk, whatever happens to the process.

mod columns;
mod input;
mod problem;
mod problems;
mod reading;
mod same_person;
mod sorted;
mod unchanged;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use problem::{Problem, ProblemKind};
pub use sorted::{People, SortedList};
pub use unchanged::{ListChange, compare};

/// Where a list is read from, and how.
#[derive(Clone)]
#[non_exhaustive]
pub struct ListSource {
    /// The file; `-` is the standard input.
    pub file: PathBuf,
    /// The name of the column with the openids; `openid` when it is not set, and then a list without a header is
    /// taken too.
    pub openid_column: Option<String>,
    /// The name of the column with the unionids, by which one person behind two openids is told; when it is not set,
    /// `unionid` if there is one.
    pub unionid_column: Option<String>,
    /// How much memory the sort may use, in bytes: 64 MiB.
    pub memory: usize,
    /// Where the temporary files go; beside the list when it is not set, or where the system keeps such files when
    /// that is not possible.
    pub temporary_folder: Option<PathBuf>,
    /// How many problems are kept in memory, those on the first lines: 1,000.
    pub problems_kept: usize,
    /// A file that gets all problems, as comma-separated text; it is replaced if it is there.
    pub problems_file: Option<PathBuf>,
    progress: Option<Arc<dyn Fn(ListProgress) + Send + Sync>>,
}

/// How far the reading of a list is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListProgress {
    /// Bytes of the file so far.
    pub bytes: u64,
    /// Its size, where it is known.
    pub total: Option<u64>,
    /// Rows so far.
    pub rows: u64,
}

impl ListSource {
    /// The list in this file, or on the standard input if it is `-`.
    pub fn new(file: impl Into<PathBuf>) -> Self {
        Self {
            file: file.into(),
            openid_column: None,
            unionid_column: None,
            memory: 64 << 20,
            temporary_folder: None,
            problems_kept: 1_000,
            problems_file: None,
            progress: None,
        }
    }

    /// Names the column with the openids. The list then must have a header.
    #[must_use]
    pub fn openid_column(mut self, name: impl Into<String>) -> Self {
        self.openid_column = Some(name.into());
        self
    }

    /// Names the column with the unionids. The list then must have a header.
    #[must_use]
    pub fn unionid_column(mut self, name: impl Into<String>) -> Self {
        self.unionid_column = Some(name.into());
        self
    }

    /// Sets how much memory the sort may use, in bytes; at least 1 MiB is used.
    #[must_use]
    pub fn memory(mut self, bytes: usize) -> Self {
        self.memory = bytes;
        self
    }

    /// Sets where the temporary files go.
    #[must_use]
    pub fn temporary_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.temporary_folder = Some(folder.into());
        self
    }

    /// Sets how many problems are kept in memory.
    #[must_use]
    pub fn problems_kept(mut self, most: usize) -> Self {
        self.problems_kept = most;
        self
    }

    /// Writes all problems to this file.
    #[must_use]
    pub fn problems_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.problems_file = Some(file.into());
        self
    }

    /// Tells `progress` how far the reading is, every some thousand rows. It runs inline, so it must be quick.
    #[must_use]
    pub fn progress(mut self, progress: impl Fn(ListProgress) + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(progress));
        self
    }

    /// Whether it is the standard input.
    fn is_stdin(&self) -> bool {
        self.file == Path::new("-")
    }
}

impl fmt::Debug for ListSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListSource")
            .field("file", &self.file)
            .field("openid_column", &self.openid_column)
            .field("unionid_column", &self.unionid_column)
            .field("memory", &self.memory)
            .field("temporary_folder", &self.temporary_folder)
            .field("problems_kept", &self.problems_kept)
            .field("problems_file", &self.problems_file)
            .finish_non_exhaustive()
    }
}

/// Reads a list: checks each row, drops who is named before, and sorts the rest by the bytes of the openid. Blocks;
/// from async code call it on a thread of its own.
///
/// A row that is malformed or names a person again is a [`Problem`] and no error. Of the rows of one person the first
/// counts. With unionids, openids of one unionid are one person, which counts with the openid that comes first.
///
/// # Errors
/// [`ListError`]: the list cannot be read at all, or not to its end.
pub fn read(source: &ListSource) -> Result<SortedList, ListError> {
    reading::read(source)
}

/// Why a list could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// The file cannot be opened or read.
    #[error("the list {} cannot be read", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The gzip file ends too early or is damaged.
    #[error("the list {} is packed, and its gzip data is cut or damaged; get it again", file.display())]
    Packed {
        /// The file.
        file: PathBuf,
        /// What was noticed.
        #[source]
        cause: io::Error,
    },
    /// The file was changed while it was read.
    #[error("the list {} was changed while it was read; plan again when it is complete", .0.display())]
    Changed(PathBuf),
    /// It is text in UTF-16, as some spreadsheets write it.
    #[error("the list is in UTF-16; save it as CSV in UTF-8")]
    Utf16,
    /// The header has not the column that is asked for, or the list has no header where it needs one.
    #[error(
        "the first line has {found} columns and none of them is called {wanted:?}; name the column to use, or give a \
         list with one openid per line"
    )]
    NoColumn {
        /// The name that is looked for.
        wanted: String,
        /// How many columns the first line has.
        found: usize,
    },
    /// The header has a column twice.
    #[error("the header has the column {0:?} twice; rename one of them")]
    RepeatedColumn(String),
    /// The first line cannot be read as a header or a row.
    #[error("the first line is not a header and not an openid: {0}")]
    NoHeader(ProblemKind),
    /// The temporary files cannot be written or read.
    #[error("a temporary file in {} cannot be used; choose another folder or make room", folder.display())]
    Temporary {
        /// Their folder.
        folder: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The file for the problems cannot be written.
    #[error("the problems cannot be written to {}", file.display())]
    Problems {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
}
