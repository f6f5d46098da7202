//! The ledger in a PostgreSQL database.

mod contract;
mod limits;
mod place;
mod plans;
mod running;
mod server;
mod shared;
