//! The merchant's side of notifications: a receiver, an inbox, and an application that handles what is in it.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use axum::Router;
use axum::extract::Request;
use axum::routing::any;
use favor_callback::{
    Arrival, CallbackAddress, Delivery, Dispatched, Dispatcher, InboxError, Intake, NotHandled, NotifyUrl,
    Receiver, SqliteInbox,
};
use favor_core::{ApiV3Key, Client, CouponId};
use favor_mirror::{FaultKind, FaultRule, Mirror};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// What the network and the platform do to notifications: of each so many one comes twice, one has a signature probe
/// before it, one is held back until others have overtaken it.
const DUPLICATE_EVERY: u64 = 20;
const PROBE_EVERY: u64 = 50;
const HOLD_EVERY: u64 = 33;
const HELD_SECONDS: u64 = 60;
/// Handled at once: they wait for commits, which they share.
const AT_ONCE: usize = 64;

/// What came of the redemptions, and what was done with it.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Told {
    /// Redemptions the mirror told of.
    pub(crate) raised: u64,
    /// Requests at the receiver: the next four together.
    pub(crate) came: u64,
    pub(crate) new: u64,
    pub(crate) duplicates: u64,
    pub(crate) probes: u64,
    /// Refused for another reason, or not stored. Each came again.
    pub(crate) turned_away: u64,
    /// Those the mirror sent late on purpose.
    pub(crate) held_back: u64,
    /// Acknowledged by the application.
    pub(crate) handled: u64,
    /// Redeemed coupons among what the application handled.
    pub(crate) coupons: u64,
}

impl Told {
    /// Whether each of `redeemed` redemptions was taken once, handled once, and about another coupon.
    pub(crate) fn balances(&self, redeemed: u64) -> bool {
        [self.raised, self.new, self.handled, self.coupons].iter().all(|count| *count == redeemed)
    }
}

/// What the receiver saw.
#[derive(Debug, Default)]
struct Seen {
    new: AtomicU64,
    duplicates: AtomicU64,
    probes: AtomicU64,
    turned_away: AtomicU64,
}

impl Seen {
    fn count(&self, arrival: &Arrival<'_>) {
        let counter = match arrival {
            Arrival::New(..) => &self.new,
            Arrival::Duplicate(..) => &self.duplicates,
            Arrival::Rejected(rejection) if rejection.is_probe() => &self.probes,
            _ => &self.turned_away,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// A receiver at work. Dropped, it is gone with its inbox.
pub(crate) struct Listener {
    inbox: Arc<SqliteInbox>,
    seen: Arc<Seen>,
    handled: Arc<Mutex<HashSet<CouponId>>>,
    stop: oneshot::Sender<()>,
    dispatching: JoinSet<Result<Dispatched, InboxError>>,
    _server: JoinSet<std::io::Result<()>>,
    folder: tempfile::TempDir,
}

/// What a receiver kept. Dropped, it is gone.
pub(crate) struct Kept {
    pub(crate) inbox: Arc<SqliteInbox>,
    _folder: tempfile::TempDir,
}

impl Listener {
    /// Starts to listen on loopback, and has the platform told where.
    pub(crate) async fn start(client: &Client, mirror: &Mirror) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let inbox = Arc::new(SqliteInbox::open(folder.path().join("notifications.sqlite")).await?);
        let seen = Arc::new(Seen::default());
        let receiver = Receiver::for_client(client, ApiV3Key::new(&mirror.merchant().api_v3_key)?);
        let counted = seen.clone();
        let intake = Intake::new(receiver, inbox.clone()).observe(move |arrival| counted.count(&arrival));

        let socket = TcpListener::bind(("127.0.0.1", 0)).await.context("no port can be listened on")?;
        let url = format!("http://{}/notify", socket.local_addr()?);
        let take = move |request: Request| async move { intake.take_request(request).await };
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(socket, Router::new().route("/notify", any(take))).await });

        let handled = Arc::new(Mutex::new(HashSet::new()));
        let (stop, stopped) = oneshot::channel();
        let (dispatcher, handler) = (dispatcher(&inbox), handler(handled.clone()));
        let mut dispatching = JoinSet::new();
        dispatching.spawn(async move {
            let stopped = async { drop(stopped.await) };
            dispatcher.run(handler, stopped).await
        });

        CallbackAddress::new(client).set(&NotifyUrl::new(url)?).await?;
        spoil(mirror)?;
        Ok(Self { inbox, seen, handled, stop, dispatching, _server: server, folder })
    }

