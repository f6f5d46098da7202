//! Gift cards: pages that sell them, the orders, and what users do with them.

pub(crate) mod act;
mod buying;
pub(crate) mod desk;
pub(super) mod orders;
pub(super) mod page;
pub(super) mod pages;
pub(super) mod payment;
pub(crate) mod record;

pub(super) use buying::back;
