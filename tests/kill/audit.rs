//! What must hold, counted from the mirror's records, the inbox file and the application's own notes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use favor::prelude::CouponId;
use favor_mirror::NotificationState;
use rusqlite::{Connection, OpenFlags};

use crate::receiver::INBOX;
use crate::shop::Shop;

/// The application's notes: a line for each notification it handled.
pub const LOG: &str = "handled.log";

pub struct Log(PathBuf);

impl Log {
    pub fn new(folder: &Path) -> Self {
        Self(folder.join(LOG))
    }

    fn read(&self) -> String {
        std::fs::read_to_string(&self.0).unwrap_or_default()
    }

    pub fn lines(&self) -> usize {
        self.read().lines().count()
    }
}

/// Read beside the receiver that works with it, without its code.
fn inbox(folder: &Path) -> Connection {
    let connection =
        Connection::open_with_flags(folder.join(INBOX), OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    connection.busy_timeout(std::time::Duration::from_secs(30)).unwrap();
    connection
}

/// How many are still to be handled.
pub fn open_in_inbox(folder: &Path) -> i64 {
    let sql = "SELECT count(*) FROM notifications WHERE state IN ('waiting', 'claimed')";
    inbox(folder).query_row(sql, [], |row| row.get(0)).unwrap()
}

#[derive(Default)]
pub struct Audit {
    /// Notifications that were acknowledged when somebody looked, with how often they had been handled by then.
    acknowledged: BTreeMap<String, usize>,
}

impl Audit {
    /// Nobody works with the inbox now: what is acknowledged in it must never be handled again.
    pub fn look(&mut self, shop: &Shop, log: &Log) {
        let handled = times_handled(log);
        for (id, times) in &self.acknowledged {
            let now = handled.get(id).copied().unwrap_or_default();
            assert_eq!(now, *times, "{id} was handled again after its acknowledgement");
        }
        let inbox = inbox(shop.folder());
        let sql = "SELECT notification_id FROM notifications WHERE state = 'handled'";
        let mut statement = inbox.prepare(sql).unwrap();
        for id in statement.query_map([], |row| row.get::<_, String>(0)).unwrap() {
            let id = id.unwrap();
            let times = handled.get(&id).copied().unwrap_or_default();
            assert!(times >= 1, "{id} was acknowledged and never handled");
            self.acknowledged.insert(id, times);
        }
    }

    /// Everything is over: what the mirror told of and what the application handled are the same.
    pub async fn close(self, shop: &Shop, log: &Log, coupons: &[CouponId]) -> String {
        let told = shop.notifications().await;
        assert!(told.iter().all(|one| one.state == NotificationState::Delivered));
        let used: BTreeSet<&str> = told.iter().map(|one| one.coupon_id.as_str()).collect();
        same(&used, &coupons.iter().map(CouponId::as_str).collect(), "told of and redeemed");
        let notes = log.read();
        let handled: BTreeSet<&str> = notes.lines().map(|line| line.split_once(' ').unwrap().1).collect();
        same(&handled, &used, "handled and told of");
        let ids: BTreeSet<&str> = told.iter().map(|one| one.notification_id.as_str()).collect();
        let acknowledged: BTreeSet<&str> = self.acknowledged.keys().map(String::as_str).collect();
        same(&acknowledged, &ids, "acknowledged and told of");

        let deliveries = || told.iter().flat_map(|one| &one.deliveries);
        let struck = |name: &str| deliveries().filter(|one| one.faults.iter().any(|f| f == name)).count();
        let accepted = deliveries().filter(|one| one.status == Some(200)).count();
        let mut probes = deliveries().filter(|one| one.faults.iter().any(|fault| fault == "probe"));
        assert!(probes.all(|one| matches!(one.status, Some(401) | None)), "no probe was accepted");
        let keys: BTreeSet<&str> = deliveries().map(|one| one.serial.as_str()).collect();
        assert!(keys.len() >= 3, "a certificate, the one after it, the public key: {keys:?}");
        let repeats = accepted - told.len();
        let twice = notes.lines().count() - handled.len();
        let (probes, held) = (struck("probe"), struck("hold"));
        assert!(repeats > 0 && probes > 0 && held > 0);
        format!(
            "{} told of, {} deliveries, {repeats} accepted repeats, {probes} probes, {held} held back, \
             {} handled, {twice} of them twice for lack of an acknowledgement",
            told.len(),
            deliveries().count(),
            handled.len(),
        )
    }
}

fn same(one: &BTreeSet<&str>, other: &BTreeSet<&str>, what: &str) {
    let (more, fewer) = (one.difference(other).count(), other.difference(one).count());
    let examples: Vec<_> = one.symmetric_difference(other).take(5).collect();
    assert!(examples.is_empty(), "{what}: {more} more and {fewer} fewer, such as {examples:?}");
}

fn times_handled(log: &Log) -> BTreeMap<String, usize> {
    let mut times = BTreeMap::new();
    for line in log.read().lines() {
        let (id, _) = line.split_once(' ').expect("whole lines");
        *times.entry(id.to_owned()).or_default() += 1;
    }
    times
}
