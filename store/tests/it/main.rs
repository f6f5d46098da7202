//! Tests of the stores through their public API: real files, real servers.

#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure with its place")]

#[cfg(all(feature = "postgres", feature = "testing"))]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite_beside;
#[cfg(feature = "sqlite")]
mod sqlite_file;
#[cfg(feature = "sqlite")]
mod sqlite_work;
