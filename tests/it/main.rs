//! Whole-system tests: the client and the mirror over real sockets.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test that cannot go on should stop where it is")]

mod concurrency;
mod harness;
mod keys;
mod models;
mod outcomes;
mod send_coupon;
mod stock;
