//! The card client against the mirror's card API.

mod calls;
mod desk;
mod events;
mod faults;
mod storm;
