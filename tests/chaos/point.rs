//! Named points at which a worker ends itself with -9, or freezes.

use std::sync::Mutex;
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process};

/// Where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Point {
    /// A chunk is claimed; nothing of it is sent.
    AfterClaim,
    /// A request is on its way, perhaps there.
    WhileSending,
    /// The platform has answered; the runner does not know yet.
    BeforeAnswer,
    /// Answers are there; nothing of them is recorded.
    BeforeRecord,
    /// While outcomes are recorded.
    InsideRecord,
    /// Outcomes are recorded; the runner does not know yet.
    AfterRecord,
    /// All of a chunk is recorded; the chunk is not finished.
    BeforeFinish,
    /// Chunks are finished; the campaign is not.
    BeforeEnd,
    /// In the middle of the import.
    WhileImporting,
    /// All people are imported; the import is not sealed.
    BeforeSeal,
    /// While the import is sealed.
    WhileSealing,
}

impl Point {
    const NAMED: [(Self, &str); 11] = [
        (Self::AfterClaim, "after-claim"),
        (Self::WhileSending, "while-sending"),
        (Self::BeforeAnswer, "before-answer"),
        (Self::BeforeRecord, "before-record"),
        (Self::InsideRecord, "inside-record"),
        (Self::AfterRecord, "after-record"),
        (Self::BeforeFinish, "before-finish"),
        (Self::BeforeEnd, "before-end"),
        (Self::WhileImporting, "while-importing"),
        (Self::BeforeSeal, "before-seal"),
        (Self::WhileSealing, "while-sealing"),
    ];

    /// Those that a worker comes by, over and over.
    pub const OF_WORK: [Self; 7] = [
        Self::AfterClaim,
        Self::WhileSending,
        Self::BeforeAnswer,
        Self::BeforeRecord,
        Self::InsideRecord,
        Self::AfterRecord,
        Self::BeforeFinish,
    ];

    /// Those of an import, in their order.
    pub const OF_IMPORT: [Self; 3] = [Self::WhileImporting, Self::BeforeSeal, Self::WhileSealing];

    pub fn name(self) -> &'static str {
        Self::NAMED.into_iter().find(|(point, _)| *point == self).map(|(_, name)| name).unwrap()
    }
}

/// What happens there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blow {
    Kill,
    Freeze,
}

/// A blow that is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    pub point: Point,
    /// At which passage of the point, from 1.
    pub passage: u64,
    pub blow: Blow,
    /// How long after something began it strikes, where the point is in the middle of something.
    pub into: Duration,
}

impl Plan {
    /// The variable that tells a child.
    pub const VARIABLE: &str = "FAVOR_CHAOS_AT";

    pub fn new(point: Point, passage: u64, blow: Blow) -> Self {
        Self { point, passage, blow, into: Duration::ZERO }
    }

    pub fn into(self, into: Duration) -> Self {
        Self { into, ..self }
    }

    pub fn to_text(self) -> String {
        let Self { point, passage, blow, into } = self;
        let blow = if blow == Blow::Kill { "kill" } else { "freeze" };
        format!("{}:{passage}:{blow}:{}", point.name(), into.as_micros())
    }

    fn from_text(text: &str) -> Self {
        let parts: Vec<&str> = text.split(':').collect();
        let [name, passage, blow, into] = parts[..] else { panic!("not a plan: {text}") };
        let (point, _) = Point::NAMED.into_iter().find(|(_, one)| *one == name).unwrap();
        let blow = if blow == "kill" { Blow::Kill } else { Blow::Freeze };
        let into = Duration::from_micros(into.parse().unwrap());
        Self { point, passage: passage.parse().unwrap(), blow, into }
    }
}

/// What a process has before it: at most one blow.
#[derive(Debug, Default)]
pub struct Points {
    plan: Mutex<Option<Plan>>,
}

impl Points {
    pub fn of_this_process() -> Self {
        let plan = std::env::var(Plan::VARIABLE).ok().map(|text| Plan::from_text(&text));
        Self { plan: Mutex::new(plan) }
    }

    /// Comes by a point. What it says strikes now, unless it is in the middle of something.
    pub fn pass(&self, point: Point) {
        if self.is_due(point).is_some() {
            self.strike();
        }
    }

    /// Does something with a point in the middle of it. A blow that is due strikes at the latest when it is done.
    pub async fn pass_while<T>(&self, point: Point, doing: impl Future<Output = T>) -> T {
        let Some(plan) = self.is_due(point) else { return doing.await };
        // What was begun goes on elsewhere, so it is asked for at least once.
        let mut doing = std::pin::pin!(doing);
        let done = tokio::time::timeout(plan.into, &mut doing).await;
        self.strike();
        match done {
            Ok(done) => done,
            Err(_) => doing.await,
        }
    }

    /// Counts a passage; says what is due.
    fn is_due(&self, point: Point) -> Option<Plan> {
        let mut plan = self.plan.lock().unwrap();
        let plan = plan.as_mut().filter(|plan| plan.point == point && plan.passage > 0)?;
        plan.passage -= 1;
        (plan.passage == 0).then_some(*plan)
    }

    fn strike(&self) {
        let blow = self.plan.lock().unwrap().map(|plan| plan.blow);
        match blow {
            Some(Blow::Kill) => {
                kill_process(getpid(), Signal::KILL).unwrap();
                loop {
                    std::thread::park();
                }
            }
            Some(Blow::Freeze) => kill_process(getpid(), Signal::STOP).unwrap(),
            None => {}
        }
    }
}
