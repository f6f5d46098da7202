//! Behaviour of the mirror as a client sees it, over real sockets.

#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

mod authentication;
mod callback;
mod certificates;
mod concurrency;
mod connections;
mod control;
mod coupon_list;
mod faults;
mod flow;
mod harness;
mod image;
mod lifecycle;
mod merchants;
mod metrics;
mod modify;
mod openapi;
mod payment;
mod persistence;
mod rates;
mod readings;
mod redaction;
mod seed;
mod send;
mod snapshot;
mod stock;
mod stock_list;
