//! The ledger in a PostgreSQL database.

mod place;
mod server;
mod shared;
