//! The workers: each killed in some way, and at once followed by another.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::child::{Child, Role};
use crate::mirror::Progress;
use crate::point::{Blow, Plan, Point};
use crate::random::Random;
use crate::worker::{FORGED_EACH, LEASE, NAME};
use crate::world::World;

/// One send in so many is answered by a forger.
const FORGED: u64 = 101;
const PAUSE: Duration = Duration::from_millis(10);

/// How a worker is to end.
enum End {
    /// By itself, when the campaign does.
    Well,
    /// By -9, once the platform has given so many coupons, and a moment later.
    At(usize, Duration),
    /// By -9, at a point.
    There(Plan),
}

/// A worker that lives, or has just ended.
pub struct Member {
    pub name: String,
    pub child: Child,
}

pub struct Team {
    pub folder: PathBuf,
    /// How many the platform will have given at the end.
    pub coupons: usize,
    pub members: Vec<Mutex<Option<Member>>>,
    progress: Progress,
    lease: Duration,
    working: AtomicUsize,
    book: Mutex<Book>,
}

struct Book {
    random: Random,
    kills_left: usize,
    started: usize,
    is_ending: bool,
    /// Where, and how often.
    killed: BTreeMap<&'static str, usize>,
}

impl Team {
    pub fn new(world: &World, kills: usize, workers: usize, lease: Duration, seed: u64) -> Self {
        let random = Random(seed);
        let book = Book { random, kills_left: kills, started: 0, is_ending: false, killed: BTreeMap::new() };
        Self {
            folder: world.folder().to_owned(),
            coupons: world.coupons(),
            members: (0..workers).map(|_| Mutex::new(None)).collect(),
            progress: Progress::of(world.folder()),
            lease,
            working: AtomicUsize::new(workers),
            book: Mutex::new(book),
        }
    }

    pub fn given(&self) -> usize {
        self.progress.given()
    }

    /// Whether a worker is still to end well.
    pub fn is_at_work(&self) -> bool {
        self.working.load(Ordering::SeqCst) > 0
    }

    pub fn killed(&self) -> BTreeMap<&'static str, usize> {
        self.book.lock().unwrap().killed.clone()
    }

    /// Starts one worker after the other in a place of the team, until one has finished the campaign.
    pub fn keep_one_working(&self, place: usize) {
        loop {
            let (end, number) = self.next_end();
            let name = format!("worker-{place}-{number}");
            let mut settings = vec![
                (NAME, name.clone()),
                (LEASE, self.lease.as_millis().to_string()),
                (FORGED_EACH, FORGED.to_string()),
            ];
            if let End::There(plan) = end {
                settings.push((Plan::VARIABLE, plan.to_text()));
            }
            let child = Child::start(Role::Worker, &self.folder, &settings);
            *self.members[place].lock().unwrap() = Some(Member { name, child });
            let (status, killed) = self.see_to(place, &end);
            if status.success() {
                break;
            }
            assert_eq!(status.signal(), Some(9), "a worker failed; what it said is above");
            *self.book.lock().unwrap().killed.entry(killed).or_default() += 1;
        }
        self.working.fetch_sub(1, Ordering::SeqCst);
    }

    /// Waits until a worker has ended in its way; says how, and what killed it.
    fn see_to(&self, place: usize, end: &End) -> (ExitStatus, &'static str) {
        let with = |act: &mut dyn FnMut(&mut Child) -> Option<ExitStatus>| {
            self.members[place].lock().unwrap().as_mut().and_then(|member| act(&mut member.child))
        };
        loop {
            if let Some(status) = with(&mut Child::ended) {
                let killed = if let End::There(plan) = end { plan.point.name() } else { "unplanned" };
                return (status, killed);
            }
            if let End::At(target, moment) = end
                && self.given() >= *target
            {
                std::thread::sleep(*moment);
                let status = with(&mut |child| {
                    child.kill();
                    child.ended()
                });
                return (status.unwrap(), "at random");
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Kills are spread over the work: half of them at random, half at the points, each in its turn. The last twentieth
    /// of the work is left to whoever is there, so that all come to pass.
    fn next_end(&self) -> (End, usize) {
        let done = self.given();
        let last = self.coupons - self.coupons / 20;
        let mut book = self.book.lock().unwrap();
        let number = book.started;
        book.started += 1;
        if book.kills_left == 0 || done >= last {
            // The first to be left alone does all but the last step.
            let end = End::There(Plan::new(Point::BeforeEnd, 1, Blow::Kill));
            return (if std::mem::replace(&mut book.is_ending, true) { End::Well } else { end }, number);
        }
        book.kills_left -= 1;
        let share = (last - done) / (book.kills_left + 1);
        if done < last - self.coupons / 10 && book.kills_left.is_multiple_of(2) {
            let point = Point::OF_WORK[book.kills_left / 2 % Point::OF_WORK.len()];
            // Where there are many kills for little work, it is to be soon.
            let most = match point {
                Point::WhileSending | Point::BeforeAnswer => 20,
                _ if share < 500 => 1,
                Point::AfterClaim | Point::BeforeFinish => 3,
                _ => 8,
            };
            let passage = 1 + book.random.below(most);
            let into = Duration::from_micros(book.random.below(5_000));
            return (End::There(Plan::new(point, passage, Blow::Kill).into(into)), number);
        }
        let most = 1 + 2 * share * self.members.len();
        let further = 1 + book.random.below(u64::try_from(most).unwrap());
        let target = last.min(done + usize::try_from(further).unwrap());
        (End::At(target, Duration::from_micros(book.random.below(20_000))), number)
    }
}
