//! Users that a send is under way to, for the reading under which sends at the same moment disturb each other.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::lock;

/// Sends under way, by openid.
#[derive(Debug, Default)]
pub(crate) struct Crowd(Mutex<HashMap<String, usize>>);

impl Crowd {
    /// Counts a send as under way until what this returns is dropped.
    pub(crate) fn enter(&self, openid: &str) -> UnderWay<'_> {
        let mut under_way = lock::mutex(&self.0);
        let count = under_way.entry(openid.to_owned()).or_default();
        *count += 1;
        UnderWay { crowd: self, openid: openid.to_owned(), crowded: *count > 1 }
    }
}

/// One send under way.
#[derive(Debug)]
pub(crate) struct UnderWay<'a> {
    crowd: &'a Crowd,
    openid: String,
    /// Another one was under way to the same user when it came.
    pub(crate) crowded: bool,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut under_way = lock::mutex(&self.crowd.0);
        if let Some(count) = under_way.get_mut(&self.openid) {
            *count -= 1;
            if *count == 0 {
                under_way.remove(&self.openid);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_at_once_are_a_crowd() {
        let crowd = Crowd::default();
        let first = crowd.enter("o1");
        let second = crowd.enter("o1");
        let other = crowd.enter("o2");
        assert_eq!((first.crowded, second.crowded, other.crowded), (false, true, false));
        drop((first, second));
        assert!(!crowd.enter("o1").crowded);
    }
}
