#![doc = include_str!("../README.md")]

mod error;
#[cfg(feature = "sqlite")]
pub mod sqlite;

pub use error::StoreError;
