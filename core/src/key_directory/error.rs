//! Why keys cannot be taken from a directory or from the daemon.

use std::path::Path;

use crate::key_file::KeyError;

/// Why a set of platform keys cannot be taken from where it is kept. What is held stays in use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyDirectoryError {
    /// Nothing was published for this merchant yet.
    #[error("{place}: no keys are published here; see that favor certs watch runs and has this merchant")]
    Missing {
        /// Where keys were looked for.
        place: String,
    },
    /// The place cannot be read.
    #[error("{place}: cannot be read: {why}")]
    Unreadable {
        /// The file, folder or address.
        place: String,
        /// What the system said.
        why: String,
    },
    /// It was read and is not what it should be.
    #[error("{place}: {why}")]
    Damaged {
        /// The file, folder or address.
        place: String,
        /// What is wrong with it.
        why: String,
    },
    /// A key file does not hold the key it should.
    #[error("{place}: {why}")]
    Key {
        /// The file or address.
        place: String,
        /// What is wrong with the key.
        why: KeyError,
    },
    /// An older set was offered than the one in use.
    #[error("{place}: has generation {offered}, older than {held} which is in use")]
    Backwards {
        /// The folder or address.
        place: String,
        /// The generation in use.
        held: u64,
        /// The generation found.
        offered: u64,
    },
}

impl KeyDirectoryError {
    pub(crate) fn io(path: &Path, error: &std::io::Error) -> Self {
        Self::Unreadable { place: path.display().to_string(), why: error.to_string() }
    }

    pub(crate) fn damaged(place: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Damaged { place: place.into(), why: why.into() }
    }
}
