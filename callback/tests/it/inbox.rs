//! The inboxes: one suite that each of them must pass, and what is special about each.

mod conformance;
mod model;
mod records;

#[cfg(all(feature = "sqlite", unix))]
mod killed;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
