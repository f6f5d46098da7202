//! Handing out: until it succeeds, never after it was acknowledged, through a store that comes and goes.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use favor_callback::{
    Claimed, Counts, Delivery, Dispatched, Dispatcher, Entry, Inbox, InboxError, InboxId, NotHandled,
    Receipt, Record, Settled, SignedRequest, SqliteInbox, State, Stored,
};
use favor_core::{Clock as _, ManualClock, Timestamp};
use futures_util::future::BoxFuture;
use tokio::sync::{Notify, oneshot};

use crate::platform::USED;
use crate::world;

const LONG: Duration = Duration::from_secs(600);

/// A store that is not available when it is told so.
#[derive(Debug)]
struct Flaky {
    inner: SqliteInbox,
    /// So many calls fail: claims, settlements.
    claims: AtomicU32,
    settlements: AtomicU32,
    renewals: AtomicUsize,
}

impl Flaky {
    fn fails(counter: &AtomicU32) -> Option<InboxError> {
        let left = counter.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        left.is_ok().then(|| InboxError::Unavailable("gone for a while".into()))
    }

    async fn settles(&self, work: BoxFuture<'_, Result<Settled, InboxError>>) -> Result<Settled, InboxError> {
        match Self::fails(&self.settlements) {
            Some(error) => Err(error),
            None => work.await,
        }
    }
}

impl Inbox for Flaky {
    fn store(&self, record: Record) -> BoxFuture<'_, Result<Stored, InboxError>> {
        self.inner.store(record)
    }
    fn claim(&self, most: usize, lease: Duration) -> BoxFuture<'_, Result<Claimed, InboxError>> {
        match Self::fails(&self.claims) {
            Some(error) => Box::pin(std::future::ready(Err(error))),
            None => self.inner.claim(most, lease),
        }
    }
    fn renew<'a>(
        &'a self,
        receipt: &'a Receipt,
        lease: Duration,
    ) -> BoxFuture<'a, Result<Settled, InboxError>> {
        self.renewals.fetch_add(1, Ordering::SeqCst);
        self.inner.renew(receipt, lease)
    }
    fn acknowledge<'a>(&'a self, receipt: &'a Receipt) -> BoxFuture<'a, Result<Settled, InboxError>> {
        Box::pin(self.settles(self.inner.acknowledge(receipt)))
    }
    fn put_back<'a>(
        &'a self,
        receipt: &'a Receipt,
        after: Duration,
        reason: &'a str,
    ) -> BoxFuture<'a, Result<Settled, InboxError>> {
        Box::pin(self.settles(self.inner.put_back(receipt, after, reason)))
    }
    fn park<'a>(
        &'a self,
        receipt: &'a Receipt,
        reason: &'a str,
    ) -> BoxFuture<'a, Result<Settled, InboxError>> {
        Box::pin(self.settles(self.inner.park(receipt, reason)))
    }
    fn unpark(&self, which: Option<InboxId>) -> BoxFuture<'_, Result<u64, InboxError>> {
        self.inner.unpark(which)
    }
    fn arrival(&self) -> BoxFuture<'_, ()> {
        self.inner.arrival()
    }
    fn counts(&self) -> BoxFuture<'_, Result<Counts, InboxError>> {
        self.inner.counts()
    }
    fn list(&self, after: Option<InboxId>, most: usize) -> BoxFuture<'_, Result<Vec<Entry>, InboxError>> {
        self.inner.list(after, most)
    }
    fn purge(&self, handled_before: Timestamp) -> BoxFuture<'_, Result<u64, InboxError>> {
        self.inner.purge(handled_before)
    }
}

/// Different notifications, as they are stored.
async fn records(count: usize) -> Vec<Record> {
    let mut records = Vec::new();
    for number in 0..count {
        let resource: String = USED.replace("18180000000001", &format!("98674555{number:04}"));
        let mut body: serde_json::Value =
            serde_json::from_str(&world::sealing("COUPON.USE", &resource)).unwrap();
        body["id"] = format!("EV-{number}").into();
        let body = body.to_string();
        let headers = world::signed(body.as_bytes());
        let notification = world::receiver().receive(&headers, body.as_bytes()).await.unwrap();
        records.push(Record::new(notification, SignedRequest::new(&headers, body)));
    }
    records
}

/// An inbox with some notifications, on a clock that jumps over every pause.
struct Post {
    inbox: Arc<Flaky>,
    clock: Arc<ManualClock>,
    _folder: tempfile::TempDir,
}

impl Post {
    async fn with(notifications: usize) -> Self {
        Self::on(ManualClock::jumping(world::start()), notifications).await
    }

    async fn on(clock: ManualClock, notifications: usize) -> Self {
        let clock = Arc::new(clock);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("inbox.sqlite");
        let inner = SqliteInbox::open_with_clock(file, clock.clone()).await.unwrap();
        for record in records(notifications).await {
            assert!(!inner.store(record).await.unwrap().is_duplicate());
        }
        let inbox = Flaky {
            inner,
            claims: AtomicU32::new(0),
            settlements: AtomicU32::new(0),
            renewals: AtomicUsize::new(0),
        };
        Self { inbox: Arc::new(inbox), clock, _folder: folder }
    }

