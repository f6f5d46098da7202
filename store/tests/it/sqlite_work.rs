//! Jobs that share transactions.

use std::sync::Arc;

use favor_store::StoreError;
use favor_store::sqlite::{Database, Schema, rusqlite};
use futures_util::FutureExt as _;
use tempfile::TempDir;

const SCHEMA: Schema = Schema {
    what: "a list of numbers",
    application_id: 77,
    steps: &["CREATE TABLE numbers (n INTEGER NOT NULL) STRICT"],
};

fn database() -> (TempDir, Database) {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(&folder.path().join("numbers.sqlite"), &SCHEMA).unwrap();
    (folder, database)
}

async fn rows(database: &Database) -> i64 {
    database.read(|sql| sql.query_row("SELECT count(*) FROM numbers", [], |row| row.get(0))).await.unwrap()
}

#[tokio::test]
async fn a_failed_job_leaves_nothing_and_harms_no_other() {
    let (_folder, database) = database();
    let bad = database.write(|sql| {
        sql.execute("INSERT INTO numbers VALUES (1)", [])?;
        sql.execute("INSERT INTO numbers VALUES ('text')", [])
    });
    let good = database.write(|sql| sql.execute("INSERT INTO numbers VALUES (2)", []));
    let (bad, good) = tokio::join!(bad, good);
    assert!(matches!(bad.unwrap_err(), StoreError::Failed(_)));
    assert_eq!(good.unwrap(), 1);
    assert_eq!(rows(&database).await, 1);
}

#[tokio::test]
async fn a_panic_ends_neither_the_writer_nor_the_reader() {
    let (_folder, database) = database();
    let panicked = database.write(|sql| -> rusqlite::Result<()> {
        sql.execute("INSERT INTO numbers VALUES (1)", [])?;
        panic!("in a job that writes");
    });
    assert!(matches!(panicked.await.unwrap_err(), StoreError::Panicked));
    let panicked = database.read(|_| -> rusqlite::Result<()> { panic!("in a job that reads") });
    assert!(matches!(panicked.await.unwrap_err(), StoreError::Panicked));
    assert_eq!(rows(&database).await, 0);
    database.write(|sql| sql.execute("INSERT INTO numbers VALUES (2)", [])).await.unwrap();
    assert_eq!(rows(&database).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_of_many_tasks_share_transactions_and_none_is_lost() {
    let (_folder, database) = database();
    let database = Arc::new(database);
    let tasks: Vec<_> = (0..1_000)
        .map(|number| {
            let database = Arc::clone(&database);
            tokio::spawn(async move {
                database.write(move |sql| sql.execute("INSERT INTO numbers VALUES (?1)", [number])).await
            })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap(), 1);
    }
    assert_eq!(rows(&database).await, 1_000);
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_undo_its_work() {
    let (_folder, database) = database();
    {
        let mut gone = Box::pin(database.write(|sql| sql.execute("INSERT INTO numbers VALUES (1)", [])));
        assert!((&mut gone).now_or_never().is_none());
    }
    database.write(|_| Ok(())).await.unwrap();
    assert_eq!(rows(&database).await, 1);
}

#[tokio::test]
async fn a_full_disk_is_a_temporary_error_and_work_goes_on_when_there_is_space() {
    let (_folder, database) = database();
    let pages: i64 =
        database.write(|sql| sql.query_row("PRAGMA page_count", [], |row| row.get(0))).await.unwrap();
    database.write(limited_to(pages)).await.unwrap();
    let fill = database.write(|sql| {
        sql.execute("CREATE TABLE big (b BLOB)", [])?;
        sql.execute("INSERT INTO big VALUES (zeroblob(1000000))", [])
    });
    let neighbour = database.write(|sql| sql.execute("INSERT INTO numbers VALUES (1)", []));
    let (fill, neighbour) = tokio::join!(fill, neighbour);
    let error = fill.unwrap_err();
    assert!(error.is_temporary(), "{error:?}");
    let stored = match neighbour {
        Ok(_) => 1,
        // They shared a transaction.
        Err(error) => {
            assert!(error.is_temporary(), "{error:?}");
            0
        }
    };
    assert_eq!(rows(&database).await, stored, "what was answered is there, and nothing else");
    database.write(limited_to(1_000_000)).await.unwrap();
    database.write(|sql| sql.execute("INSERT INTO numbers VALUES (2)", [])).await.unwrap();
    assert_eq!(rows(&database).await, stored + 1);
}

fn limited_to(pages: i64) -> impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<()> + Send {
    move |sql| sql.execute_batch(&format!("PRAGMA max_page_count = {pages}"))
}

#[tokio::test]
async fn a_commit_that_fails_fails_every_job_in_it() {
    let (_folder, database) = database();
    database
        .write(|sql| {
            sql.execute_batch(
                "CREATE TABLE parent (n INTEGER PRIMARY KEY);
                 CREATE TABLE child (n INTEGER REFERENCES parent(n) DEFERRABLE INITIALLY DEFERRED);",
            )
        })
        .await
        .unwrap();
    // The violation shows only at COMMIT, after the job has run.
    let orphan = database.write(|sql| sql.execute("INSERT INTO child VALUES (7)", [])).await.unwrap_err();
    assert!(matches!(orphan, StoreError::Failed(_)));
    database.write(|sql| sql.execute("INSERT INTO numbers VALUES (1)", [])).await.unwrap();
    assert_eq!(rows(&database).await, 1);
}

#[tokio::test]
async fn a_job_that_ends_the_transaction_is_told_so_and_work_goes_on() {
    let (_folder, database) = database();
    let error = database.write(|sql| sql.execute_batch("COMMIT")).await.unwrap_err();
    assert!(matches!(error, StoreError::Unusable(_)), "{error:?}");
    database.write(|sql| sql.execute("INSERT INTO numbers VALUES (1)", [])).await.unwrap();
    assert_eq!(rows(&database).await, 1);
}

#[tokio::test]
async fn after_close_callers_are_told() {
    let (_folder, database) = database();
    database.close().await;
    assert!(matches!(database.write(|_| Ok(())).await.unwrap_err(), StoreError::Closed));
    assert!(matches!(database.read(|_| Ok(())).await.unwrap_err(), StoreError::Closed));
    database.close().await;
}
