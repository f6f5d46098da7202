//! What the targets share: a merchant with fixed keys at a fixed time, and the platform that writes to it.

mod platform;
mod request;
mod world;

pub use platform::{USED, body, envelope, headers, seal};
pub use request::Request;
pub use world::{API_V3_KEY, NOW, keys, now, receive};
