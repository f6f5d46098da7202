//! Whole-system tests: the client and the mirror over real sockets.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test that cannot go on should stop where it is")]

mod card;
mod concurrency;
mod coverage;
mod every_fault;
#[path = "../support/file_server.rs"]
mod file_server;
mod flow_download;
mod flows;
mod harness;
mod keys;
mod life_cycle;
mod lists;
mod models;
mod notifications;
mod outcomes;
mod production_host;
mod send_coupon;
mod stock;
mod strike;
