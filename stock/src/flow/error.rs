//! What can go wrong with a flow file.

use std::io;
use std::path::PathBuf;

use favor_core::Error;

use crate::flow::FlowRowError;

/// A flow file could not be brought. Nothing is then under the final name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FlowError {
    /// The link could not be had, or the file not be fetched.
    #[error("the flow file cannot be fetched")]
    Api(#[from] Error),
    /// A file or folder on this machine cannot be used.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There is a file under the final name already.
    #[error("{} exists; choose another name, or allow it to be replaced", .0.display())]
    Exists(PathBuf),
    /// Another download to the same name is under way.
    #[error("another download to {} is under way", .0.display())]
    Busy(PathBuf),
    /// The file differs from what the platform announced, also when fetched again.
    #[error("the file's SHA-1 is {found}, and the platform announced {announced}")]
    Hash {
        /// What the platform announced.
        announced: String,
        /// What the file has.
        found: String,
    },
    /// The file holds another number of records than the platform announced.
    #[error("the file holds {found} records, and the platform announced {announced}")]
    Count {
        /// What the platform announced.
        announced: u64,
        /// What the file holds.
        found: u64,
    },
    /// The file is larger than allowed, packed or unpacked.
    #[error("the file is larger than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// The file begins like gzip and cannot be unpacked.
    #[error("the file begins like gzip and cannot be unpacked")]
    Gzip(#[source] io::Error),
    /// The file's rows cannot be read to their end.
    #[error("the file's rows cannot be read")]
    Rows(#[from] FlowRowError),
}

impl FlowError {
    pub(crate) fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }

    /// Whether a new link and another try can help.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            // How the platform refuses an expired link is not documented, but for 401 it is our signature.
            FlowError::Api(error) => {
                error.is_retryable() || error.api().is_some_and(|api| matches!(api.status(), 400 | 402..500))
            }
            FlowError::Hash { .. } | FlowError::Count { .. } | FlowError::Gzip(_) => true,
            _ => false,
        }
    }
}
