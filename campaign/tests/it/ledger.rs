//! The ledgers: one suite that each of them must pass, and what is special about each.

#[cfg(feature = "postgres")]
mod postgres;
