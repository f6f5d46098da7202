//! The inbox in a file.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use favor_callback::{Inbox, InboxError, Settled, SqliteInbox, State};
use favor_core::{Clock as _, ManualClock, Timestamp, time};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use proptest::prelude::*;
use tempfile::TempDir;

use super::conformance::{LEASE, Place, conformance};
use super::model;
use super::records::numbered;
use crate::world::{chain, clock};

struct Filed {
    folder: TempDir,
    clock: Arc<ManualClock>,
    inbox: Arc<SqliteInbox>,
}

impl Filed {
    async fn new() -> Self {
        let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
        let file = folder.path().join("inbox.sqlite");
        let inbox = SqliteInbox::open_with_clock(&file, clock.clone()).await.unwrap();
        Self { folder, clock, inbox: Arc::new(inbox) }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("inbox.sqlite")
    }

    async fn open_again(&self) -> SqliteInbox {
        self.inbox.close().await;
        SqliteInbox::open_with_clock(self.file(), self.clock.clone()).await.unwrap()
    }
}

impl Place for Filed {
    fn inbox(&self) -> Arc<dyn Inbox> {
        self.inbox.clone()
    }

    fn pass(&self, time: Duration) -> BoxFuture<'_, ()> {
        self.clock.advance(time);
        Box::pin(std::future::ready(()))
    }

    fn now(&self) -> BoxFuture<'_, Timestamp> {
        Box::pin(std::future::ready(time::beijing(&self.clock.now())))
    }
}

conformance! { Filed::new() }

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_work_goes_as_in_the_model(steps in model::steps(40)) {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            model::run(&Filed::new().await, steps).await;
        });
    }
}

#[tokio::test]
async fn everything_is_there_when_it_is_opened_again() {
    let place = Filed::new().await;
    for number in 0..4 {
        place.inbox.store(numbered(number)).await.unwrap();
    }
    let claimed = place.inbox.claim(3, LEASE).await.unwrap().deliveries;
    place.inbox.acknowledge(&claimed[0].receipt).await.unwrap();
    place.inbox.park(&claimed[1].receipt, "later").await.unwrap();

    let inbox = place.open_again().await;
    let states: Vec<_> = inbox.list(None, 10).await.unwrap().iter().map(|entry| entry.state).collect();
    // What the process before was working on is due at once: it cannot be working any more.
    assert_eq!(states, [State::Handled, State::Parked, State::Waiting, State::Waiting]);
    assert_eq!(inbox.acknowledge(&claimed[2].receipt).await.unwrap(), Settled::Void);
    let again = inbox.claim(10, LEASE).await.unwrap().deliveries;
    let ids: Vec<_> = again.iter().map(|delivery| delivery.receipt.id).collect();
    assert_eq!(ids[0], claimed[2].receipt.id, "it is as old as it was");
    assert_eq!((again.len(), again[0].attempt, again[1].attempt), (2, 2, 1));
    assert!(inbox.store(numbered(0)).await.unwrap().is_duplicate());
}

#[tokio::test]
async fn nothing_wakes_when_nothing_arrives() {
    let place = Filed::new().await;
    place.inbox.claim(1, LEASE).await.unwrap();
    assert_eq!(place.inbox.arrival().now_or_never(), None);
    place.inbox.store(numbered(1)).await.unwrap();
    let delivery = place.inbox.claim(2, LEASE).await.unwrap().deliveries.remove(0);
    place.inbox.acknowledge(&delivery.receipt).await.unwrap();
    assert_eq!(place.inbox.arrival().now_or_never(), None);
}

#[tokio::test]
async fn others_may_look_and_only_look() {
    let place = Filed::new().await;
    place.inbox.store(numbered(1)).await.unwrap();
    let error = SqliteInbox::open(place.file()).await.unwrap_err();
    assert!(error.is_temporary());
    assert!(chain(&error).contains("another process works with"), "{}", chain(&error));

    let looking = SqliteInbox::open_read_only(place.file()).await.unwrap();
    assert_eq!(looking.counts().await.unwrap().waiting, 1);
    place.inbox.store(numbered(2)).await.unwrap();
    assert_eq!(looking.list(None, 10).await.unwrap().len(), 2);
    let error = looking.store(numbered(3)).await.unwrap_err();
    assert!(matches!(error, InboxError::Unusable(_)), "{error:?}");
    assert!(error.to_string().contains("opened for reading only"));
}

#[tokio::test]
async fn wrong_files_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("inbox.sqlite");
    std::fs::write(&file, b"openid,coupon\n".repeat(100)).unwrap();
    let error = SqliteInbox::open(&file).await.unwrap_err();
    assert!(matches!(error, InboxError::Unusable(_)), "{error:?}");
    assert!(
        error.to_string().contains("is not a database, so it is not an inbox of notifications"),
        "{error}"
    );
    let error = SqliteInbox::open(folder.path().join("none").join("inbox.sqlite")).await.unwrap_err();
    assert!(chain(&error).contains("No such file"), "{}", chain(&error));
    let error = SqliteInbox::open_read_only(folder.path().join("none.sqlite")).await.unwrap_err();
    assert!(chain(&error).contains("none.sqlite cannot be opened"), "{}", chain(&error));
}

#[tokio::test]
async fn after_close_callers_are_told() {
    let place = Filed::new().await;
    place.inbox.close().await;
    let error = place.inbox.store(numbered(1)).await.unwrap_err();
    assert!(!error.is_temporary() && error.to_string().contains("closed"), "{error}");
}
