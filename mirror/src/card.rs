//! The card API of Official Accounts: an access token in the query, JSON in the body, and HTTP 200 with an `errcode`
//! for everything.
//!
//! A call is a function over the store ([`ask::Ask`]); [`endpoint`] lists them, and [`serve`] is the way of each.
//! What users do on their phones, and what the owner of an account sets up in its console, is under `/_mirror/card`
//! ([`desk`]).

pub(crate) mod account;
pub(crate) mod account_change;
pub(crate) mod act;
mod advanced_info;
pub(crate) mod ask;
mod base_info;
pub(crate) mod body;
mod cells;
mod cipher;
mod claim;
mod codes;
pub(crate) mod coins;
mod colors;
mod create;
mod deeds;
pub(crate) mod desk;
mod distribution;
pub(crate) mod due;
pub(crate) mod endpoint;
pub(crate) mod event;
mod face;
mod general_cards;
pub(crate) mod gift_cards;
mod gifting;
mod holder;
mod invoices;
mod jpeg;
mod kinds;
mod marks;
mod members;
mod messages;
mod pay_rules;
mod pictures;
pub(crate) mod push;
mod qr_picture;
pub(crate) mod record;
pub(crate) mod redact;
mod reply;
pub(crate) mod seeding;
pub(crate) mod serve;
pub(crate) mod shown;
mod special_tickets;
mod statistics;
pub(crate) mod sub_merchants;
mod templates;
pub(crate) mod tokens;
mod update;
pub(crate) mod views;
