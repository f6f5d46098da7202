//! The `favor` command as a user runs it: processes, streams, exit codes.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test that cannot go on should stop where it is")]

#[cfg(target_os = "linux")]
mod bad_data;
mod by_hand;
mod callback;
#[cfg(unix)]
mod callback_database;
mod callback_forward;
mod callback_listen;
#[cfg(unix)]
mod campaign;
mod card;
#[cfg(unix)]
mod certs;
mod demo;
mod doctor;
#[path = "../../../tests/support/file_server.rs"]
mod file_server;
mod flows;
mod help;
mod kill;
mod kill_restore;
mod lines;
mod listener;
mod lists_and_images;
mod mirror;
mod mirror_control;
#[path = "../../../tests/support/random.rs"]
mod random;
mod run;
mod settings;
mod sign;
mod stock_and_coupon;
mod target;
mod watch;
mod watch_bad_days;
mod world;
