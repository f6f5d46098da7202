//! Which messages came before.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use favor_core::Clock;

use super::rejection::Rejection;

/// How long what is done is remembered: far longer than the platform repeats it.
const KEEP: Duration = Duration::from_secs(3_600);
/// More than these are not remembered: the oldest are forgotten first.
const MOST: usize = 100_000;

/// What came lately, in this process.
#[derive(Clone)]
pub(crate) struct Memory {
    held: Arc<Mutex<Held>>,
    clock: Arc<dyn Clock>,
}

#[derive(Default)]
struct Held {
    /// Whether it is done.
    known: HashMap<String, bool>,
    done: VecDeque<(Duration, String)>,
}

impl Memory {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { held: Arc::default(), clock }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a message up, unless it came before. Once done it is remembered for an hour, and for as long as a copy of it
    /// is in the receiver's window.
    pub(crate) fn begin(&self, key: String, window: Option<Duration>) -> Result<Claim, Rejection> {
        let now = self.clock.elapsed();
        let mut held = self.lock();
        while held.done.front().is_some_and(|(until, _)| *until <= now) || held.done.len() > MOST {
            if let Some((_, key)) = held.done.pop_front() {
                held.known.remove(&key);
            }
        }
        match held.known.get(&key) {
            Some(true) => Err(Rejection::Repeated),
            Some(false) => Err(Rejection::InProgress),
            None => {
                held.known.insert(key.clone(), false);
                let keep = KEEP.max(window.unwrap_or_default().saturating_mul(2));
                Ok(Claim { memory: self.clone(), key: Some(key), keep })
            }
        }
    }
}

/// A message that is being worked on. Dropped before it is done, it may come again.
pub(crate) struct Claim {
    memory: Memory,
    key: Option<String>,
    keep: Duration,
}

impl Claim {
    pub(crate) fn done(mut self) {
        if let Some(key) = self.key.take() {
            let until = self.memory.clock.elapsed().saturating_add(self.keep);
            let mut held = self.memory.lock();
            held.known.insert(key.clone(), true);
            held.done.push_back((until, key));
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.memory.lock().known.remove(&key);
        }
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claim(..)")
    }
}
