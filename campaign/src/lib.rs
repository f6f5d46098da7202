#![doc = include_str!("../README.md")]

mod answer;
mod client_sender;
mod ledger;
mod manifest;
mod name;
mod pace;
mod policy;
mod runner;

pub use answer::{Answer, Sender, Trouble};
pub use client_sender::ClientSender;
pub use ledger::{
    Books, Campaign, CampaignId, Claim, Claimed, Fate, Finish, HistoryEntry, Lease, Ledger, LedgerError,
    LimitKey, OpenSlot, Order, OutcomeState, Recipient, Recorded, Reopen, Reservation, Row, RowOutcome,
    Settlement, Standing, State, Tally, Task, WorkerId,
};
pub use manifest::{ListFacts, Manifest, OpenValue};
pub use name::CampaignName;
pub use pace::{DailyWindow, Pace, PaceError};
pub use policy::{Class, Policy, PolicyError, Rule};
pub use runner::{ChunkReport, Ended, Hold, Pulse, RunError, Runner, RunnerBuilder};
