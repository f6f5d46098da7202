//! The whole state in one file, and back from it.
//!
//! A snapshot is a SQLite file like a data file. It is written under another name, brought to the disk, and only
//! then renamed. A restore copies it into the store in one transaction, between two of the writer's.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use crate::audit::{self, Audit};
use crate::clock::ClockMode;
use crate::directory::Directory;
use crate::error::MirrorError;
use crate::ledger::{self, schema};
use crate::platform_keys::PlatformKeys;
use crate::state::App;

/// How often a locked file is tried, and the pause between.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(50);

fn refused(file: &Path, reason: impl Into<String>) -> MirrorError {
    MirrorError::Snapshot { file: file.to_owned(), reason: reason.into() }
}

fn storage(error: rusqlite::Error) -> MirrorError {
    MirrorError::Storage(Box::new(error))
}

/// Writes the state into a file; answers its absolute path.
pub(crate) async fn take(app: &App, file: &Path, overwrite: bool) -> Result<PathBuf, MirrorError> {
    let data = app.ledger.file().map(Path::to_owned);
    let target = {
        let (file, data) = (file.to_owned(), data.clone());
        blocking(move || Target::open(&file, data.as_deref(), overwrite)).await?
    };
    let written = match data {
        // A connection of its own sees one state of the file while the writer goes on.
        Some(data) => {
            blocking(move || {
                let connection = open_to_read(&data).map_err(storage)?;
                target.fill(&connection)
            })
            .await?
        }
        None => app.ledger.alone(move |connection| target.fill(connection)).await??,
    };
    blocking(move || written.keep()).await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, MirrorError> + Send + 'static,
) -> Result<T, MirrorError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| MirrorError::Stopped)?
}

/// The file to be, under another name.
struct Target {
    path: PathBuf,
    replaces: bool,
    temporary: tempfile::NamedTempFile,
}

impl Target {
    fn open(file: &Path, data: Option<&Path>, overwrite: bool) -> Result<Self, MirrorError> {
        let path = std::path::absolute(file).map_err(|error| refused(file, error.to_string()))?;
        let replaces = path.symlink_metadata().is_ok();
        if replaces {
            may_replace(&path, data, overwrite)?;
        }
        let (Some(folder), Some(_)) = (path.parent(), path.file_name()) else {
            return Err(refused(&path, "it names no file"));
        };
        let temporary = tempfile::Builder::new()
            .prefix(".favor-mirror-")
            .suffix(".tmp")
            .tempfile_in(folder)
            .map_err(|error| refused(&path, format!("nothing can be written there: {error}")))?;
        Ok(Self { path, replaces, temporary })
    }

    fn fill(self, connection: &Connection) -> Result<Self, MirrorError> {
        let Some(name) = self.temporary.path().to_str() else {
            return Err(refused(&self.path, "its folder's name is not UTF-8"));
        };
        connection
            .execute("VACUUM INTO ?1", [name])
            .map_err(|error| refused(&self.path, format!("it could not be written: {error}")))?;
        Ok(self)
    }

    fn keep(self) -> Result<PathBuf, MirrorError> {
        let Self { path, replaces, temporary } = self;
        let failed = |error: std::io::Error| refused(&path, format!("it could not be written: {error}"));
        temporary.as_file().sync_all().map_err(failed)?;
        if replaces {
            temporary.persist(&path).map_err(|error| failed(error.error))?;
        } else {
            temporary.persist_noclobber(&path).map_err(|error| failed(error.error))?;
        }
        #[cfg(unix)]
        if let Some(folder) = path.parent() {
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
        }
        Ok(path)
    }
}

fn may_replace(path: &Path, data: Option<&Path>, overwrite: bool) -> Result<(), MirrorError> {
    let real = path.canonicalize().map_err(|error| refused(path, error.to_string()))?;
    if data.and_then(|data| data.canonicalize().ok()).is_some_and(|data| data == real) {
        return Err(refused(path, "it is this mirror's own data file"));
    }
    if !overwrite {
        return Err(refused(path, "it exists; overwrite replaces an earlier snapshot"));
    }
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    if Path::new(&log).exists() {
        return Err(refused(path, "another mirror works with it, so it is not replaced"));
    }
    if !is_a_mirrors(path)? {
        return Err(refused(path, "it exists and is no snapshot of a mirror, so it is not replaced"));
    }
    Ok(())
}

const MAGIC: &[u8] = b"SQLite format 3\0";

/// Whether the file says of itself that a mirror made it.
fn is_a_mirrors(path: &Path) -> Result<bool, MirrorError> {
    let header = header(path)?;
    let id = header.get(68..72).and_then(|bytes| bytes.try_into().ok()).map(i32::from_be_bytes);
    Ok(header.starts_with(MAGIC) && id.map(i64::from) == Some(schema::APPLICATION))
}

/// The first bytes of a file, as many as a header of SQLite has.
fn header(path: &Path) -> Result<Vec<u8>, MirrorError> {
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => refused(path, "there is no such file"),
        _ => refused(path, format!("it cannot be read: {error}")),
    };
    let file = File::open(path).map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(refused(path, "it is not a file"));
    }
    let mut header = Vec::with_capacity(100);
    file.take(100).read_to_end(&mut header).map_err(failed)?;
    Ok(header)
}

fn open_to_read(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    Ok(connection)
}

/// Replaces everything in `to`, wholly or not at all.
fn copy(from: &Connection, to: &mut Connection) -> Result<(), String> {
    let backup = Backup::new(from, to).map_err(|error| error.to_string())?;
    for _ in 0..TRIES {
        match backup.step(-1).map_err(|error| error.to_string())? {
            StepResult::Done => return Ok(()),
            _ => std::thread::sleep(PAUSE),
        }
    }
    Err("another program keeps it locked".to_owned())
}

