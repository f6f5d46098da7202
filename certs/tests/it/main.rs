//! Tests of `favor-certs` from outside: real files, real sockets, the mirror as the platform.

#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure with its place")]

mod keys;
mod platform;
mod world;

mod bad_days;
mod bad_disk;
mod daemon;
mod deploy;
mod directory;
mod fleet;
mod http;
mod kill;
mod own_keys;
mod refresh;
mod systemd;
