//! The handle to a file.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use tokio::sync::mpsc;

use super::batch::Guard;
use super::lock_file::LockFile;
use super::schema::Schema;
use super::thread::{Message, Worker};
use super::{batch, cut, private_file};
use crate::error::StoreError;

/// How long a statement waits for a lock of another process, such as a backup's.
const BUSY: Duration = Duration::from_secs(5);
/// Prepared statements kept by a connection.
const STATEMENTS: usize = 64;
/// What the write-ahead log is cut back to after it grew.
const LOG_BYTES: i64 = 64 << 20;

/// A SQLite file that one process works with.
///
/// Work is a closure over the connection. Closures that write run on one thread, up to 256 in one transaction, each
/// in a savepoint of its own, and are answered after `COMMIT`: what a caller was told is on disk, and all changes
/// happen in one order. Closures that read run on another thread and see what was committed.
///
/// Dropping it ends the threads after the work they have; [`close`](Self::close) also waits for that.
pub struct Database {
    file: PathBuf,
    writer: Option<mpsc::Sender<Message>>,
    reader: mpsc::Sender<Message>,
    /// The reader first: SQLite clears its log away when the last connection closes, and only one that may write
    /// can.
    threads: Mutex<Vec<Worker>>,
}

impl Database {
    /// Opens a file for work, creates it (readable by its owner alone) where there is none, and brings it to the
    /// newest version. Blocks; a lock of another process is waited for up to two seconds.
    ///
    /// # Errors
    /// [`StoreError::InUse`] while another process works with it, [`StoreError::Unusable`] when it is something
    /// else, damaged or of a newer version, [`StoreError::Unavailable`] when it cannot be opened.
    pub fn open(file: &Path, schema: &Schema) -> Result<Self, StoreError> {
        create(file).map_err(|error| at(file, &error))?;
        let file = file.canonicalize().map_err(|error| at(file, &error))?;
        let lock = LockFile::lock(&file)?;
        let (mut connection, version) = connect_for_work(&file, schema)?;
        set_up(&connection)?;
        schema.migrate(&mut connection, version)?;
        Self::start(file, connection, Some(lock))
    }

    /// Opens a file for work beside the process that has its lock, and creates it where there is none. Each sees what
    /// the other committed; where both write at the same time, one waits for the other for up to five seconds.
    /// Blocks.
    ///
    /// For short changes to what another process works with, where that is made for it. A file that is not of the
    /// newest version is brought to it only while nobody else works with it.
    ///
    /// # Errors
    /// As [`open`](Self::open), but [`StoreError::InUse`] only for a file of an older version.
    pub fn open_beside(file: &Path, schema: &Schema) -> Result<Self, StoreError> {
        create(file).map_err(|error| at(file, &error))?;
        let file = file.canonicalize().map_err(|error| at(file, &error))?;
        let (mut connection, version) = connect_for_work(&file, schema)?;
        let is_newest = |version| version == schema.version();
        if !is_newest(version) {
            let locked = LockFile::lock(&file);
            // Whoever had the lock meanwhile may have done it.
            let version = schema.check(&connection, &file)?;
            let _lock = locked.map(Some).or_else(|error| is_newest(version).then_some(None).ok_or(error))?;
            set_up(&connection)?;
            schema.migrate(&mut connection, version)?;
        } else {
            set_up(&connection)?;
        }
        Self::start(file, connection, None)
    }

    fn start(file: PathBuf, connection: Connection, lock: Option<LockFile>) -> Result<Self, StoreError> {
        let reader = start_reader(&file)?;
        let writer = Worker::start("favor-writer", connection, lock, batch::commit)?;
        Ok(Self {
            writer: Some(writer.jobs.clone()),
            reader: reader.jobs.clone(),
            threads: Mutex::new(vec![reader, writer]),
            file,
        })
    }

    /// Opens a file to look at it, while another process works with it or none does. Blocks.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] when it is something else, damaged, or not of this version;
    /// [`StoreError::Unavailable`] when it is not there or cannot be opened.
    pub fn open_read_only(file: &Path, schema: &Schema) -> Result<Self, StoreError> {
        let file = file.canonicalize().map_err(|error| at(file, &error))?;
        cut::check(&file, schema.what)?;
        let connection = connect(&file, READ_ONLY)?;
        let version = schema.check(&connection, &file)?;
        if version != schema.version() {
            return Err(StoreError::Unusable(format!(
                "{} is {} of an older version ({version}, not {}); work with it once, which brings it up to date",
                file.display(),
                schema.what,
                schema.version(),
            )));
        }
        let reader = Worker::start("favor-reader", connection, None, batch::read)?;
        Ok(Self { file, writer: None, reader: reader.jobs.clone(), threads: Mutex::new(vec![reader]) })
    }

    /// Runs work that changes something. When this returns `Ok`, the change is committed. When the caller stops
    /// waiting, the work is done nevertheless.
    ///
    /// # Errors
    /// The engine's, as [`StoreError::Unavailable`] where the same work may succeed later (a full disk);
    /// [`StoreError::Panicked`] when the work did; [`StoreError::ReadOnly`], [`StoreError::Closed`]. In all cases
    /// nothing was changed.
    pub async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let writer = self.writer.as_ref().ok_or(StoreError::ReadOnly)?;
        Worker::submit(writer, work, Guard::Savepoint).await
    }

    /// As [`write`](Self::write), cheaper, for work that fails only when the store does: its failure undoes everything
    /// that shares its transaction, and whoever waits for that gets the same error.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub async fn write_unguarded<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let writer = self.writer.as_ref().ok_or(StoreError::ReadOnly)?;
        Worker::submit(writer, work, Guard::Transaction).await
    }

    /// Runs work that only looks. It sees everything that has been answered so far.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        Worker::submit(&self.reader, work, Guard::Savepoint).await
    }

    /// The file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Ends the threads after the work they already have, and waits until the file is closed and its lock given
    /// back.
    pub async fn close(&self) {
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // An error means that the thread has ended already.
            thread.jobs.send(Message::Close).await.ok();
            tokio::task::spawn_blocking(|| thread.join()).await.ok();
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = if self.writer.is_some() { "for work" } else { "for reading only" };
        f.debug_struct("Database").field("file", &self.file).field("open", &mode).finish_non_exhaustive()
    }
}

const READ_ONLY: OpenFlags = OpenFlags::SQLITE_OPEN_READ_ONLY.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

/// A connection that writes, and the version of the file.
fn connect_for_work(file: &Path, schema: &Schema) -> Result<(Connection, i64), StoreError> {
    cut::check(file, schema.what)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = connect(file, flags)?;
    let version = schema.check(&connection, file)?;
    Ok((connection, version))
}

/// How a connection that writes makes its work durable.
fn set_up(connection: &Connection) -> Result<(), StoreError> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES)?;
    Ok(())
}

fn start_reader(file: &Path) -> Result<Worker, StoreError> {
    Worker::start("favor-reader", connect(file, READ_ONLY)?, None, batch::read)
}

fn connect(file: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

/// Makes an empty file where there is none, and its name durable.
fn create(file: &Path) -> io::Result<()> {
    match private_file().create_new(true).open(file) {
        Ok(_) => {
            let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
            File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

fn at(file: &Path, error: &io::Error) -> StoreError {
    let text = format!("{} cannot be opened: {error}", file.display());
    StoreError::unavailable(io::Error::new(error.kind(), text))
}
