//! What goes into a ledger and comes out of it.

use std::fmt;
use std::time::Duration;

use favor_core::{CouponId, MerchantId, OpenId, Timestamp};

use crate::manifest::Manifest;

/// A campaign's number within its ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CampaignId(pub i64);

/// A campaign of a ledger.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Campaign {
    /// Its number.
    pub id: CampaignId,
    /// What it does.
    pub manifest: Manifest,
    /// How it stood when it was read.
    pub standing: Standing,
}

impl Campaign {
    /// Of an implementation of [`Ledger`](crate::Ledger).
    pub fn new(id: CampaignId, manifest: Manifest, standing: Standing) -> Self {
        Self { id, manifest, standing }
    }
}

/// One process that works on a campaign. New for each process, so that a restarted one is not taken for the old one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WorkerId(pub String);

/// A person of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The rank among the people of the campaign, from 0, by the bytes of the openid.
    pub place: u64,
    /// The line of the list that named the person first, from 1.
    pub line: u64,
    /// Who it is.
    pub openid: OpenId,
}

/// What a claim brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// A chunk to work on.
    Chunk(Claim),
    /// Nothing now: others hold what is left, or it is due later. Asking again after `next` may bring something.
    Later {
        /// How long until something may be due; none when that is not known.
        next: Option<Duration>,
    },
    /// No coupon of the campaign is open.
    AllDone,
}

/// A chunk to work on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// What it is held by.
    pub lease: Lease,
    /// Its people with open coupons, in the order of their places. May be empty.
    pub tasks: Vec<Task>,
}

/// What a chunk is held by. It is void once somebody else claimed the chunk.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Lease {
    /// The campaign.
    pub campaign: CampaignId,
    /// The chunk, from 0.
    pub chunk: u32,
    /// Counts the claims of it.
    pub fence: i64,
}

/// A person with open coupons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// The person's place.
    pub place: u64,
    /// Who it is.
    pub openid: OpenId,
    /// The coupons to send, in the order of their slots.
    pub open: Vec<OpenSlot>,
}

/// A coupon to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenSlot {
    /// Which of the person's coupons, from 0.
    pub slot: u32,
    /// How often it was tried, as far as that was recorded.
    pub attempts: u32,
    /// When it was tried first, as far as that was recorded.
    pub first_tried_at: Option<Timestamp>,
}

/// What became of a coupon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// The person's place.
    pub place: u64,
    /// Which of the person's coupons.
    pub slot: u32,
    /// What became of it.
    pub fate: Fate,
    /// How often it was tried, in all.
    pub attempts: u32,
    /// The code of the last answer; none when it was sent.
    pub code: Option<String>,
    /// What the last answer said; none when it was sent.
    pub message: Option<String>,
    /// The platform's `Request-ID` of the last answer.
    pub request_id: Option<String>,
    /// When it was tried first.
    pub first_tried_at: Timestamp,
    /// When its last answer came.
    pub settled_at: Timestamp,
}

/// What became of a coupon, once it is known or given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The person has it.
    Sent {
        /// The platform's id of it.
        coupon_id: CouponId,
    },
    /// The platform will not give it.
    Refused,
    /// Set aside: a person has to decide.
    Parked,
    /// Set aside: it was tried often, and whether the person has it is not known.
    Unknown,
}

/// Where a coupon stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OutcomeState {
    /// Still to be sent.
    Open,
    /// See [`Fate::Sent`].
    Sent,
    /// See [`Fate::Refused`].
    Refused,
    /// See [`Fate::Parked`].
    Parked,
    /// See [`Fate::Unknown`].
    Unknown,
}

impl OutcomeState {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Open, Self::Sent, Self::Refused, Self::Parked, Self::Unknown];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Sent => "sent",
            Self::Refused => "refused",
            Self::Parked => "parked",
            Self::Unknown => "unknown",
        }
    }

    /// The state of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

impl fmt::Display for OutcomeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Fate {
    /// The state it leads to.
    pub fn state(&self) -> OutcomeState {
        match self {
            Self::Sent { .. } => OutcomeState::Sent,
            Self::Refused => OutcomeState::Refused,
            Self::Parked => OutcomeState::Parked,
            Self::Unknown => OutcomeState::Unknown,
        }
    }
}

/// Whether a lease still held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It did, and what was asked for is done.
    Done,
    /// It did not: somebody else claimed the chunk. Nothing was changed.
    Lost,
}

/// How the work on a chunk ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// All its coupons are settled.
    Done,
    /// Others may go on with it after so long.
    GiveBack {
        /// How long from now.
        after: Duration,
    },
}

/// What shares a limit: all calls of a merchant to one API.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LimitKey {
    /// The merchant that calls.
    pub merchant_id: MerchantId,
    /// The operation, such as `coupon.send`.
    pub api: String,
}

