//! Tests of `favor-certs` from outside: real files, real sockets, the mirror as the platform.

#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure with its place")]

mod keys;
mod world;

mod daemon;
mod deploy;
mod directory;
mod fleet;
mod http;
mod kill;