    fn dispatcher(&self) -> Dispatcher {
        Dispatcher::new(self.inbox.clone()).clock(self.clock.clone())
    }

    /// Lets so much time pass for the leases and pauses in the store.
    fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    async fn counts(&self) -> Counts {
        self.inbox.counts().await.unwrap()
    }
}

/// Counts deliveries, and fails those that it is told to.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<(String, u32)>>>);

impl Seen {
    fn note(&self, delivery: &Delivery) {
        self.0.lock().unwrap().push((delivery.notification.id.to_string(), delivery.attempt));
    }

    fn attempts(&self) -> Vec<u32> {
        self.0.lock().unwrap().iter().map(|(_, attempt)| *attempt).collect()
    }
}

#[tokio::test]
async fn each_is_handled_once_when_all_goes_well() {
    let post = Post::with(40).await;
    let seen = Seen::default();
    let noted = seen.clone();
    let handler = move |delivery: Delivery| {
        noted.note(&delivery);
        async { Ok(()) }
    };
    let done = post.dispatcher().concurrency(7).run_until_empty(handler).await.unwrap();
    assert_eq!(done, Dispatched { handled: 40, ..Dispatched::default() });
    assert_eq!(seen.attempts(), [1; 40]);
    let mut ids: Vec<_> = seen.0.lock().unwrap().iter().map(|(id, _)| id.clone()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 40);
    assert_eq!(post.counts().await, Counts { handled: 40, ..Counts::default() });
    let none = |_| async { panic!("nothing is left") };
    assert_eq!(post.dispatcher().run_until_empty(none).await.unwrap(), Dispatched::default());
}

