//! Two that write to one file.

use std::path::PathBuf;
use std::sync::Arc;

use favor_store::StoreError;
use favor_store::sqlite::{Database, Schema, rusqlite};
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

fn put(number: i64) -> impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<usize> + Send {
    move |sql| sql.execute("INSERT INTO numbers (n) VALUES (?1)", [number])
}

async fn sum(database: &Database) -> i64 {
    let sum = |sql: &rusqlite::Connection| {
        sql.query_row("SELECT coalesce(sum(n), 0) FROM numbers", [], |row| row.get(0))
    };
    database.read(sum).await.unwrap()
}

#[tokio::test]
async fn each_sees_what_the_other_committed() {
    let (_folder, file) = place();
    // Also where there is no file yet.
    let beside = Database::open_beside(&file, &V1).unwrap();
    let owner = Database::open(&file, &V1).unwrap();
    let third = Database::open_beside(&file, &V1).unwrap();
    owner.write(put(1)).await.unwrap();
    beside.write(put(10)).await.unwrap();
    third.write(put(100)).await.unwrap();
    for database in [&owner, &beside, &third] {
        assert_eq!(sum(database).await, 111);
    }
    assert!(matches!(Database::open(&file, &V1).unwrap_err(), StoreError::InUse { .. }), "the lock is held");
    owner.close().await;
    beside.write(put(1_000)).await.unwrap();
    let owner = Database::open(&file, &V1).unwrap();
    assert_eq!(sum(&owner).await, 1_111);
    for database in [&owner, &beside, &third] {
        database.close().await;
    }
    assert!(!file.with_file_name("numbers.sqlite-wal").exists(), "the last one clears up");
}

#[tokio::test(flavor = "multi_thread")]
async fn writing_at_the_same_time_loses_nothing() {
    let (_folder, file) = place();
    let both = [Database::open(&file, &V1).unwrap(), Database::open_beside(&file, &V1).unwrap()];
    let tasks = both.map(|database| {
        let database = Arc::new(database);
        tokio::spawn(async move {
            for _ in 0..200 {
                database.write(put(1)).await.unwrap();
            }
            database
        })
    });
    for task in tasks {
        task.await.unwrap().close().await;
    }
    assert_eq!(sum(&Database::open_read_only(&file, &V1).unwrap()).await, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_make_a_file_at_the_same_time() {
    for _ in 0..5 {
        let (_folder, file) = place();
        let openings = [Database::open_beside, Database::open_beside, Database::open].map(|open| {
            let file = file.clone();
            tokio::task::spawn_blocking(move || open(&file, &V1))
        });
        let mut opened = Vec::new();
        for opening in openings {
            opened.push(opening.await.unwrap().unwrap());
        }
        for database in &opened {
            database.write(put(1)).await.unwrap();
        }
        assert_eq!(sum(&opened[0]).await, 3);
    }
}

#[tokio::test]
async fn an_older_version_is_led_up_only_while_nobody_works_with_it() {
    let (_folder, file) = place();
    let owner = Database::open(&file, &V1).unwrap();
    owner.write(put(3)).await.unwrap();
    assert!(matches!(Database::open_beside(&file, &V2).unwrap_err(), StoreError::InUse { .. }));
    owner.write(put(4)).await.unwrap();
    owner.close().await;
    let beside = Database::open_beside(&file, &V2).unwrap();
    let word = |sql: &rusqlite::Connection| {
        sql.query_row("SELECT DISTINCT word FROM numbers", [], |row| row.get::<_, String>(0))
    };
    assert_eq!(beside.read(word).await.unwrap(), "none");
    assert!(Database::open(&file, &V2).is_ok(), "the lock was given back");
    assert!(matches!(Database::open_beside(&file, &V1).unwrap_err(), StoreError::Unusable(_)));
}
