//! Lists, plans, reports, audits and reconciliations, from the outside.

mod audit;
mod import;
mod list;
mod plan;
mod reconcile;
mod report;
mod world;
