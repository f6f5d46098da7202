//! One mirror at a time works with a data file: what it knows in memory would be wrong for a second one.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::error::MirrorError;

/// How often the file is tried, and the pause between: a mirror that was just dropped still closes its own.
const TRIES: u32 = 40;
const PAUSE: Duration = Duration::from_millis(50);

/// The claim on a data file, a lock on the empty file `…-lock` beside it. The system gives it back when the
/// process ends, however it ends.
#[derive(Debug)]
pub(crate) struct InUse(#[expect(dead_code, reason = "it is held, not used")] File);

impl InUse {
    pub(crate) fn claim(data: &Path) -> Result<Self, MirrorError> {
        let path = beside(data);
        let failed = |error: std::io::Error| {
            let path = path.display();
            MirrorError::Storage(format!("{path} cannot be opened: {error}").into())
        };
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        for _ in 0..TRIES {
            match file.try_lock() {
                Ok(()) => return Ok(Self(file)),
                Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
        Err(MirrorError::InUse { file: data.to_owned() })
    }
}

/// Makes the data file, where there is none, so that its owner alone can read it: it holds keys. The files that SQLite
/// puts beside it take after it.
pub(crate) fn make_private(data: &Path) -> Result<(), MirrorError> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(data)
        .map(drop)
        .map_err(|error| MirrorError::Storage(format!("{} cannot be opened: {error}", data.display()).into()))
}

fn beside(data: &Path) -> PathBuf {
    let mut path = data.as_os_str().to_owned();
    path.push("-lock");
    path.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_claimed_once_and_again_when_it_is_free() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data.sqlite");
        let first = InUse::claim(&data).unwrap();
        let error = InUse::claim(&data).unwrap_err();
        assert!(error.to_string().contains("another mirror works with"), "{error}");
        drop(first);
        InUse::claim(&data).unwrap();
    }
}