/// A private copy of a data file or snapshot, brought to the present version of the tables. The file itself is
/// not changed.
fn stage(path: &Path) -> Result<Connection, MirrorError> {
    let foreign = || refused(path, "it is neither a snapshot nor a data file of a mirror");
    if !header(path)?.starts_with(MAGIC) {
        return Err(foreign());
    }
    let unreadable = |error: rusqlite::Error| refused(path, format!("it cannot be read: {error}"));
    let source = open_to_read(path).map_err(unreadable)?;
    // Asked of SQLite, since after a crash the newest header is still in the write-ahead log.
    let id: i64 = source.query_row("PRAGMA application_id", [], |row| row.get(0)).map_err(unreadable)?;
    if id != schema::APPLICATION {
        return Err(foreign());
    }
    // A temporary database on disk, which goes with its connection.
    let mut staged = Connection::open("").map_err(storage)?;
    copy(&source, &mut staged).map_err(|reason| refused(path, reason))?;
    schema::prepare(&staged, false).map_err(|error| refused(path, error.to_string()))?;
    let state: String =
        staged.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(unreadable)?;
    if state != "ok" {
        return Err(refused(path, format!("it is damaged: {state}")));
    }
    Ok(staged)
}

/// What a mirror keeps in memory of its store.
struct Held {
    clock: ClockMode,
    platform: PlatformKeys,
    merchants: Directory,
    id_seed: Option<u64>,
}

impl Held {
    fn read(db: &Connection, path: &Path) -> Result<Self, MirrorError> {
        let unreadable = |error: rusqlite::Error| refused(path, format!("it cannot be used: {error}"));
        let merchants = Directory::new(ledger::merchants::all(db).map_err(unreadable)?);
        let platform = ledger::keys::load(db).map_err(unreadable)?;
        let (Some(platform), true) = (platform, merchants.all().next().is_some()) else {
            return Err(refused(path, "it holds no merchant or no platform keys"));
        };
        Ok(Self {
            clock: ledger::clock::load(db).map_err(unreadable)?.unwrap_or(ClockMode::real()),
            platform: platform?,
            merchants,
            id_seed: ledger::first_ids::seed(db).map_err(unreadable)?,
        })
    }
}

/// Replaces the whole state by that of a file; answers its absolute path.
pub(crate) async fn restore(app: &App, file: &Path) -> Result<PathBuf, MirrorError> {
    let path = std::path::absolute(file).map_err(|error| refused(file, error.to_string()))?;
    let _no_move = app.timeline.moving.lock().await;
    let _one_at_a_time = app.changing.lock().await;
    let (staged, held) = {
        let path = path.clone();
        blocking(move || {
            let staged = stage(&path)?;
            let held = Held::read(&staged, &path)?;
            Ok((staged, held))
        })
        .await?
    };
    let target = Arc::clone(app);
    let replaced = app.ledger.alone(move |connection| {
        keep_authority(connection, &staged).map_err(|error| error.to_string())?;
        copy(&staged, connection)?;
        // Here, so that no change is made to the new state with what was known of the old one.
        target.notify.forget();
        target.clocks.set_mode(held.clock);
        target.replace_platform(held.platform);
        target.replace_merchants(held.merchants);
        target.request_ids.reseed(held.id_seed);
        target.rates.clear();
        target.nonces.clear();
        target.links.clear();
        target.timeline.changed();
        Ok::<_, String>(())
    });
    replaced.await?.map_err(|reason| MirrorError::Storage(reason.into()))?;
    Ok(path)
}

/// Clients trust the authority of the mirror that runs, so that one stays.
fn keep_authority(running: &Connection, staged: &Connection) -> rusqlite::Result<()> {
    if let Some((private_key_pem, certificate_pem)) = ledger::authority::load(running)? {
        ledger::authority::save(staged, &private_key_pem, &certificate_pem)?;
    }
    Ok(())
}

/// Audits a data file or a snapshot without changing it.
pub(crate) async fn audit_file(file: &Path) -> Result<Audit, MirrorError> {
    let path = std::path::absolute(file).map_err(|error| refused(file, error.to_string()))?;
    blocking(move || audit::audit(&stage(&path)?).map_err(storage)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(db: &Connection) -> i64 {
        db.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap()
    }

    /// A disk that fills up while a state is copied in leaves the old one.
    #[test]
    fn a_copy_is_whole_or_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let source = Connection::open_in_memory().unwrap();
        source
            .execute_batch(
                "CREATE TABLE t (b BLOB);
                 WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
                 INSERT INTO t SELECT zeroblob(4000) FROM n;",
            )
            .unwrap();
        let file = folder.path().join("target.sqlite");
        let mut target = Connection::open(&file).unwrap();
        target
            .execute_batch(
                "PRAGMA journal_mode = WAL; CREATE TABLE t (b BLOB); INSERT INTO t VALUES (1);
                 PRAGMA max_page_count = 50;",
            )
            .unwrap();
        assert!(copy(&source, &mut target).is_err());
        assert_eq!(rows(&target), 1);
        assert_eq!(rows(&Connection::open(&file).unwrap()), 1);
        target.execute_batch("PRAGMA max_page_count = 1000000").unwrap();
        copy(&source, &mut target).unwrap();
        assert_eq!(rows(&target), 500);
        assert_eq!(rows(&Connection::open(&file).unwrap()), 500);
    }
}