/// Calls that may be made: the first after `first_in`, each other one `spacing` later than the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// How many, at least one.
    pub calls: u32,
    /// From now to the first.
    pub first_in: Duration,
    /// From one to the next.
    pub spacing: Duration,
}

/// Where a campaign stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// Its list is being read.
    Importing,
    /// Ready to start.
    Planned,
    /// Workers send.
    Running,
    /// Workers wait.
    Paused,
    /// Workers end; it can be started again.
    Stopped,
    /// No coupon is open.
    Finished,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Importing, Self::Planned, Self::Running, Self::Paused, Self::Stopped, Self::Finished];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Importing => "importing",
            Self::Planned => "planned",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
            Self::Finished => "finished",
        }
    }

    /// The state of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A change of a campaign's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// From planned or stopped to running; nothing when it runs.
    Start,
    /// From running to paused; on a paused one, the newer reason counts unless that one was paused by a person.
    Pause {
        /// Why, for people.
        reason: String,
        /// When it goes on by itself.
        until: Option<Timestamp>,
        /// Whether a person asked for it.
        by_operator: bool,
    },
    /// From paused to running.
    Resume,
    /// From running or paused to stopped.
    Stop,
    /// From running to finished; [`LedgerError::NotNow`](crate::LedgerError::NotNow) while a coupon is open.
    Finish,
}

/// How a campaign stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Standing {
    /// The state. One that is paused until a time which has passed is running.
    pub state: State,
    /// Why it is paused.
    pub reason: Option<String>,
    /// Whether a person paused it.
    pub paused_by_operator: bool,
    /// When it goes on by itself.
    pub paused_until: Option<Timestamp>,
    /// People in all.
    pub people: u64,
    /// Coupons in all.
    pub coupons: u64,
    /// Coupons that are settled, by state and code, in that order.
    pub tallies: Vec<Tally>,
    /// Workers that hold a chunk.
    pub workers: u64,
    /// When it was started first.
    pub started_at: Option<Timestamp>,
    /// When its last coupon was settled.
    pub finished_at: Option<Timestamp>,
    /// The ledger's clock.
    pub now: Timestamp,
}

impl Standing {
    /// Of an implementation of [`Ledger`](crate::Ledger).
    pub fn new(state: State, people: u64, coupons: u64, now: Timestamp) -> Self {
        Self {
            state,
            reason: None,
            paused_by_operator: false,
            paused_until: None,
            people,
            coupons,
            tallies: Vec::new(),
            workers: 0,
            started_at: None,
            finished_at: None,
            now,
        }
    }

    /// How many coupons are in a state.
    pub fn count(&self, state: OutcomeState) -> u64 {
        let of = |wanted| {
            let counts =
                self.tallies.iter().filter(move |tally| tally.state == wanted).map(|tally| tally.count);
            counts.fold(0, u64::saturating_add)
        };
        match state {
            OutcomeState::Open => {
                let settled = self.tallies.iter().fold(0, |sum: u64, tally| sum.saturating_add(tally.count));
                self.coupons.saturating_sub(settled)
            }
            settled => of(settled),
        }
    }
}

/// How many coupons have one state and code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// The state; never open.
    pub state: OutcomeState,
    /// The code; empty for sent ones.
    pub code: String,
    /// How many.
    pub count: u64,
}

/// A person and what became of the coupons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The place.
    pub place: u64,
    /// The line of the list.
    pub line: u64,
    /// Who it is; none after a purge.
    pub openid: Option<OpenId>,
    /// One for each slot, in their order.
    pub outcomes: Vec<RowOutcome>,
}

/// What became of one coupon, as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowOutcome {
    /// Which of the person's coupons.
    pub slot: u32,
    /// Where it stands.
    pub state: OutcomeState,
    /// The coupon, when it was sent.
    pub coupon_id: Option<CouponId>,
    /// The code of the last answer.
    pub code: Option<String>,
    /// What it said.
    pub message: Option<String>,
    /// How often it was tried, as far as that was recorded.
    pub attempts: u32,
    /// The platform's `Request-ID` of the last answer.
    pub request_id: Option<String>,
    /// When it was tried first, as far as that was recorded.
    pub first_tried_at: Option<Timestamp>,
    /// When its last answer came.
    pub settled_at: Option<Timestamp>,
}

/// Which settled coupons are opened again. All of these states, and of these codes unless there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reopen {
    /// The states; never sent.
    pub states: Vec<OutcomeState>,
    /// The codes; none means all.
    pub codes: Vec<String>,
}

/// Something that happened to a campaign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryEntry {
    /// When.
    pub at: Timestamp,
    /// What: `planned`, `sealed`, `started`, `paused`, `resumed`, `stopped`, `finished`, `reopened`, `purged`, `mismatch`.
    pub what: String,
    /// More about it, for people, without personal data.
    pub detail: Option<String>,
}
