//! The daemon and the readers, moved through time together.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, TimeDelta, Utc};

use crate::child::{Child, Role};
use crate::fetches::{self, Fetches};
use crate::world::{self, World};
use crate::{LEAD, MOST_MEMORY};

/// One move of all clocks. Signatures are taken for five minutes, so it does not matter that one clock moves first.
const STEP: Duration = Duration::from_secs(180);
/// How many merchants a reader has, and how many readers there are at least.
const MERCHANTS_OF_ONE: usize = 20;
const FEWEST_READERS: usize = 5;
/// How many readers move at once.
const GROUP: usize = 10;
/// Pauses while something is waited for.
const PAUSE: Duration = Duration::from_millis(5);
/// Checks beyond those by the clock: one as the settings change, one as a reader meets an unknown serial.
const EXTRA: u64 = 2;

pub struct Fleet {
    pub world: World,
    daemon: Child,
    readers: Vec<Child>,
    fetches: Fetches,
    elapsed: Duration,
    /// Of each merchant: how its status looked, and when the next check is due by it.
    next_checks: Vec<Option<(SystemTime, DateTime<Utc>)>>,
}

impl Fleet {
    pub async fn start(merchants: u32) -> Self {
        let world = World::open(merchants).await;
        let mut daemon = Child::start(Role::Daemon, world.folder());
        let url = daemon.answer().await;
        world.write(world::DAEMON_URL, &url);
        let mut fleet = Self {
            next_checks: vec![None; world.merchants.len()],
            world,
            daemon,
            readers: Vec::new(),
            fetches: Fetches::default(),
            elapsed: Duration::ZERO,
        };
        fleet.settle().await;
        fleet.fetches.count(&fleet.world.mirror);
        for merchant in &fleet.world.merchants {
            assert_eq!(fleet.fetches.of(merchant), 1, "one at the start");
        }
        let count = fleet.world.merchants.len();
        let readers = (count / MERCHANTS_OF_ONE).max(FEWEST_READERS).min(count);
        let reader = |number| Child::start(Role::Reader { number, readers }, fleet.world.folder());
        fleet.readers = (0..readers).map(reader).collect();
        for reader in &mut fleet.readers {
            assert_eq!(reader.answer().await, "ready");
        }
        fleet
    }

    /// Lets so much time pass.
    pub async fn pass(&mut self, time: Duration) {
        let end = self.elapsed + time;
        while self.elapsed < end {
            self.tick().await;
        }
    }

    async fn tick(&mut self) {
        self.elapsed += STEP;
        let line = format!("tick {}", self.elapsed.as_secs());
        self.world.mirror.advance(STEP).await.unwrap();
        assert_eq!(self.daemon.ask(&line).await, "ticked");
        // In groups: all that meet an unknown serial at once ask the daemon, and on a slow machine it would answer the
        // last of a hundred too late.
        for group in self.readers.chunks_mut(GROUP) {
            for reader in &mut *group {
                reader.tell(&line).await;
            }
            for reader in group {
                assert_eq!(reader.answer().await, "ticked");
            }
        }
        self.settle().await;
        self.fetches.count(&self.world.mirror);
    }

    async fn tell_readers(&mut self, line: &str) {
        for reader in &mut self.readers {
            reader.tell(line).await;
        }
    }

    async fn answers(&mut self) -> Vec<String> {
        let mut answers = Vec::new();
        for reader in &mut self.readers {
            answers.push(reader.answer().await);
        }
        answers
    }

    /// Waits until the daemon has made every check that is due.
    async fn settle(&mut self) {
        let now = world::start() + TimeDelta::from_std(self.elapsed).unwrap();
        for (merchant, known) in self.world.merchants.iter().zip(&mut self.next_checks) {
            loop {
                // Most have not changed since they were read last.
                let changed = self.world.status_changed(merchant);
                if changed != known.map(|(at, _)| at)
                    && let Some(status) = self.world.status(merchant)
                {
                    let failure = status.failure.as_ref();
                    assert!(failure.is_none(), "merchant {}: {failure:?}", merchant.as_str());
                    *known = changed.zip(status.next_check);
                }
                if known.is_some_and(|(_, next)| next > now) {
                    break;
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// Waits until each merchant's release has this key. The clocks move once, so that the daemon looks at its settings.
    pub async fn published_everywhere(&mut self, key: &str) {
        self.tick().await;
        for merchant in &self.world.merchants {
            while !self.world.publishes(merchant, key) {
                tokio::time::sleep(PAUSE).await;
            }
        }
        self.settle().await;
    }

    /// Lets so much time pass, and the steps of two polls; then each reader has this key for each of its merchants.
    pub async fn held_everywhere_within(&mut self, key: &str, time: Duration) {
        self.pass(time + 3 * STEP).await;
        self.tell_readers(&format!("holds {key}")).await;
        let held: usize = self.answers().await.iter().map(|held| held.parse::<usize>().unwrap()).sum();
        assert_eq!(held, self.world.merchants.len(), "readers' merchants with {key}");
    }

    /// Ends all, and holds the figures to their bars.
    pub async fn end(mut self) -> String {
        self.tell_readers("record").await;
        let answers = self.answers().await;
        let parsed = answers.iter().map(|line| line.split(' ').map(|one| one.parse().unwrap()).collect());
        let records: Vec<Vec<u64>> = parsed.collect();
        let sum = |place: usize| records.iter().map(|record| record[place]).sum::<u64>();
        let slowest = records.iter().map(|record| record[3]).max().unwrap();
        let readers = self.readers.len();
        for reader in self.readers {
            reader.end().await;
        }
        let memory = self.daemon.peak_memory();
        self.daemon.end().await;
        assert!(memory < MOST_MEMORY, "the daemon took {memory} KiB");

        let (least, most) = fetches::bounds(self.elapsed, LEAD, EXTRA);
        let mut counts: Vec<_> = self.world.merchants.iter().map(|one| (self.fetches.of(one), one)).collect();
        counts.sort();
        for (count, merchant) in &counts {
            let allowed = least <= *count && *count <= most;
            assert!(allowed, "merchant {}: {count} fetches, not {least} to {most}", merchant.as_str());
        }
        let merchants = counts.len();
        let (fewest, highest) = (counts[0].0, counts[merchants - 1].0);
        let all: u64 = counts.iter().map(|(count, _)| count).sum();
        // Two certificates and the public key.
        assert!(sum(2) >= 3 * u64::try_from(merchants).unwrap(), "releases followed: {}", sum(2));
        format!(
            "{merchants} merchants, {readers} readers, {} min of the clock; {} calls and {} notifications verified, \
             {} releases followed, within {slowest} polls; {all} fetches, {fewest} to {highest} each ({least} to \
             {most} allowed), of {} requests; the daemon's memory at most {memory} KiB",
            self.elapsed.as_secs() / 60,
            sum(0),
            sum(1),
            sum(2),
            self.fetches.requests(),
        )
    }
}
