//! Tests of the card client through its public API: one binary, a module per concern.
//!
//! The platform's side is a small HTTP server on this machine that answers as a test says. No test reads the wall clock
//! or waits by sleeping, and none uses the network beyond this machine.

#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure with its place")]

mod server;

mod access;
mod bad_input;
mod codes;
mod coverage;
mod events;
mod fixtures;
mod models;
mod outcomes;
mod pictures;
mod redaction;
mod signatures;
mod token_stores;
