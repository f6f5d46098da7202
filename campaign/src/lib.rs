#![doc = include_str!("../README.md")]

mod answer;
mod ledger;
mod manifest;
mod name;
mod pace;
mod policy;

pub use answer::{Answer, Sender, Trouble};
#[cfg(feature = "sqlite")]
pub use ledger::SqliteLedger;
pub use ledger::{
    Books, Campaign, CampaignId, Claim, Claimed, Fate, Finish, HistoryEntry, Lease, Ledger, LedgerError,
    LimitKey, OpenSlot, Order, OutcomeState, Recipient, Recorded, Reopen, Reservation, Row, RowOutcome,
    Settlement, Standing, State, Tally, Task, WorkerId,
};
pub use manifest::{ListFacts, Manifest, OpenValue};
pub use name::CampaignName;
pub use pace::{DailyWindow, Pace};
pub use policy::{Class, Policy, Rule};
