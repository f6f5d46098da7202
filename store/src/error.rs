//! Why a store could not do its work.

use std::path::PathBuf;
use std::sync::Arc;

/// The source of an error; shared, since one failed commit is the fate of many jobs.
pub(crate) type Cause = Arc<dyn std::error::Error + Send + Sync>;

/// Why a store could not do its work. Nothing was changed, unless the connection to a server broke while it
/// committed: then it is not known.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It cannot be reached, is busy or out of space; the same work may succeed later.
    #[error("the store is not available")]
    Unavailable(#[source] Cause),
    /// Another process works with the file.
    #[error("another process works with {}; stop it first, or open the file for reading only", file.display())]
    InUse {
        /// The database.
        file: PathBuf,
    },
    /// It is not what was expected; the text says what it is and what to do.
    #[error("{0}")]
    Unusable(String),
    /// The engine refused the work: a fault of whoever wrote the statement, or a constraint.
    #[error("the store refused the work")]
    Failed(#[source] Cause),
    /// The work panicked. What it had changed was undone.
    #[error("work on the store panicked")]
    Panicked,
    /// It was opened for reading only.
    #[error("the store was opened for reading only")]
    ReadOnly,
    /// It was closed.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// Whether the same work may succeed later.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::InUse { .. })
    }

    /// For work that cannot be done now for a reason of its own.
    pub fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Unavailable(Arc::new(error))
    }

    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(crate) fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Failed(Arc::new(error))
    }
}
