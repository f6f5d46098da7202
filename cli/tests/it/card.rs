//! `favor card …` against a server that answers as a test says.

mod account;
mod codes;
mod desk;
mod events;
mod life;
mod members;
mod pages;
mod statistics;
