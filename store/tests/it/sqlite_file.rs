//! What is done with right and wrong files.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use favor_store::StoreError;
use favor_store::sqlite::{Database, Schema, rusqlite::Connection};
use tempfile::TempDir;

const V1: Schema = Schema {
    what: "a list of numbers",
    application_id: 77,
    steps: &["CREATE TABLE numbers (n INTEGER NOT NULL) STRICT"],
};
const V2: Schema = Schema {
    steps: &[V1.steps[0], "ALTER TABLE numbers ADD COLUMN word TEXT NOT NULL DEFAULT 'none'"],
    ..V1
};

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("numbers.sqlite");
    (folder, file)
}

async fn put(database: &Database, number: i64) {
    database.write(move |sql| sql.execute("INSERT INTO numbers (n) VALUES (?1)", [number])).await.unwrap();
}

async fn sum(database: &Database) -> i64 {
    database
        .read(|sql| sql.query_row("SELECT coalesce(sum(n), 0) FROM numbers", [], |row| row.get(0)))
        .await
        .unwrap()
}

#[track_caller]
fn refused(file: &Path, schema: &Schema, words: &str) {
    let before = fs::read(file).unwrap();
    for opened in [Database::open(file, schema), Database::open_read_only(file, schema)] {
        let error = opened.unwrap_err();
        assert!(matches!(error, StoreError::Unusable(_)), "{error:?}");
        assert!(!error.is_temporary());
        let text = error.to_string();
        assert!(text.contains(words) && text.contains("numbers.sqlite"), "{text}");
    }
    assert!(fs::read(file).unwrap() == before, "a file that is refused is not changed");
}

#[tokio::test]
async fn what_was_written_is_there_when_it_is_opened_again() {
    let (_folder, file) = place();
    let database = Database::open(&file, &V1).unwrap();
    put(&database, 3).await;
    database.close().await;
    assert!(
        !file.with_file_name("numbers.sqlite-wal").exists(),
        "a clean close leaves one file and its lock"
    );
    let database = Database::open(&file, &V1).unwrap();
    put(&database, 4).await;
    assert_eq!(sum(&database).await, 7);
}

#[tokio::test]
async fn only_its_owner_can_read_it() {
    let (folder, file) = place();
    let database = Database::open(&file, &V1).unwrap();
    put(&database, 1).await;
    let mut seen = 0;
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?} has mode {mode:o}", entry.file_name());
        seen += 1;
    }
    assert_eq!(seen, 4, "the database, its log, its index and its lock");
    database.close().await;
}

#[tokio::test]
async fn an_older_version_is_led_up() {
    let (_folder, file) = place();
    let database = Database::open(&file, &V1).unwrap();
    put(&database, 3).await;
    database.close().await;
    let error = Database::open_read_only(&file, &V2).unwrap_err().to_string();
    assert!(error.contains("of an older version (1, not 2); work with it once"), "{error}");
    let database = Database::open(&file, &V2).unwrap();
    let word: String =
        database.read(|sql| sql.query_row("SELECT word FROM numbers", [], |row| row.get(0))).await.unwrap();
    assert_eq!(word, "none");
    database.close().await;
    refused(&file, &V1, "written by a newer favor (its version is 2, this program knows up to 1)");
}

#[tokio::test]
async fn a_step_that_fails_leaves_the_old_version() {
    let (_folder, file) = place();
    let database = Database::open(&file, &V1).unwrap();
    put(&database, 3).await;
    database.close().await;
    const BROKEN: Schema =
        Schema { steps: &[V1.steps[0], "CREATE TABLE more (n); CREATE TABLE more (n)"], ..V1 };
    assert!(matches!(Database::open(&file, &BROKEN).unwrap_err(), StoreError::Failed(_)));
    let database = Database::open(&file, &V1).unwrap();
    assert_eq!(sum(&database).await, 3);
}

#[test]
fn files_of_something_else_are_refused_and_left_alone() {
    let (_folder, file) = place();
    fs::write(&file, "openid,coupon\n".repeat(100)).unwrap();
    refused(&file, &V1, "is not a database");

    fs::remove_file(&file).unwrap();
    let other = Connection::open(&file).unwrap();
    other.execute_batch("CREATE TABLE accounts (n); INSERT INTO accounts VALUES (1)").unwrap();
    refused(&file, &V1, "is a database of something else");
    other.pragma_update(None, "application_id", 78).unwrap();
    drop(other);
    refused(&file, &V1, "is a database of something else");
}

#[tokio::test]
async fn a_file_that_was_cut_is_refused() {
    let (_folder, file) = place();
    let database = Database::open(&file, &V1).unwrap();
    database
        .write(|sql| {
            sql.execute_batch(
                "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 10000)
                 INSERT INTO numbers SELECT n FROM c",
            )
        })
        .await
        .unwrap();
    database.close().await;
    let whole = fs::read(&file).unwrap();
    for length in [whole.len() / 2, whole.len() - 1, 4096, 3000, 300, 60] {
        fs::write(&file, &whole[..length]).unwrap();
        refused(&file, &V1, "is damaged");
    }
}

#[tokio::test]
async fn a_second_one_is_kept_out_and_told_which_file() {
    let (_folder, file) = place();
    let first = Database::open(&file, &V1).unwrap();
    put(&first, 5).await;
    let link = file.with_file_name("other-name.sqlite");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    for name in [&file, &link] {
        let error = Database::open(name, &V1).unwrap_err();
        assert!(matches!(error, StoreError::InUse { .. }) && error.is_temporary(), "{error:?}");
        assert!(error.to_string().contains("another process works with /"), "{error}");
        assert!(error.to_string().contains("numbers.sqlite"), "{error}");
    }

    // One may look meanwhile, and sees what is committed.
    let looking = Database::open_read_only(&file, &V1).unwrap();
    assert_eq!(sum(&looking).await, 5);
    put(&first, 6).await;
    assert_eq!(sum(&looking).await, 11);
    let error = looking.write(|sql| sql.execute("DELETE FROM numbers", [])).await.unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly));
    let error = looking.read(|sql| sql.execute("DELETE FROM numbers", [])).await.unwrap_err();
    assert!(error.to_string().contains("not available"), "{error}");

    first.close().await;
    let second = Database::open(&file, &V1).unwrap();
    assert_eq!(sum(&second).await, 11);
}

/// On a slow machine, closing what was dropped can outlast the patience of one opening.
fn open_when_free(file: &Path) -> Database {
    let tries = (0..50).map(|_| Database::open(file, &V1));
    tries.into_iter().find(|opened| !matches!(opened, Err(StoreError::InUse { .. }))).unwrap().unwrap()
}

#[tokio::test]
async fn what_was_dropped_can_be_opened_again() {
    let (_folder, file) = place();
    for number in 1..=3 {
        let database = open_when_free(&file);
        put(&database, number).await;
        drop(database);
    }
    assert_eq!(sum(&open_when_free(&file)).await, 6);
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let (_folder, file) = place();
    let missing = file.with_file_name("no-such-folder").join("numbers.sqlite");
    for opened in [
        Database::open(&missing, &V1),
        Database::open_read_only(&missing, &V1),
        Database::open_read_only(&file, &V1),
    ] {
        let error = opened.unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains("numbers.sqlite cannot be opened"), "{cause}");
    }
    assert!(!file.exists(), "looking makes no file");
}
