//! A flow as a temporary file, written in portions and hashed on the way.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write as _};
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};
use flate2::Compression;
use flate2::read::GzEncoder;
use tokio::task::spawn_blocking;

use super::row::{self, Flow, FlowRow, Place};
use super::writer;
use crate::answer::Answer;
use crate::random;
use crate::state::App;

/// Records that are in memory at a time.
const PORTION: i64 = 4_096;
const BUFFER: usize = 64 * 1024;

/// A finished file. It has no name, so the system removes it with its last link, or with the process.
#[derive(Debug)]
pub(crate) struct FlowFile {
    file: File,
    /// In lower-case hexadecimal digits.
    pub(crate) sha1: String,
    pub(crate) bytes: u64,
    pub(crate) records: u64,
}

impl FlowFile {
    /// The content from its beginning, independent of other readers.
    pub(crate) fn reader(self: &Arc<Self>) -> FlowReader {
        FlowReader { file: Arc::clone(self), position: 0 }
    }

    /// The same content as a gzip stream.
    pub(crate) fn packed(self: &Arc<Self>) -> io::Result<Self> {
        let mut packed = GzEncoder::new(self.reader(), Compression::default());
        let mut writing = Writing::new()?;
        let mut buffer = vec![0; BUFFER];
        loop {
            match packed.read(&mut buffer)? {
                0 => break,
                read => writing.add(&buffer[..read])?,
            }
        }
        writing.records = self.records;
        writing.finish()
    }
}

/// Reads a file and keeps it for as long.
#[derive(Debug)]
pub(crate) struct FlowReader {
    file: Arc<FlowFile>,
    position: u64,
}

impl Read for FlowReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = read_at(&self.file.file, buffer, self.position)?;
        self.position += u64::try_from(read).map_err(io::Error::other)?;
        Ok(read)
    }
}

/// Does not depend on where other readers are.
#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], position: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, position)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], position: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, position)
}

/// A file being written.
struct Writing {
    file: BufWriter<File>,
    hash: Context,
    bytes: u64,
    records: u64,
}

impl Writing {
    fn new() -> io::Result<Self> {
        Ok(Self {
            file: BufWriter::with_capacity(BUFFER, tempfile::tempfile()?),
            hash: Context::new(&SHA1_FOR_LEGACY_USE_ONLY),
            bytes: 0,
            records: 0,
        })
    }

    fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.bytes += u64::try_from(bytes.len()).map_err(io::Error::other)?;
        self.file.write_all(bytes)
    }

    fn records(mut self, flow: Flow, rows: &[FlowRow]) -> io::Result<Self> {
        let mut out = Vec::with_capacity(rows.len() * 192);
        for row in rows {
            writer::record(&mut out, flow, row);
            self.records += 1;
        }
        self.add(&out)?;
        Ok(self)
    }

    fn finish(self) -> io::Result<FlowFile> {
        Ok(FlowFile {
            file: self.file.into_inner().map_err(io::IntoInnerError::into_error)?,
            sha1: random::encode_hex(self.hash.finish().as_ref()).to_lowercase(),
            bytes: self.bytes,
            records: self.records,
        })
    }
}

/// Writes the flow as it was when `last` was its last record.
pub(super) async fn write(app: &App, flow: Flow, last: i64) -> Result<Arc<FlowFile>, Answer> {
    let mut writing = blocking(move || {
        let mut writing = Writing::new()?;
        writing.add(writer::header(flow).as_bytes())?;
        Ok(writing)
    })
    .await?;
    let mut place = Place::START;
    loop {
        // One job for each portion, so that other work gets its turn in between.
        let rows = app.ledger.read(move |db| row::read(db, flow, last, place, PORTION)).await?;
        let Some(end) = rows.last() else { break };
        place = end.place;
        writing = blocking(move || writing.records(flow, &rows)).await?;
    }
    blocking(move || {
        let records = writing.records;
        writing.add(writer::summary(records).as_bytes())?;
        writing.finish().map(Arc::new)
    })
    .await
}

/// Work on files, away from the threads that serve requests.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Answer> {
    match spawn_blocking(work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(Answer::failed(format!("a temporary file cannot be used: {error}"))),
        Err(error) => Err(Answer::failed(error.to_string())),
    }
}
