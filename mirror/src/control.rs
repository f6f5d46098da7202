//! `/_mirror`: what production has no endpoint for.

pub(crate) mod audit;
pub(crate) mod body;
pub(crate) mod callbacks;
pub(crate) mod card;
pub(crate) mod clock;
pub(crate) mod console;
pub(crate) mod coupons;
pub(crate) mod failure;
pub(crate) mod faults;
pub(crate) mod gift_cards;
pub(crate) mod guard;
pub(crate) mod health;
pub(crate) mod index;
pub(crate) mod keys;
pub(crate) mod merchants;
pub(crate) mod metrics;
pub(crate) mod openapi;
pub(crate) mod rates;
pub(crate) mod readings;
pub(crate) mod requests;
pub(crate) mod reset;
pub(crate) mod routes;
pub(crate) mod senders;
pub(crate) mod snapshot;
pub(crate) mod stocks;
pub(crate) mod users;
