//! The ledger in a PostgreSQL database.

mod place;
mod plans;
mod server;
mod shared;
