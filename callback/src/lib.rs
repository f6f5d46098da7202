#![doc = include_str!("../README.md")]

mod address;
mod notify_url;

pub use address::{Callback, CallbackAddress, UpdatedCallback};
pub use notify_url::NotifyUrl;
