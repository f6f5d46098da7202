//! The ledger in a PostgreSQL database.

mod limits;
mod place;
mod plans;
mod server;
mod shared;
