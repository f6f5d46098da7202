//! The inboxes: one suite that each of them must pass, and what is special about each.

mod conformance;
mod records;

#[cfg(feature = "sqlite")]
mod sqlite;
