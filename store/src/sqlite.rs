//! One SQLite file, one thread that writes with group commit, one that reads.

mod batch;
mod cut;
mod database;
mod lock_file;
mod schema;
mod thread;

pub use database::Database;
pub use rusqlite;
pub use schema::Schema;

use std::fs::OpenOptions;

use rusqlite::ErrorCode;

use crate::error::StoreError;

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use ErrorCode::{
            CannotOpen, DatabaseBusy, DatabaseCorrupt, DatabaseLocked, DiskFull, NotADatabase, OutOfMemory,
            PermissionDenied, ReadOnly, SystemIoFailure,
        };
        match error.sqlite_error_code() {
            // A file or a folder that may not be written may be so again.
            Some(
                CannotOpen | DatabaseBusy | DatabaseLocked | DiskFull | OutOfMemory | PermissionDenied
                | ReadOnly | SystemIoFailure,
            ) => Self::unavailable(error),
            Some(DatabaseCorrupt | NotADatabase) => Self::Unusable(format!(
                "the database is damaged ({error}); put its last backup in its place, or rescue what can be \
                 read with the command `sqlite3 FILE .recover`"
            )),
            _ => Self::failed(error),
        }
    }
}

/// To make a file that its owner alone can read.
fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
