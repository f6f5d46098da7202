//! Whether a list is still the one that was planned.

use std::io;
use std::path::Path;

use super::ListError;
use super::input::{Input, Opened};
use crate::manifest::ListFacts;

/// What became of a list's file since the campaign was planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ListChange {
    /// It is the same.
    None,
    /// It has other content. The campaign keeps the people it was planned with: who was added since gets nothing, and
    /// who was removed gets a coupon.
    Content,
    /// It is not there.
    Gone,
    /// It came from the standard input, so there is nothing to compare.
    NoFile,
}

/// Compares a list's file with what was read from it. Reads the whole file; blocks.
///
/// # Errors
/// [`ListError::Read`] when it is there and cannot be read.
pub fn compare(file: &Path, facts: &ListFacts) -> Result<ListChange, ListError> {
    if file == Path::new("-") {
        return Ok(ListChange::NoFile);
    }
    let fault = |cause| ListError::Read { file: file.to_owned(), cause };
    let opened = match Opened::new(file) {
        Ok(opened) => opened,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(ListChange::Gone),
        Err(error) => return Err(fault(error)),
    };
    let sha256 = opened.reader().and_then(Input::hash_of).map_err(fault)?;
    Ok(if sha256 == facts.sha256 { ListChange::None } else { ListChange::Content })
}
