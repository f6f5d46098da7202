//! The ledgers: one suite that each of them must pass, and what is special about each.

pub(crate) mod contract;

#[cfg(all(feature = "sqlite", unix))]
mod killed;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
