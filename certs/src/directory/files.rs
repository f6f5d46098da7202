//! Files and folders that are on disk when the call returns.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::{DirectoryError, Modes};

/// A folder with its mode; one that is there keeps its own.
pub(super) fn folder(path: &Path, modes: Modes) -> Result<(), DirectoryError> {
    if path.is_dir() {
        return Ok(());
    }
    let make = || {
        std::fs::create_dir_all(path)?;
        std::fs::set_permissions(path, Permissions::from_mode(modes.folder))?;
        path.parent().map_or(Ok(()), sync_folder)
    };
    make().map_err(|error| DirectoryError::io(path, error))
}

/// A new file with its mode and content, synced.
pub(super) fn file(path: &Path, content: &[u8], modes: Modes) -> Result<(), DirectoryError> {
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        file.set_permissions(Permissions::from_mode(modes.file))?;
        file.write_all(content)?;
        file.sync_all()
    };
    write().map_err(|error| DirectoryError::io(path, error))
}

/// A file whose content is replaced at once.
pub(super) fn replace(folder: &Path, name: &str, content: &[u8], modes: Modes) -> Result<(), DirectoryError> {
    let new = folder.join(format!(".{name}.new"));
    remove(&new)?;
    let written = file(&new, content, modes).and_then(|()| rename(&new, &folder.join(name)));
    if written.is_err() {
        // Half a file helps nobody, least of all on a full disk. It is removed before the next one at the latest.
        let _ = remove(&new);
    }
    written?;
    sync(folder)
}

/// Writes so many bytes, and removes them again.
pub(super) fn try_to_write(path: &Path, size: usize, modes: Modes) -> Result<(), DirectoryError> {
    remove(path)?;
    let written = file(path, &vec![b'.'; size], modes);
    let removed = remove(path);
    written.and(removed)
}

/// Removes a file, a link or a folder with all in it; one that is not there is fine.
pub(super) fn remove(path: &Path) -> Result<(), DirectoryError> {
    let removed = match std::fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(DirectoryError::io(path, error)),
        _ => Ok(()),
    }
}

pub(super) fn rename(from: &Path, to: &Path) -> Result<(), DirectoryError> {
    std::fs::rename(from, to).map_err(|error| DirectoryError::io(to, error))
}

/// What a folder lists, on disk.
pub(super) fn sync(folder: &Path) -> Result<(), DirectoryError> {
    sync_folder(folder).map_err(|error| DirectoryError::io(folder, error))
}

fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })?.sync_all()
}
