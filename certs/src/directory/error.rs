//! Why nothing was written.

use std::path::{Path, PathBuf};

use favor_core::KeyDirectoryError;

/// Why the directory could not be written. What was in force still is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// Another process writes it.
    #[error("{}: another favor certs watch writes this directory", root.display())]
    Held {
        /// The directory.
        root: PathBuf,
    },
    /// The system refused.
    #[error("{}: cannot be written: {error}; see that there is room and that this user may write", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// There would be no key left.
    #[error("nothing was published: there would be no key that has not expired")]
    WouldBeEmpty,
    /// What was written does not read back as what was to be written.
    #[error("nothing was published: the new release does not read back")]
    ReadBack(#[source] KeyDirectoryError),
    /// What is there cannot be read, so that nothing may follow it.
    #[error("nothing was published: the release in force cannot be read")]
    Unreadable(#[source] KeyDirectoryError),
    /// The work was given up, at the end of the program.
    #[error("nothing was published: {0}")]
    Stopped(String),
    /// No merchant id.
    #[error("a merchant id has only digits")]
    MerchantId,
}

impl DirectoryError {
    pub(super) fn io(path: &Path, error: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), error }
    }
}
