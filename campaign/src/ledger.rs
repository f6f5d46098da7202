//! Where a campaign is kept: its list, who works on what, and what became of each coupon.

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
mod types;

use std::fmt;
use std::time::Duration;

use favor_core::OpenId;
use futures_util::future::BoxFuture;

#[cfg(feature = "postgres")]
pub use postgres::PostgresLedger;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteLedger;
pub use types::{
    Campaign, CampaignId, Claim, Claimed, Fate, Finish, HistoryEntry, Lease, LimitKey, OpenSlot, Order,
    OutcomeState, Recipient, Recorded, Reopen, Reservation, Row, RowOutcome, Settlement, Standing, State,
    Tally, Task, WorkerId,
};

use crate::manifest::Manifest;
use crate::name::CampaignName;

/// The source of an error, whatever keeps the ledger.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

type Result<T, E = LedgerError> = std::result::Result<T, E>;

/// What a runner needs of a ledger.
///
/// People are held in chunks, and a chunk is worked on under a lease with a fence: every claim of a chunk counts its
/// fence up, and only the newest claim may record. What is recorded is durable when the call returns. All times that
/// decide something are the ledger's own, so that workers' clocks do not matter. Each call can be made from many tasks
/// and, where the ledger is a shared database, from many machines at once; each can be repeated when it failed.
pub trait Ledger: fmt::Debug + Send + Sync {
    /// The campaign of this name.
    fn campaign<'a>(&'a self, name: &'a CampaignName) -> BoxFuture<'a, Result<Campaign>>;

    /// Takes the first chunk with open coupons that nobody works on, for as long as `lease`. Only in state
    /// [`State::Running`]; in any other there is none.
    fn claim<'a>(
        &'a self,
        campaign: CampaignId,
        worker: &'a WorkerId,
        lease: Duration,
    ) -> BoxFuture<'a, Result<Claimed>>;

    /// Writes down what became of coupons of a chunk, and makes its lease last for `extend` from now; with none it only
    /// does the latter. All or nothing, and nothing when the chunk was claimed by somebody else since.
    ///
    /// A coupon that is down as sent stays so. When it is recorded as sent with another coupon, that is written to
    /// the history as `mismatch`.
    fn record<'a>(
        &'a self,
        lease: &'a Lease,
        settled: &'a [Settlement],
        extend: Duration,
    ) -> BoxFuture<'a, Result<Recorded>>;

    /// Ends the work on a chunk. [`Finish::Done`] on one that still has open coupons gives it back.
    fn finish<'a>(&'a self, lease: &'a Lease, how: Finish) -> BoxFuture<'a, Result<Recorded>>;

    /// Sets the rate of a limit. Every runner does so when it starts; the last one counts. A rate that was slowed down
    /// starts at full again only when it differs from the one before.
    fn set_rate<'a>(&'a self, limit: &'a LimitKey, per_second: u32) -> BoxFuture<'a, Result<()>>;

    /// Reserves up to `most` calls at the current rate of a limit, and says when they may be made. What is reserved and
    /// not used is lost, so reserve little: a twentieth of a second's calls.
    fn reserve<'a>(&'a self, limit: &'a LimitKey, most: u32) -> BoxFuture<'a, Result<Reservation>>;

    /// Lowers the rate of a limit to seven tenths of what it is now, once a second at most; it climbs back by a
    /// hundredth of the set rate a second.
    fn slow_down<'a>(&'a self, limit: &'a LimitKey) -> BoxFuture<'a, Result<()>>;

    /// How it stands. Cheap: a runner asks a few times a second.
    fn standing(&self, campaign: CampaignId) -> BoxFuture<'_, Result<Standing>>;

    /// Changes the state, and says how it stands then. [`LedgerError::NotNow`] where the state does not allow it.
    fn order(&self, campaign: CampaignId, order: Order) -> BoxFuture<'_, Result<Standing>>;
}

/// What planning, reports and repairs need of a ledger, beside what a runner needs.
pub trait Books: Ledger {
    /// Begins a campaign, in state [`State::Importing`], or goes on with one of the same name and an equal manifest
    /// (but for `planned_at`) whose import did not end. Returns how many people it has already beside it.
    fn begin<'a>(&'a self, manifest: &'a Manifest) -> BoxFuture<'a, Result<(CampaignId, u64)>>;

    /// Adds people to a campaign that is importing. They come in the order of their places, without gaps; those that
    /// are there are passed over.
    fn add_people<'a>(&'a self, campaign: CampaignId, people: &'a [Recipient]) -> BoxFuture<'a, Result<()>>;

    /// Ends the import: checks that exactly `people` are there, and divides them into chunks of `chunk` people.
    /// Afterwards the state is [`State::Planned`].
    fn seal(&self, campaign: CampaignId, people: u64, chunk: u32) -> BoxFuture<'_, Result<()>>;

    /// Removes a campaign that has never been started.
    fn discard(&self, campaign: CampaignId) -> BoxFuture<'_, Result<()>>;

    /// All campaigns, in the order in which they were begun.
    fn campaigns(&self) -> BoxFuture<'_, Result<Vec<Campaign>>>;

    /// Up to `most` people and what became of their coupons, in the order of their places, after a place.
    fn rows(&self, campaign: CampaignId, after: Option<u64>, most: usize) -> BoxFuture<'_, Result<Vec<Row>>>;

    /// The row of one person.
    fn find<'a>(&'a self, campaign: CampaignId, openid: &'a OpenId) -> BoxFuture<'a, Result<Option<Row>>>;

    /// Opens settled coupons again; returns how many. What they were is kept in the history of outcomes. Coupons down as sent
    /// are never opened.
    fn reopen<'a>(&'a self, campaign: CampaignId, which: &'a Reopen) -> BoxFuture<'a, Result<u64>>;

    /// What happened to a campaign, oldest first.
    fn history(&self, campaign: CampaignId) -> BoxFuture<'_, Result<Vec<HistoryEntry>>>;

    /// Forgets the openids of a campaign that is stopped or finished; returns how many. It cannot be started again.
    fn purge(&self, campaign: CampaignId) -> BoxFuture<'_, Result<u64>>;
}

/// Why a ledger could not do what it was asked. Nothing was changed, unless the connection broke while it committed:
/// then it is not known, and doing it again does no harm.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// It cannot be reached or is out of space; the same call may succeed later.
    #[error("the ledger is not available")]
    Unavailable(#[source] BoxError),
    /// It is not a ledger of this version, it is damaged, or in use; the text says what to do.
    #[error("{0}")]
    Unusable(String),
    /// There is no such campaign.
    #[error("there is no campaign {0:?} in this ledger")]
    NoCampaign(String),
    /// A campaign of this name is there, and it is another one.
    #[error(
        "the ledger has another campaign {0:?}; choose another name, or discard that one if it was never started"
    )]
    NameTaken(String),
    /// The state of the campaign does not allow it.
    #[error("a campaign that is {state} cannot be {wanted}")]
    NotNow {
        /// How it stands.
        state: State,
        /// What was asked for, as a participle such as `started`.
        wanted: &'static str,
    },
    /// What was imported is not what was announced.
    #[error("the import brought {found} people, not {expected}; plan the campaign again")]
    Incomplete {
        /// People announced.
        expected: u64,
        /// People there.
        found: u64,
    },
    /// Something in it cannot be read back.
    #[error("{what} cannot be read from the ledger")]
    Damaged {
        /// What it is, without personal data.
        what: String,
        /// Why.
        #[source]
        cause: BoxError,
    },
}

impl LedgerError {
    /// Whether the same call may succeed later.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}
