//! Tests of `favor-core` through its public API: one binary, a module per concern.
//!
//! The platform's side is played by [`platform`] (keys, signatures, sealed certificates), the network by [`script`]
//! (no sockets) or [`server`] (real sockets on this machine). No test reads the wall clock or waits by sleeping.

#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure with its place")]

mod calls;
mod platform;
mod script;
mod server;
mod test_keys;
mod world;

mod backends;
mod certificates;
mod decoding;
mod diagnosis;
mod identities;
mod key_directory;
mod key_directory_http;
mod key_download;
mod key_fuzz;
mod key_loading;
mod key_modes;
mod key_refresh;
mod links;
mod openssl;
mod outcomes;
mod pacing;
mod redaction;
mod requests;
mod retry;
mod sensitive_fields;
mod settings;
mod tracing_output;
mod unknown_serial;
mod vectors;
mod verification;

#[cfg(feature = "http-transport")]
mod http_transport;
#[cfg(feature = "http-transport")]
mod real_sockets;
