//! Behaviour of the mirror as a client sees it, over real sockets.

#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

mod authentication;
mod callback;
mod card;
mod certificates;
mod concurrency;
mod connection_faults;
mod connections;
mod console;
mod control;
mod coupon_list;
mod doctor;
mod faults;
mod flow;
mod harness;
mod hostile_bodies;
mod hostile_bytes;
mod hostile_headers;
mod image;
mod lifecycle;
mod merchants;
mod methods;
mod metrics;
mod modify;
mod notifications;
mod openapi;
mod payment;
mod persistence;
mod platform;
mod proxy;
mod rates;
mod reach;
mod readings;
mod receiver;
mod redaction;
mod seed;
mod seed_coupons;
mod send;
mod snapshot;
mod stock;
mod stock_list;
mod stocks_control;
mod time;
mod tls;
