#![doc = include_str!("../README.md")]

mod answer;
mod audit;
mod client_sender;
mod external_sort;
mod import;
mod ledger;
pub mod list;
mod manifest;
mod name;
mod overlap;
mod pace;
mod plan;
mod policy;
mod private_file;
mod reconcile;
pub mod report;
mod row_cursor;
mod runner;

pub use answer::{Answer, Sender, Trouble};
pub use audit::{
    AuditDifference, AuditError, AuditOptions, AuditProgress, AuditReport, DifferenceKind, Sample,
    Unreadable, audit,
};
pub use client_sender::ClientSender;
#[cfg(feature = "postgres")]
pub use favor_store::postgres::Address as PostgresAddress;
pub use import::{ImportError, ImportProgress, Imported, import, import_with};
#[cfg(feature = "postgres")]
pub use ledger::PostgresLedger;
#[cfg(feature = "sqlite")]
pub use ledger::SqliteLedger;
pub use ledger::{
    Books, Campaign, CampaignId, Claim, Claimed, Fate, Finish, HistoryEntry, Lease, Ledger, LedgerError,
    LimitKey, OpenSlot, Order, OutcomeState, Recipient, Recorded, Reopen, Reservation, Row, RowOutcome,
    Settlement, Standing, State, Tally, Task, WorkerId,
};
pub use list::{ListError, ListSource, SortedList};
pub use manifest::{ListFacts, Manifest, OpenValue};
pub use name::CampaignName;
pub use overlap::{Overlap, overlap};
pub use pace::{DailyWindow, Pace, PaceError};
pub use plan::{
    Estimate, Finding, Plan, Severity, check_manifest, check_people, check_stock, check_stock_for, estimate,
    judge_stock,
};
pub use policy::{Class, Policy, PolicyError, Rule};
pub use reconcile::{
    FlowCover, Money, ReconcileCode, ReconcileDifference, ReconcileError, ReconcileOptions, ReconcileRow,
    Reconciled, Reconciliation, Totals,
};
pub use report::{ReportError, ReportOptions, Summary};
pub use runner::{ChunkReport, Ended, Hold, Pulse, RunError, Runner, RunnerBuilder};
