//! The audit audited: campaigns with one promise broken each, in a run that surely brings it to light, must be found;
//! the same run with nothing broken must not.

use std::os::unix::process::ExitStatusExt as _;
use std::time::{Duration, Instant};

use favor_store::testing::TestCluster;

use crate::audit::{Audit, Finding};
use crate::child::{Child, Role};
use crate::mirror::Faults;
use crate::point::{Blow, Plan, Point};
use crate::random::Random;
use crate::sabotage::Sabotage;
use crate::store::Store;
use crate::worker::{FORGED_EACH, LEASE, NAME};
use crate::world::{Terms, World};

const PEOPLE: usize = 120;
const CHUNK: u32 = 20;
/// Longer than any machine needs.
const PATIENCE: Duration = Duration::from_secs(300);

/// Runs it sound and broken.
pub fn is_found(sabotage: Sabotage, mut random: Random, cluster: &mut Option<TestCluster>) -> String {
    // Only there can two processes work on one campaign.
    let cluster = (sabotage == Sabotage::NoFence).then(|| &*cluster.get_or_insert_with(TestCluster::start));
    let sound = run(sabotage, false, &mut random, cluster);
    assert!(sound.is_clean(), "with nothing broken: {sound}");
    let broken = run(sabotage, true, &mut random, cluster);
    let expected = match sabotage {
        Sabotage::FreshNumbers => Finding::Doubled,
        Sabotage::NoFence => Finding::Mismatch,
        Sabotage::RecordFirst | Sabotage::SkipChunk | Sabotage::BelieveUnsigned => Finding::Lost,
    };
    assert!(broken.count(expected) > 0, "{sabotage:?} was not found: {broken}");
    broken.to_string().lines().next().unwrap_or_default().to_owned()
}

fn run(sabotage: Sabotage, broken: bool, random: &mut Random, cluster: Option<&TestCluster>) -> Audit {
    let faults = match sabotage {
        Sabotage::FreshNumbers => Faults::FifthAnswerLost,
        Sabotage::NoFence => Faults::FirstRefused,
        _ => Faults::None,
    };
    let people = if sabotage == Sabotage::NoFence { 1 } else { PEOPLE };
    let world = World::open(Terms { people, coupons_each: 1, chunk: CHUNK }, faults, random);
    if let Some(cluster) = cluster {
        let name = if broken { "broken" } else { "sound" };
        Store::put_into_postgres(world.folder(), &cluster.database(name));
    }
    assert!(Child::start(Role::Import, world.folder(), &[]).wait().success());
    let staff = Staff { world: &world, sabotage, broken };
    match sabotage {
        Sabotage::NoFence => staff.let_a_dead_man_record(),
        Sabotage::RecordFirst => {
            // What it has recorded and not yet sent dies with it.
            let status = staff.start("first", Some(Plan::new(Point::AfterRecord, 1, Blow::Kill))).wait();
            assert_eq!(status.signal(), Some(9), "it is killed at that point");
            staff.finish();
        }
        Sabotage::FreshNumbers | Sabotage::SkipChunk | Sabotage::BelieveUnsigned => staff.finish(),
    }
    world.close()
}

struct Staff<'a> {
    world: &'a World,
    sabotage: Sabotage,
    broken: bool,
}

impl Staff<'_> {
    fn start(&self, name: &str, plan: Option<Plan>) -> Child {
        let forged_each = if self.sabotage == Sabotage::BelieveUnsigned { 5 } else { 0 };
        let mut settings =
            vec![(NAME, name.to_owned()), (LEASE, "1000".to_owned()), (FORGED_EACH, forged_each.to_string())];
        if self.broken {
            settings.push((Sabotage::VARIABLE, self.sabotage.name().to_owned()));
        }
        settings.extend(plan.map(|plan| (Plan::VARIABLE, plan.to_text())));
        Child::start(Role::Worker, self.world.folder(), &settings)
    }

    fn finish(&self) {
        let status = self.start("last", None).wait();
        assert!(status.success(), "a worker failed; what it said is above");
    }

    /// One person, whose first send is refused and whose second is not. A worker with the refusal in its hands freezes
    /// before it records it; another takes the chunk, sends, and freezes with the coupon in its hands. Then the first
    /// goes on: its refusal must not count, since the chunk is no longer its own. The second dies.
    fn let_a_dead_man_record(&self) {
        let freeze = Plan::new(Point::BeforeRecord, 1, Blow::Freeze);
        let mut first = self.start("first", Some(freeze));
        wait_until_frozen(&mut first);
        let mut second = self.start("second", Some(freeze));
        wait_until_frozen(&mut second);
        first.thaw();
        assert!(first.wait().success(), "a worker failed; what it said is above");
        assert!(second.kill());
    }
}

fn wait_until_frozen(child: &mut Child) {
    let began = Instant::now();
    while !child.is_frozen() {
        assert_eq!(child.ended(), None, "a worker ended before it froze");
        assert!(began.elapsed() < PATIENCE, "a worker does not come to where it freezes");
        std::thread::sleep(Duration::from_millis(5));
    }
}
