//! What the tests of stores need: a PostgreSQL server of their own, and a process that can be killed.

mod again;
mod cluster;

pub use again::{file_of_child, run_again};
pub use cluster::TestCluster;
