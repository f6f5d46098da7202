//! Behaviour of the mirror as a client sees it, over real sockets.

#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

mod authentication;
mod certificates;
mod concurrency;
mod connections;
mod control;
mod faults;
mod harness;
mod persistence;
mod redaction;
mod send;
mod stock;
