//! What happens around the workers: the mirror dies, the database dies, bursts of refusals, workers that freeze.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use favor_store::testing::TestCluster;

use crate::mirror::Platform;
use crate::random::Random;
use crate::store::Store;
use crate::team::{Member, Team};

const PAUSE: Duration = Duration::from_millis(10);
/// How often the campaign's state is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How long a worker freezes where nobody else can take its work.
const FROZEN: Duration = Duration::from_millis(300);

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    MirrorKilled,
    DatabaseStopped,
    Frozen,
    Burst,
}

impl Event {
    fn name(self) -> &'static str {
        match self {
            Self::MirrorKilled => "mirror kills",
            Self::DatabaseStopped => "database stops",
            Self::Frozen => "freezes",
            Self::Burst => "bursts of 429",
        }
    }
}

pub struct Director<'a> {
    team: &'a Team,
    random: Random,
    cluster: Option<&'a mut TestCluster>,
    store: Store,
    runtime: tokio::runtime::Runtime,
    /// What happens once the platform has given so many coupons; the next one last.
    plan: Vec<(usize, Event)>,
    counts: BTreeMap<&'static str, usize>,
}

impl<'a> Director<'a> {
    /// The first event of each kind comes in the first half of the work, so that it surely comes to pass; the others at
    /// any time before the last tenth.
    pub fn new(
        team: &'a Team,
        kills: usize,
        mut random: Random,
        cluster: Option<&'a mut TestCluster>,
    ) -> Self {
        let few = 2 + kills / 10;
        let mut events =
            vec![(few, Event::MirrorKilled), (few, Event::Frozen), (2 + kills / 20, Event::Burst)];
        if cluster.is_some() {
            events.push((2 + kills / 50, Event::DatabaseStopped));
        }
        let most = u64::try_from(team.coupons * 9 / 10).unwrap();
        let mut plan = Vec::new();
        for (place, (times, event)) in events.into_iter().enumerate() {
            plan.push((team.coupons * (place + 1) / 10, event));
            for _ in 1..times {
                plan.push((usize::try_from(random.below(most)).unwrap(), event));
            }
        }
        plan.sort_unstable_by_key(|(done, _)| std::cmp::Reverse(*done));
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let store = Store::in_folder(&team.folder);
        Self { team, random, cluster, store, runtime, plan, counts: BTreeMap::new() }
    }

    /// Until the campaign is finished; says what happened, and how often.
    pub fn direct(mut self, platform: &mut Platform) -> BTreeMap<&'static str, usize> {
        let mut looked = Instant::now();
        while self.team.is_at_work() {
            if looked.elapsed() > LOOK {
                looked = Instant::now();
                let paused = self.runtime.block_on(self.store.paused());
                assert_eq!(paused, None, "the campaign paused itself, and nothing here is a reason to");
            }
            let done = self.team.given();
            while let Some((_, event)) = self.plan.pop_if(|(due, _)| *due <= done) {
                self.bring(event, platform);
                *self.counts.entry(event.name()).or_default() += 1;
            }
            std::thread::sleep(PAUSE);
        }
        let all = [Event::MirrorKilled, Event::Frozen, Event::Burst];
        assert!(all.iter().all(|event| self.counts.contains_key(event.name())), "{:?}", self.counts);
        self.counts
    }

    fn bring(&mut self, event: Event, platform: &mut Platform) {
        let moment = Duration::from_micros(self.random.below(200_000));
        match event {
            Event::MirrorKilled => platform.kill_and_start(moment),
            Event::Burst => {
                let before = self.counts.get(event.name()).copied().unwrap_or_default();
                let wait = (before % 2 == 1).then_some(1);
                platform.burst(60, wait);
            }
            Event::DatabaseStopped => {
                let cluster = self.cluster.as_mut().expect("it is only planned where there is one");
                cluster.stop_immediate();
                std::thread::sleep(moment);
                cluster.start_again();
            }
            Event::Frozen => self.freeze(),
        }
    }

    /// Freezes a worker that holds chunks until others have taken all of them.
    fn freeze(&mut self) {
        if self.cluster.is_none() {
            self.with_member(0, |member| member.child.freeze());
            std::thread::sleep(FROZEN);
            self.with_member(0, |member| member.child.thaw());
            return;
        }
        // One that is killed just now holds nothing that it could lose.
        while self.team.is_at_work() {
            let place = usize::try_from(self.random.below(4)).unwrap() % self.team.members.len();
            let name = self.with_member(place, |member| {
                member.child.freeze();
                member.name.clone()
            });
            let held = name.map(|name| self.runtime.block_on(self.store.held_by(&name))).unwrap_or_default();
            let began = Instant::now();
            while self.runtime.block_on(self.store.still_held(&held)) {
                assert!(began.elapsed() < Duration::from_secs(300), "nobody takes the chunks {held:?}");
                std::thread::sleep(PAUSE * 5);
            }
            self.with_member(place, |member| member.child.thaw());
            if !held.is_empty() {
                return;
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn with_member<T>(&self, place: usize, act: impl FnOnce(&mut Member) -> T) -> Option<T> {
        let mut member = self.team.members[place].lock().unwrap();
        let member = member.as_mut()?;
        member.child.ended().is_none().then(|| act(member))
    }
}
