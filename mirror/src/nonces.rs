//! Nonces that were used, for the reading under which they are used once.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::lock;
use crate::moment::Moment;

/// A signature older than this is refused for its timestamp anyway, on either side of the clock.
const MEMORY_MILLIS: i64 = 600_000;
/// How many are kept before old ones are looked for.
const TIDY: usize = 4_096;

/// Used nonces, by merchant.
#[derive(Debug, Default)]
pub(crate) struct Nonces(Mutex<HashMap<(String, String), Moment>>);

impl Nonces {
    /// Notes a nonce; false when the merchant has used it within ten minutes.
    pub(crate) fn is_new(&self, mchid: &str, nonce: &str, now: Moment) -> bool {
        let mut used = lock::mutex(&self.0);
        let remembered = |used: &Moment| now < used.plus_millis(MEMORY_MILLIS);
        if used.len() >= TIDY {
            used.retain(|_, time| remembered(time));
        }
        used.insert((mchid.to_owned(), nonce.to_owned()), now).is_none_or(|before| !remembered(&before))
    }

    pub(crate) fn clear(&self) {
        lock::mutex(&self.0).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_used_once_by_each_merchant() {
        let now = Moment::from_millis_const(1_790_000_000_000);
        let nonces = Nonces::default();
        assert!(nonces.is_new("1", "a", now));
        assert!(!nonces.is_new("1", "a", now.plus_millis(1_000)));
        assert!(nonces.is_new("2", "a", now) && nonces.is_new("1", "b", now));
        assert!(nonces.is_new("1", "a", now.plus_millis(601_000)));
        for n in 0..2 * TIDY {
            nonces.is_new("3", &n.to_string(), now.plus_millis(2_000_000));
        }
        assert!(nonces.is_new("2", "a", now.plus_millis(2_000_000)));
    }
}
