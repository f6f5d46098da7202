//! A whole campaign, while everything around it dies: workers with -9, at random and at every named point, the mirror,
//! the database; and workers that freeze until their work has been given to others.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use favor_store::testing::TestCluster;

use crate::child::{Child, Role};
use crate::director::Director;
use crate::mirror::Faults;
use crate::point::{Blow, Plan, Point};
use crate::random::Random;
use crate::store::Store;
use crate::team::Team;
use crate::watched::FENCED;
use crate::world::{Terms, World};

/// How much is done.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub people: usize,
    pub kills: usize,
}

/// The file is one process's at a time, and its next one frees what the one before held.
pub fn over_sqlite(size: Size, random: Random) -> String {
    run("SQLite", size, random, 1, Duration::from_secs(30), None)
}

pub fn over_postgres(size: Size, random: Random, cluster: &mut TestCluster) -> String {
    run("PostgreSQL", size, random, 4, Duration::from_secs(2), Some(cluster))
}

fn run(
    name: &str,
    size: Size,
    mut random: Random,
    workers: usize,
    lease: Duration,
    cluster: Option<&mut TestCluster>,
) -> String {
    let began = Instant::now();
    let chunk = u32::try_from((size.people / 250).clamp(10, 200)).unwrap();
    let terms = Terms { people: size.people, coupons_each: 1, chunk };
    let mut world = World::open(terms, Faults::All, &mut random);
    if let Some(cluster) = &cluster {
        Store::put_into_postgres(world.folder(), &cluster.database("chaos"));
    }
    let mut killed = import(world.folder(), &mut random);
    let team = Team::new(&world, size.kills, workers, lease, random.below(1 << 32));
    let events = std::thread::scope(|scope| {
        for number in 0..workers {
            let team = &team;
            scope.spawn(move || team.keep_one_working(number));
        }
        Director::new(&team, size.kills, random, cluster).direct(&mut world.platform)
    });
    for (what, times) in team.killed() {
        *killed.entry(what).or_default() += times;
    }
    // Among several workers it may be another one that ends the campaign.
    let end = (workers == 1).then_some(&Point::BeforeEnd);
    for point in Point::OF_IMPORT.iter().chain(&Point::OF_WORK).chain(end) {
        let times = killed.get(point.name()).copied().unwrap_or_default();
        assert!(times > 0, "nobody was killed at the point {}", point.name());
    }
    let kills: usize = killed.values().sum();
    let fenced = std::fs::read_to_string(world.folder().join(FENCED)).unwrap_or_default().lines().count();
    let audit = world.close();
    assert!(audit.is_clean(), "{audit}");
    let seconds = began.elapsed();
    format!("{name}: {audit}; {kills} kills {killed:?}, {events:?}, {fenced} times fenced off; {seconds:.1?}")
}

/// Kills the import at each of its points and at any moment, then lets it through.
fn import(folder: &Path, random: &mut Random) -> BTreeMap<&'static str, usize> {
    let mut killed = BTreeMap::new();
    for point in Point::OF_IMPORT {
        let plan = Plan::new(point, 1, Blow::Kill).into(Duration::from_micros(random.below(3_000)));
        let mut child = Child::start(Role::Import, folder, &[(Plan::VARIABLE, plan.to_text())]);
        let status = child.wait();
        assert_eq!(status.signal(), Some(9), "an import that was not sealed comes by each point");
        *killed.entry(point.name()).or_default() += 1;
        if point != Point::WhileSealing {
            let mut child = Child::start(Role::Import, folder, &[(Plan::VARIABLE, at_the_latest())]);
            std::thread::sleep(Duration::from_micros(random.below(150_000)));
            child.kill();
            *killed.entry("at random").or_default() += 1;
        }
    }
    assert!(Child::start(Role::Import, folder, &[]).wait().success());
    killed
}

/// Where an import ends that was not killed before: the next one is to come by the last point too.
fn at_the_latest() -> String {
    Plan::new(Point::BeforeSeal, 1, Blow::Kill).to_text()
}
