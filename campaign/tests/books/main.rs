//! Lists, plans, reports, audits and reconciliations, from the outside.

mod audit;
mod import;
mod list;
mod plan;
mod report;
mod world;
