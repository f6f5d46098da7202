//! The card API of Official Accounts: an access token in the query, JSON in the body, and HTTP 200 with an `errcode`
//! for everything.
//!
//! A call is a function over the store ([`ask::Ask`]); [`endpoint`] lists them, and [`serve`] is the way of each.
//! What users do on their phones, and what the owner of an account sets up in its console, is under `/_mirror/card`
//! ([`desk`]).

pub(crate) mod account;
pub(crate) mod account_change;
pub(crate) mod act;
pub(crate) mod ask;
pub(crate) mod body;
mod cells;
mod cipher;
mod codes;
pub(crate) mod coins;
mod colors;
mod create;
pub(crate) mod desk;
mod distribution;
pub(crate) mod due;
pub(crate) mod endpoint;
pub(crate) mod event;
mod face;
mod general_cards;
pub(crate) mod gift_act;
mod gift_buying;
pub(crate) mod gift_desk;
mod gift_orders;
mod gift_page;
mod gift_pages;
mod gift_payment;
pub(crate) mod gift_record;
mod invoices;
mod jpeg;
mod marks;
mod members;
mod messages;
mod pay_rules;
pub(crate) mod people;
mod pictures;
pub(crate) mod push;
mod qr_picture;
pub(crate) mod record;
pub(crate) mod redact;
mod reply;
pub(crate) mod seeding;
pub(crate) mod serve;
mod special_tickets;
mod statistics;
pub(crate) mod sub_merchants;
mod templates;
pub(crate) mod tokens;
mod update;
pub(crate) mod views;
