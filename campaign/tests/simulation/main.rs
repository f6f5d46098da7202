//! Runners by the hundred under a clock that jumps, against a model of the ledger and a model of the platform that loses
//! answers. Each seed is another world; one that fails is printed, and `FAVOR_SIM_SEED=n` plays it again.

#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure with its place")]

mod clock;
mod dice;
mod ledger;
mod platform;
mod runs;
mod situations;
mod worker;
mod world;