#[tokio::test]
async fn a_failure_comes_again_after_ever_longer_pauses() {
    let post = Post::on(ManualClock::new(world::start()), 1).await;
    let seen = Seen::default();
    let dispatcher = post.dispatcher().pauses(Duration::from_secs(1), Duration::from_secs(4));
    let mut pauses = Vec::new();
    for turn in 1..=5 {
        let noted = seen.clone();
        let handler = move |delivery: Delivery| {
            noted.note(&delivery);
            async { Err(NotHandled::Later("the shop is closed".into())) }
        };
        let done = dispatcher.run_until_empty(handler).await.unwrap();
        assert_eq!((done.put_back, done.handled), (1, 0), "turn {turn}");
        let entry = post.inbox.list(None, 9).await.unwrap().remove(0);
        assert_eq!((entry.state, entry.reason.as_deref()), (State::Waiting, Some("the shop is closed")));
        let due = post.inbox.claim(9, LONG).await.unwrap().next_due.unwrap();
        pauses.push(due.as_secs());
        post.pass(due);
    }
    assert_eq!(pauses, [1, 2, 4, 4, 4]);
    assert_eq!(seen.attempts(), [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn what_will_never_work_is_parked_until_somebody_asks_for_it() {
    let post = Post::with(3).await;
    let handler = |delivery: Delivery| async move {
        match delivery.receipt.id.0 {
            1 => Err(NotHandled::Never("no such person".into())),
            2 => Err(NotHandled::Later("again".into())),
            _ => Err(std::io::Error::other("a true error").into()),
        }
    };
    let dispatcher = post.dispatcher().park_after(1);
    let done = dispatcher.run_until_empty(handler).await.unwrap();
    assert_eq!(done, Dispatched { parked: 3, ..Dispatched::default() });
    let reasons: Vec<_> =
        post.inbox.list(None, 9).await.unwrap().into_iter().filter_map(|entry| entry.reason).collect();
    assert_eq!(reasons, ["no such person", "again", "a true error"]);
    assert_eq!(dispatcher.run_until_empty(|_| async { Ok(()) }).await.unwrap(), Dispatched::default());
    assert_eq!(post.inbox.unpark(None).await.unwrap(), 3);
    assert_eq!(dispatcher.run_until_empty(|_| async { Ok(()) }).await.unwrap().handled, 3);
}

#[tokio::test]
async fn a_panic_is_a_failure_of_one_notification() {
    let post = Post::with(3).await;
    let handler = |delivery: Delivery| async move {
        assert_ne!(delivery.receipt.id.0, 2, "on purpose");
        Ok(())
    };
    let done = post.dispatcher().run_until_empty(handler).await.unwrap();
    assert_eq!((done.handled, done.put_back), (2, 1));
    let entry = &post.inbox.list(Some(InboxId(1)), 1).await.unwrap()[0];
    assert!(entry.reason.as_deref().unwrap().contains("panicked"), "{entry:?}");
}

#[tokio::test]
async fn a_store_that_comes_and_goes_delays_and_loses_nothing() {
    let post = Post::with(10).await;
    post.inbox.claims.store(5, Ordering::SeqCst);
    post.inbox.settlements.store(25, Ordering::SeqCst);
    let seen = Seen::default();
    let noted = seen.clone();
    let handler = move |delivery: Delivery| {
        noted.note(&delivery);
        async { Ok(()) }
    };
    let done =
        post.dispatcher().lease(Duration::from_secs(1_000_000)).run_until_empty(handler).await.unwrap();
    assert_eq!(done.handled, 10);
    assert_eq!(seen.attempts(), [1; 10]);
    assert_eq!(post.counts().await.handled, 10);
}

#[tokio::test]
async fn an_acknowledgement_that_never_arrives_brings_it_once_more() {
    let post = Post::on(ManualClock::new(world::start()), 1).await;
    post.inbox.settlements.store(u32::MAX, Ordering::SeqCst);
    let (handled, is_handled) = oneshot::channel();
    let handled = Mutex::new(Some(handled));
    let handler = move |_| {
        let _ = handled.lock().unwrap().take().unwrap().send(());
        async { Ok(()) }
    };
    let dispatcher = post.dispatcher().lease(Duration::from_secs(60));
    let stop = async {
        is_handled.await.unwrap();
    };
    let clock = post.clock.clone();
    // Whoever waits between two tries is woken at once.
    let time = tokio::spawn(async move {
        loop {
            clock.wait_for_sleepers(1).await;
            clock.advance(Duration::from_secs(1));
            tokio::task::yield_now().await;
        }
    });
    let done = dispatcher.run(handler, stop).await.unwrap();
    time.abort();
    assert_eq!((done.handled, done.lost), (0, 1));
    post.inbox.settlements.store(0, Ordering::SeqCst);
    post.pass(Duration::from_secs(61));
    let seen = Seen::default();
    let noted = seen.clone();
    let handler = move |delivery: Delivery| {
        noted.note(&delivery);
        async { Ok(()) }
    };
    assert_eq!(post.dispatcher().run_until_empty(handler).await.unwrap().handled, 1);
    assert_eq!(seen.attempts(), [2]);
}

#[tokio::test]
async fn a_slow_handler_keeps_its_lease() {
    let post = Post::on(ManualClock::new(world::start()), 1).await;
    let (go, on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (may_go, is_on) = (go.clone(), on.clone());
    let handler = move |_| {
        let (go, on) = (may_go.clone(), is_on.clone());
        async move {
            on.notify_one();
            go.notified().await;
            Ok(())
        }
    };
    let dispatcher = post.dispatcher().lease(Duration::from_secs(30));
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(async move {
        let stop = async {
            let _ = stopped.await;
        };
        dispatcher.run(handler, stop).await.unwrap()
    });
    on.notified().await;
    for renewals in 1..=12 {
        // The keeper of the lease sleeps; the loop does too, for the next look.
        post.clock.wait_for_sleepers(2).await;
        post.pass(Duration::from_secs(10));
        while post.inbox.renewals.load(Ordering::SeqCst) < renewals {
            tokio::task::yield_now().await;
        }
    }
    assert!(post.inbox.claim(9, LONG).await.unwrap().deliveries.is_empty(), "it is held after two minutes");
    go.notify_one();
    drop(stop);
    assert_eq!(running.await.unwrap().handled, 1);
}

#[tokio::test]
async fn a_stop_lets_those_under_way_finish() {
    let post = Post::with(9).await;
    let (go, on) = (Arc::new(tokio::sync::Semaphore::new(0)), Arc::new(tokio::sync::Semaphore::new(0)));
    let (may_go, is_on) = (go.clone(), on.clone());
    let handler = move |_| {
        let (go, on) = (may_go.clone(), is_on.clone());
        async move {
            on.add_permits(1);
            go.acquire().await.unwrap().forget();
            Ok(())
        }
    };
    let dispatcher = post.dispatcher().concurrency(4).clock(Arc::new(favor_core::SystemClock::new()));
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(async move {
        let stop = async {
            let _ = stopped.await;
        };
        dispatcher.run(handler, stop).await.unwrap()
    });
    on.acquire_many(4).await.unwrap().forget();
    drop(stop);
    tokio::task::yield_now().await;
    go.add_permits(99);
    assert_eq!(running.await.unwrap(), Dispatched { handled: 4, ..Dispatched::default() });
    assert_eq!(post.counts().await, Counts { waiting: 5, handled: 4, ..Counts::default() });
}

#[tokio::test]
async fn an_arrival_wakes_a_dispatcher_that_waits() {
    let post = Post::on(ManualClock::new(world::start()), 0).await;
    let (told, mut hears) = tokio::sync::mpsc::unbounded_channel();
    let handler = move |delivery: Delivery| {
        told.send(delivery.notification.id.to_string()).unwrap();
        async { Ok(()) }
    };
    let dispatcher = post.dispatcher();
    let running = tokio::spawn(async move { dispatcher.run(handler, std::future::pending()).await });
    // It has looked, and waits on a clock that stands.
    post.clock.wait_for_sleepers(1).await;
    for record in records(2).await {
        let id = record.id.to_string();
        post.inbox.store(record).await.unwrap();
        assert_eq!(hears.recv().await.unwrap(), id);
    }
    running.abort();
    assert_eq!(post.clock.now(), world::start());
}
