//! Finding a file that was cut short, which the engine itself notices late or never.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use crate::error::StoreError;

const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Refuses a database that is shorter than its header says. Pages in the log may be missing from the file, so a file
/// that has one is left to the engine.
pub(super) fn check(file: &Path, what: &str) -> Result<(), StoreError> {
    // Asked on both sides of the look: another process may be at work when this one only reads.
    if has_log(file) {
        return Ok(());
    }
    let sizes = sizes(file).map_err(|error| {
        let text = format!("{} cannot be read: {error}", file.display());
        StoreError::unavailable(io::Error::new(error.kind(), text))
    })?;
    match sizes {
        Some((length, wanted)) if length < wanted && !has_log(file) => Err(StoreError::Unusable(format!(
            "{} is damaged: of the {wanted} bytes of {what} {length} are there; put its last backup in its place",
            file.display()
        ))),
        _ => Ok(()),
    }
}

/// The length of a database and the one its header tells of.
fn sizes(file: &Path) -> io::Result<Option<(u64, u64)>> {
    let mut header = [0; 100];
    let mut file = File::open(file)?;
    let length = file.metadata()?.len();
    match file.read_exact(&mut header) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    if !header.starts_with(MAGIC) {
        return Ok(None);
    }
    let page = match u16::from_be_bytes([header[16], header[17]]) {
        1 => 65_536,
        size => u64::from(size),
    };
    let pages = u32::from_be_bytes([header[28], header[29], header[30], header[31]]);
    Ok(Some((length, page * u64::from(pages))))
}

fn has_log(file: &Path) -> bool {
    ["-wal", "-journal"].into_iter().any(|ending| {
        let mut log = OsString::from(file);
        log.push(ending);
        fs::metadata(log).is_ok_and(|log| log.len() > 0)
    })
}
