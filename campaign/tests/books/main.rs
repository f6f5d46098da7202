//! Lists, plans, reports, audits and reconciliations, from the outside.

#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure with its place")]

mod audit;
mod import;
mod list;
mod plan;
mod process;
mod reconcile;
mod report;
mod world;
