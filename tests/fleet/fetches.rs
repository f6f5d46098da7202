//! How often the daemon fetched, as the mirror counted it.

use std::collections::BTreeMap;
use std::time::Duration;

use favor::prelude::MerchantId;
use favor_mirror::Mirror;

const LISTED: &str = "certificates.list";
/// The log is read more often than so many requests come.
const MOST: usize = 50_000;

#[derive(Default)]
pub struct Fetches {
    counted: u64,
    by_merchant: BTreeMap<String, u64>,
}

impl Fetches {
    /// Counts what has come since the last time.
    pub fn count(&mut self, mirror: &Mirror) {
        let new = mirror.requests(MOST, self.counted);
        let newest = new.first().map_or(self.counted, |request| request.id);
        let came = usize::try_from(newest - self.counted).unwrap();
        assert_eq!(new.len(), came, "the log forgot requests before they were counted");
        for request in new.iter().filter(|request| request.operation == Some(LISTED)) {
            let merchant = request.mchid.clone().expect("the daemon says who it is");
            *self.by_merchant.entry(merchant).or_default() += 1;
        }
        self.counted = newest;
    }

    pub fn of(&self, merchant: &MerchantId) -> u64 {
        self.by_merchant.get(merchant.as_str()).copied().unwrap_or_default()
    }

    pub fn requests(&self) -> u64 {
        self.counted
    }
}

/// The least and the most fetches of a merchant within so much time, of which a change-over was under way for `pending`,
/// with this many further ones.
pub fn bounds(time: Duration, pending: Duration, extra: u64) -> (u64, u64) {
    let shortest = Duration::from_secs(3240);
    let longest = Duration::from_secs(3960);
    let in_pauses = |time: Duration, pause: Duration| time.as_secs() / pause.as_secs();
    let most = 1 + in_pauses(time, shortest) + in_pauses(pending, shortest / 6) + 1 + extra;
    (1 + in_pauses(time, longest), most)
}
