//! `favor campaign …` against a mirror: two processes that a person would start, and a ledger.

mod database;
mod interrupted;
mod ledger;
mod life;
mod plan;
mod platform;
mod reconciled;
mod shop;
