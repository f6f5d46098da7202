//! One process at a time works with a file.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::private_file;
use crate::error::StoreError;

/// How often the lock is tried, and the pause between: a database that was just dropped still closes its files.
const TRIES: u32 = 40;
const PAUSE: Duration = Duration::from_millis(50);

/// A lock on the empty file `…-lock` beside a database. The system gives it back when the process ends, however it
/// ends.
#[derive(Debug)]
pub(super) struct LockFile(#[expect(dead_code, reason = "it is held, not used")] File);

impl LockFile {
    pub(super) fn lock(database: &Path) -> Result<Self, StoreError> {
        let mut path = database.as_os_str().to_owned();
        path.push("-lock");
        let path = Path::new(&path);
        let failed = |error: io::Error| {
            let text = format!("{} cannot be locked: {error}", path.display());
            StoreError::unavailable(io::Error::new(error.kind(), text))
        };
        let file = private_file().create(true).truncate(false).open(path).map_err(failed)?;
        for _ in 0..TRIES {
            match file.try_lock() {
                Ok(()) => return Ok(Self(file)),
                Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
        Err(StoreError::InUse { file: database.to_owned() })
    }
}
