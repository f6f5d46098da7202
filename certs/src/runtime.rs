//! The threads a daemon runs on.

use tokio::runtime::{Builder, Runtime};

/// Almost always it sleeps, and each thread that does something keeps memory of its own.
const WORKERS: usize = 1;

/// A tokio runtime of a size that suits a [`Daemon`](crate::Daemon), whatever the machine has: one thread beside the one
/// that runs the daemon, and those that wait for a name server.
///
/// # Errors
/// When the system gives no threads.
pub fn runtime() -> std::io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(WORKERS).thread_name("favor-certs").enable_all().build()
}
