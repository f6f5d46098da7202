//! Work that waits for the disk or for arithmetic, off the runtime's own threads.

use tokio::sync::Semaphore;
use tokio::task::JoinError;

/// So many at once: each thread that has handled keys keeps memory of its own, and a fleet's burst must not make
/// hundreds of them.
static TURNS: Semaphore = Semaphore::const_new(4);

/// Runs `work` on a thread of its own when its turn has come.
pub(crate) async fn run<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, JoinError> {
    // It is never closed; without a turn the work would be done all the same.
    let turn = TURNS.acquire().await.ok();
    let worked = tokio::task::spawn_blocking(work).await;
    drop(turn);
    worked
}