    /// Handles what is left, once all deliveries have been tried, and counts. What was received stays in the inbox.
    pub(crate) async fn finish<'a>(
        mut self,
        mirror: &Mirror,
        redeemed: impl Iterator<Item = &'a CouponId>,
    ) -> anyhow::Result<(Told, Kept)> {
        drop(self.stop);
        let before = self.dispatching.join_next().await.context("nothing handles notifications")??;
        let rest = dispatcher(&self.inbox).run_until_empty(handler(self.handled.clone())).await;
        let coupons = {
            let handled = self.handled.lock().unwrap_or_else(PoisonError::into_inner);
            redeemed.filter(|coupon| handled.contains(*coupon)).count()
        };
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let [new, duplicates] = [&self.seen.new, &self.seen.duplicates].map(count);
        let [probes, turned_away] = [&self.seen.probes, &self.seen.turned_away].map(count);
        // They are numbered from 1.
        let newest = mirror.notifications(1, 0).await.context("the mirror's log cannot be read")?;
        let held =
            mirror.faults().into_iter().find(|fault| matches!(fault.rule.kind, FaultKind::Hold { .. }));
        let told = Told {
            raised: newest.first().map_or(0, |newest| newest.id),
            came: new + duplicates + probes + turned_away,
            new,
            duplicates,
            probes,
            turned_away,
            handled: before?.handled + rest?.handled,
            held_back: held.map_or(0, |held| held.struck),
            coupons: u64::try_from(coupons)?,
        };
        Ok((told, Kept { inbox: self.inbox, _folder: self.folder }))
    }
}

fn dispatcher(inbox: &Arc<SqliteInbox>) -> Dispatcher {
    Dispatcher::new(inbox.clone()).concurrency(AT_ONCE)
}

/// The application: it notes whose coupon was used.
fn handler(
    handled: Arc<Mutex<HashSet<CouponId>>>,
) -> impl Fn(Delivery) -> std::future::Ready<Result<(), NotHandled>> + Send + Sync + 'static {
    move |delivery| {
        if let Some((coupon, _)) = delivery.notification.dedup_use() {
            handled.lock().unwrap_or_else(PoisonError::into_inner).insert(coupon.clone());
        }
        std::future::ready(Ok(()))
    }
}

fn spoil(mirror: &Mirror) -> anyhow::Result<()> {
    let rules = [
        (FaultKind::Duplicate { copies: 2 }, DUPLICATE_EVERY),
        (FaultKind::Probe, PROBE_EVERY),
        (FaultKind::Hold { seconds: HELD_SECONDS }, HOLD_EVERY),
    ];
    for (kind, every) in rules {
        let rule = FaultRule::new(kind).operation("callback.notify").every(every).times(0);
        mirror.plan(rule).context("the mirror takes no faults")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_is_missing_or_handled_twice_is_seen() {
        let whole =
            Told { raised: 5, came: 7, new: 5, duplicates: 2, handled: 5, coupons: 5, ..Told::default() };
        assert!(whole.balances(5) && !whole.balances(6));
        for broken in [
            Told { raised: 4, ..whole },
            Told { new: 4, ..whole },
            Told { handled: 6, ..whole },
            Told { coupons: 4, ..whole },
        ] {
            assert!(!broken.balances(5), "{broken:?}");
        }
    }
}
