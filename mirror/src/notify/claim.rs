//! Who delivers what: each notification at most once at a time.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio::sync::oneshot;

use super::Notifier;
use crate::lock;
use crate::state::App;
use crate::timeline::Timeline;

/// Notifications in delivery, and who waits for one.
#[derive(Debug, Default)]
pub(super) struct Claims {
    /// Goes up when all notifications are forgotten: numbers start over.
    epoch: u64,
    held: HashSet<i64>,
    waiting: HashMap<i64, Vec<oneshot::Sender<()>>>,
}

/// The right to deliver a notification. Dropped, it tells those who wait.
#[derive(Debug)]
pub(crate) struct Claim {
    app: App,
    pub(super) id: i64,
    epoch: u64,
}

impl Claim {
    /// `None` when somebody else delivers it.
    pub(crate) fn take(app: &App, id: i64) -> Option<Self> {
        let mut claims = lock::mutex(&app.notify.claims);
        claims.held.insert(id).then(|| Self { app: Arc::clone(app), id, epoch: claims.epoch })
    }

    /// The number this claim was taken under; see [`Notifier::is_current`].
    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut claims = lock::mutex(&self.app.notify.claims);
        if claims.epoch == self.epoch {
            claims.held.remove(&self.id);
            for waiting in claims.waiting.remove(&self.id).unwrap_or_default() {
                waiting.send(()).ok();
            }
        }
        drop(claims);
        self.app.timeline.changed();
    }
}

/// Tells the background task that there is something to deliver. Made inside a transaction and dropped after it,
/// whoever asked for it may have gone away.
#[derive(Debug)]
pub(crate) struct Wake(pub(super) Arc<Timeline>);

impl Drop for Wake {
    fn drop(&mut self) {
        self.0.changed();
    }
}

impl Notifier {
    /// How many are being delivered.
    pub(crate) fn held(&self) -> usize {
        lock::mutex(&self.claims).held.len()
    }

    /// Resolves once the next delivery of a notification has been tried.
    pub(super) fn wait_for(&self, id: i64) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        lock::mutex(&self.claims).waiting.entry(id).or_default().push(sender);
        receiver
    }

    pub(super) fn epoch(&self) -> u64 {
        lock::mutex(&self.claims).epoch
    }

    /// Whether numbers still mean the same notifications.
    pub(super) fn is_current(&self, epoch: u64) -> bool {
        self.epoch() == epoch
    }

    /// All notifications are gone or replaced: what is under way counts for nothing. To be called in the
    /// transaction that does it.
    pub(crate) fn forget(&self) {
        let mut claims = lock::mutex(&self.claims);
        *claims = Claims { epoch: claims.epoch + 1, ..Claims::default() };
    }
}
