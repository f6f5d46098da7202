//! Tests of the receiver through its public API: one binary, a module per concern.
//!
//! The platform's side is played by [`platform`], with its own signing and sealing. No test reads the wall clock or
//! waits by sleeping, and none uses the network beyond this machine.

#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure with its place")]

#[path = "../support/platform.rs"]
mod platform;
mod world;

mod any_input;
mod content;
#[cfg(feature = "sqlite")]
mod dispatcher;
mod hostile;
mod inbox;
mod key_modes;
mod printing;
mod refresh;
mod several_merchants;

#[cfg(feature = "axum")]
mod extractor;
#[cfg(feature = "tower")]
mod service;
#[cfg(feature = "axum")]
mod wire;
