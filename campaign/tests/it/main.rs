//! Tests of campaigns through the public API: one binary, a module per concern.

#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure with its place")]

mod ledger;
