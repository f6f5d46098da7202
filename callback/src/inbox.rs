//! Where notifications are kept from their arrival until the application has handled them.

#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod arrivals;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod columns;
#[cfg(feature = "postgres")]
mod postgres;
mod record;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::fmt;
use std::time::Duration;

use favor_core::Timestamp;
use futures_util::future::BoxFuture;

#[cfg(feature = "postgres")]
pub use postgres::PostgresInbox;
pub use record::{Record, SignedRequest};
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteInbox;

use crate::notification::Notification;

/// The source of an error, whatever keeps the inbox.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Where notifications are kept from their arrival until the application has handled them, and remembered after
/// that, so that a repeat is known for what it is.
///
/// A notification is *waiting*, *claimed* (with a lease, by one worker), *handled* or *parked*. What is stored,
/// acknowledged, put back or parked is durable when the call returns. Every call can be made from many tasks at
/// once; implementations commit them together.
pub trait Inbox: fmt::Debug + Send + Sync {
    /// Stores a notification, unless it is known: by merchant and notification id, or, for a redemption, by merchant,
    /// coupon and transaction. Returns after the commit; only then may the platform be answered.
    fn store(&self, record: Record) -> BoxFuture<'_, Result<Stored, InboxError>>;

    /// Takes up to `most` notifications that are due, oldest first, for as long as `lease`. When a lease ends
    /// unsettled the notification is due again, and the old receipt is void.
    fn claim(&self, most: usize, lease: Duration) -> BoxFuture<'_, Result<Claimed, InboxError>>;

    /// Makes the lease last for `lease` from now, where it is still held.
    fn renew<'a>(
        &'a self,
        receipt: &'a Receipt,
        lease: Duration,
    ) -> BoxFuture<'a, Result<Settled, InboxError>>;

    /// The application has handled it: it is never handed out again.
    fn acknowledge<'a>(&'a self, receipt: &'a Receipt) -> BoxFuture<'a, Result<Settled, InboxError>>;

    /// The application could not handle it: it is due again `after` so long. The reason is kept for people; it must
    /// hold no secret.
    fn put_back<'a>(
        &'a self,
        receipt: &'a Receipt,
        after: Duration,
        reason: &'a str,
    ) -> BoxFuture<'a, Result<Settled, InboxError>>;

    /// The application will never handle it as things are: it is set aside until [`unpark`](Self::unpark).
    fn park<'a>(
        &'a self,
        receipt: &'a Receipt,
        reason: &'a str,
    ) -> BoxFuture<'a, Result<Settled, InboxError>>;

    /// Makes a parked notification due again, or all of them; returns how many.
    fn unpark(&self, which: Option<InboxId>) -> BoxFuture<'_, Result<u64, InboxError>>;

    /// Completes when something may have become due that was not there at the last claim. It may complete for no
    /// reason, and an arrival on another machine may not complete it: ask again now and then.
    fn arrival(&self) -> BoxFuture<'_, ()>;

    /// How many notifications there are in each state.
    fn counts(&self) -> BoxFuture<'_, Result<Counts, InboxError>>;

    /// Up to `most` notifications with ids above `after`, in the order of their ids, in every state.
    fn list(&self, after: Option<InboxId>, most: usize) -> BoxFuture<'_, Result<Vec<Entry>, InboxError>>;

    /// Forgets notifications handled before this moment, but for the newest of all; returns how many. A repeat of one of them is then new: keep
    /// them longer than the platform repeats (a day; weeks are a better choice).
    fn purge(&self, handled_before: Timestamp) -> BoxFuture<'_, Result<u64, InboxError>>;
}

/// A notification's place in an inbox: later arrivals have larger numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InboxId(pub i64);

impl fmt::Display for InboxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What became of a notification that was to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stored {
    /// It was not there before.
    New(InboxId),
    /// A notification of this id is there.
    SameId(InboxId),
    /// A notification of another id tells of the same redemption.
    SameUse(InboxId),
}

impl Stored {
    /// Whether it was there before.
    pub fn is_duplicate(self) -> bool {
        !matches!(self, Self::New(_))
    }

    /// The notification that is there now.
    pub fn id(self) -> InboxId {
        match self {
            Self::New(id) | Self::SameId(id) | Self::SameUse(id) => id,
        }
    }
}

/// What a claim brought.
#[derive(Debug, Default)]
pub struct Claimed {
    /// What is to be handled now.
    pub deliveries: Vec<Delivery>,
    /// When nothing was due: how long until something is, as far as is known.
    pub next_due: Option<Duration>,
}

/// A notification handed to the application.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Delivery {
    /// What to settle it with.
    pub receipt: Receipt,
    /// How often it was handed out, with this time: 1 at first. More than 1 means that it may have been handled, and
    /// the acknowledgement was lost.
    pub attempt: u32,
    /// When it was stored.
    pub received_at: Timestamp,
    /// What it says.
    pub notification: Notification,
}

impl Delivery {
    /// Of an implementation of [`Inbox`].
    pub fn new(receipt: Receipt, attempt: u32, received_at: Timestamp, notification: Notification) -> Self {
        Self { receipt, attempt, received_at, notification }
    }
}

/// What a delivery is settled with. It is void once its lease ended and somebody else claimed the notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The notification.
    pub id: InboxId,
    /// Counts the claims of it; only the newest may settle it.
    pub fence: i64,
}

/// Whether a receipt was still good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It was, and what was asked for is done.
    Done,
    /// It was not: the lease ended and the notification was claimed again, or it is settled. Nothing was changed.
    Void,
}

/// Where a notification stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// Nobody works on it; it is due now or later.
    Waiting,
    /// Somebody works on it.
    Claimed,
    /// Done.
    Handled,
    /// Set aside.
    Parked,
}

impl State {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Claimed => "claimed",
            Self::Handled => "handled",
            Self::Parked => "parked",
        }
    }
}

/// How many notifications there are in each state, and how many repeats of them came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// See [`State::Waiting`].
    pub waiting: u64,
    /// See [`State::Claimed`].
    pub claimed: u64,
    /// See [`State::Handled`].
    pub handled: u64,
    /// See [`State::Parked`].
    pub parked: u64,
    /// Repeats of what is there, by id or by redemption.
    pub duplicates: u64,
}

/// A notification in a list.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Entry {
    /// Its place.
    pub id: InboxId,
    /// Where it stands.
    pub state: State,
    /// How often it was handed out.
    pub attempts: u32,
    /// How often it came: 1, and its repeats.
    pub times_received: u64,
    /// When it came first.
    pub received_at: Timestamp,
    /// When it was handled.
    pub handled_at: Option<Timestamp>,
    /// Why it was put back or parked last.
    pub reason: Option<String>,
    /// All of it.
    pub record: Record,
}

/// Why an inbox could not do what it was asked. Nothing was changed, unless the connection broke while it committed:
/// then it is not known, and doing it again does no harm.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InboxError {
    /// It cannot be reached or is out of space; the same call may succeed later.
    #[error("the inbox is not available")]
    Unavailable(#[source] BoxError),
    /// What it holds is not an inbox of this version.
    #[error("{0}")]
    Unusable(String),
    /// A stored notification cannot be read back.
    #[error("notification {id} of the inbox cannot be read")]
    Damaged {
        /// Which one.
        id: InboxId,
        /// Why.
        #[source]
        cause: BoxError,
    },
}

impl InboxError {
    /// Whether the same call may succeed later.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}
