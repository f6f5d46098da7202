//! A file that is being written beside its final name, and gets that name only when it is whole.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::flow::FlowError;

/// The unfinished file: locked while it is written, removed when it is dropped unfinished. What a killed process
/// leaves is taken over by the next download to the same name.
#[derive(Debug)]
pub(crate) struct PartFile {
    target: PathBuf,
    path: PathBuf,
    file: Option<File>,
}

impl PartFile {
    /// Begins a file that shall become `target`.
    pub(crate) fn begin(target: &Path) -> Result<Self, FlowError> {
        Self::begin_as(target, "part")
    }

    /// Begins another file that shall become the same target, to be made from this one.
    pub(crate) fn second(&self) -> Result<Self, FlowError> {
        Self::begin_as(&self.target, "text")
    }

    fn begin_as(target: &Path, kind: &str) -> Result<Self, FlowError> {
        let path = part_path(target, kind)?;
        loop {
            let open = || OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
            let file = open().map_err(FlowError::file("write", &path))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(FlowError::Busy(target.to_owned())),
                Err(TryLockError::Error(error)) => return Err(FlowError::file("lock", &path)(error)),
            }
            // Its last owner may have removed it between our opening and our locking.
            if is_still_named(&file, &path) {
                file.set_len(0).map_err(FlowError::file("write", &path))?;
                return Ok(Self { target: target.to_owned(), path, file: Some(file) });
            }
        }
    }

    /// The unfinished file's own name.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A second handle to write through.
    pub(crate) fn handle(&self) -> Result<File, FlowError> {
        let file = self.file.as_ref().ok_or_else(|| io::Error::other("the file is finished"));
        file.and_then(File::try_clone).map_err(FlowError::file("write", &self.path))
    }

    /// Makes the file durable and gives it its final name, replacing another only when `replace` says so.
    pub(crate) fn finish(mut self, replace: bool) -> Result<(), FlowError> {
        let Some(file) = self.file.take() else { return Ok(()) };
        file.sync_all().map_err(FlowError::file("write", &self.path))?;
        let named = if replace { std::fs::rename(&self.path, &self.target) } else { self.name_once() };
        match named {
            Ok(()) => {}
            Err(error) if !replace && error.kind() == io::ErrorKind::AlreadyExists => {
                self.file = Some(file);
                return Err(FlowError::Exists(self.target.clone()));
            }
            Err(error) => {
                self.file = Some(file);
                return Err(FlowError::file("rename to", &self.target)(error));
            }
        }
        sync_folder(&self.target)
    }

    /// A hard link fails when the name is taken, which a rename does not. Where there are no hard links, a look
    /// before the rename has to do.
    fn name_once(&self) -> io::Result<()> {
        match std::fs::hard_link(&self.path, &self.target) {
            Ok(()) => std::fs::remove_file(&self.path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
            Err(_) if self.target.exists() => Err(io::ErrorKind::AlreadyExists.into()),
            Err(_) => std::fs::rename(&self.path, &self.target),
        }
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        if self.file.is_some() {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// `.NAME.favor-KIND` beside `target`.
fn part_path(target: &Path, kind: &str) -> Result<PathBuf, FlowError> {
    let no_name = || FlowError::file("write", target)(io::Error::other("it is not the name of a file"));
    let name = target.file_name().ok_or_else(no_name)?;
    let mut part = std::ffi::OsString::from(".");
    part.push(name);
    part.push(".favor-");
    part.push(kind);
    Ok(target.with_file_name(part))
}

#[cfg(unix)]
fn is_still_named(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(ours), Ok(named)) => (ours.dev(), ours.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_still_named(_file: &File, path: &Path) -> bool {
    path.exists()
}

#[cfg(unix)]
fn sync_folder(target: &Path) -> Result<(), FlowError> {
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(FlowError::file("sync", folder))
}

#[cfg(not(unix))]
fn sync_folder(_target: &Path) -> Result<(), FlowError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn the_final_name_is_given_once_and_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("flow.csv");
        let part = PartFile::begin(&target).unwrap();
        part.handle().unwrap().write_all(b"one").unwrap();
        assert!(!target.exists());
        assert!(matches!(PartFile::begin(&target), Err(FlowError::Busy(_))));
        part.finish(false).unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"one");

        let part = PartFile::begin(&target).unwrap();
        assert!(matches!(part.finish(false), Err(FlowError::Exists(_))));
        let part = PartFile::begin(&target).unwrap();
        part.handle().unwrap().write_all(b"two").unwrap();
        part.finish(true).unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"two");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_a_killed_process_left_is_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("flow.csv");
        std::fs::write(part_path(&target, "part").unwrap(), "half of an old file").unwrap();
        let part = PartFile::begin(&target).unwrap();
        part.handle().unwrap().write_all(b"new").unwrap();
        part.finish(false).unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"new");
        drop(PartFile::begin(&target.with_file_name("other.csv")).unwrap());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "an unfinished one is removed");
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let error = PartFile::begin(Path::new("no/such/folder/flow.csv")).unwrap_err();
        assert!(error.to_string().contains("no/such/folder"), "{error}");
        assert!(PartFile::begin(Path::new("/")).is_err());
    }
}
