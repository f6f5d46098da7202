//! Rows of the card API.

pub(crate) mod accounts;
pub(crate) mod cards;
pub(crate) mod codes;
pub(crate) mod events;
pub(crate) mod gift_orders;
pub(crate) mod happenings;
pub(crate) mod marks;
pub(crate) mod qrcodes;
pub(crate) mod things;
pub(crate) mod tokens;
