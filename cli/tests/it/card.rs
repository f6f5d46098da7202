//! `favor card …` against a server that answers as a test says, and against a mirror.

mod account;
mod codes;
pub mod desk;
mod events;
mod life;
mod members;
mod on_mirror;
mod pages;
mod shops;
mod statistics;
