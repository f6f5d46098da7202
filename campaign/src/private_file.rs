//! Files with personal data: for their owner only, and whole or not there.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// A file that gets its name, with mode 0600, when it is whole and on disk. Dropped before, it leaves nothing.
#[derive(Debug)]
pub(crate) struct PrivateFile {
    target: PathBuf,
    folder: PathBuf,
    out: BufWriter<NamedTempFile>,
}

impl PrivateFile {
    /// Begins a file that shall become `target`, and replace what is there.
    pub(crate) fn begin(target: &Path) -> io::Result<Self> {
        let folder = match target.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        if target.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
        }
        let file = tempfile::Builder::new().prefix(".favor-").suffix(".part").tempfile_in(folder)?;
        let out = BufWriter::with_capacity(64 << 10, file);
        Ok(Self { target: target.to_owned(), folder: folder.to_owned(), out })
    }

    /// Makes it durable and gives it its name.
    pub(crate) fn finish(self) -> io::Result<()> {
        let file = self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        file.persist(&self.target).map_err(|error| error.error)?;
        // Windows cannot open folders, and needs no such call.
        if cfg!(unix) { File::open(&self.folder)?.sync_all() } else { Ok(()) }
    }
}

impl Write for PrivateFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
