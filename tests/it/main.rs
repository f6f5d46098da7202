//! Whole-system tests: the client and the mirror over real sockets.

mod concurrency;
mod harness;
mod keys;
mod models;
mod outcomes;
mod send_coupon;
mod stock;
