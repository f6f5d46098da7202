//! The platform's side: a mirror in a process of its own, with a data file and faults, killed and started again.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Duration;

use favor_mirror::{FaultKind, FaultPlace, FaultRule, Mirror};
use rusqlite::{Connection, OpenFlags};

use crate::child::{self, Child, Role};

pub const DATA: &str = "mirror.sqlite";
const ADDRESS: &str = "FAVOR_CHAOS_ADDRESS";
const FAULTS: &str = "FAVOR_CHAOS_FAULTS";
const SEED: &str = "FAVOR_CHAOS_FAULT_SEED";

/// Which faults a mirror has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Faults {
    /// Those of a chaos run: an answer in eight goes wrong in some way.
    All,
    /// Each fifth answer is lost after the work.
    FifthAnswerLost,
    /// The first send is refused.
    FirstRefused,
    None,
}

impl Faults {
    const NAMED: [(Self, &str); 4] = [
        (Self::All, "all"),
        (Self::FifthAnswerLost, "fifth-answer-lost"),
        (Self::FirstRefused, "first-refused"),
        (Self::None, "none"),
    ];

    fn rules(self, seed: u64) -> Vec<FaultRule> {
        let send = |kind| FaultRule::new(kind).operation("coupon.send").seed(seed);
        match self {
            Self::All => all(seed),
            Self::FifthAnswerLost => {
                vec![send(FaultKind::Cut).place(FaultPlace::AfterCommit).every(5).times(0)]
            }
            Self::FirstRefused => {
                let (status, code) = (403, "USER_ACCOUNT_ABNORMAL".to_owned());
                vec![send(FaultKind::Status { status, code, message: None })]
            }
            Self::None => Vec::new(),
        }
    }
}

/// In millionths: 2 % lost after the work, 5 % of 500s, two fifths of them after the work, 1 % cut connections,
/// 2 % signatures that do not hold, and more.
fn all(seed: u64) -> Vec<FaultRule> {
    use FaultPlace::{AfterAnswer, AfterCommit, BeforeCommit, BeforeVerify};
    let error = || FaultKind::Status { status: 500, code: "SYSTEM_ERROR".into(), message: None };
    let faults = [
        (FaultKind::Cut, AfterCommit, 20_000),
        (error(), BeforeCommit, 30_000),
        (error(), AfterCommit, 20_000),
        (FaultKind::Cut, BeforeVerify, 4_000),
        (FaultKind::Reset, BeforeCommit, 3_000),
        (FaultKind::TruncatedBody, AfterCommit, 3_000),
        (FaultKind::Cut, AfterAnswer, 2_000),
        (FaultKind::CorruptSignature, AfterCommit, 10_000),
        (FaultKind::MissingSignature { header: None }, AfterCommit, 4_000),
        (FaultKind::Probe, AfterCommit, 3_000),
        (FaultKind::CorruptBody, AfterCommit, 3_000),
        (FaultKind::NotJson, AfterCommit, 2_000),
        (FaultKind::HtmlError, BeforeVerify, 3_000),
        (FaultKind::RateLimited { retry_after: None }, BeforeVerify, 500),
    ];
    let rule = |(kind, place, millionths)| {
        FaultRule::new(kind).operation("coupon.send").place(place).probability_ppm(millionths).seed(seed)
    };
    faults.into_iter().map(rule).collect()
}

/// The mirror's process, from outside.
pub struct Platform {
    child: Child,
    folder: PathBuf,
    address: SocketAddr,
    faults: Faults,
    starts: u64,
    seed: u64,
}

impl Platform {
    /// Starts it over the data file in the folder.
    pub fn start(folder: &Path, address: SocketAddr, faults: Faults, seed: u64) -> Self {
        let child = spawn(folder, address, faults, seed);
        Self { child, folder: folder.to_owned(), address, faults, starts: 1, seed }
    }

    /// Kills it with -9, and starts it again at the same address after a while.
    pub fn kill_and_start(&mut self, after: Duration) {
        assert!(self.child.kill(), "the mirror ended by itself");
        std::thread::sleep(after);
        self.child = spawn(&self.folder, self.address, self.faults, self.seed + self.starts);
        self.starts += 1;
    }

    /// The next so many requests are told to come slower.
    pub fn burst(&mut self, requests: u32, retry_after: Option<u32>) {
        let wait = retry_after.map_or_else(|| "-".to_owned(), |seconds| seconds.to_string());
        self.child.tell(&format!("burst {requests} {wait}"));
    }
}

fn spawn(folder: &Path, address: SocketAddr, faults: Faults, seed: u64) -> Child {
    let (_, name) = Faults::NAMED.into_iter().find(|(one, _)| *one == faults).unwrap();
    let settings = [(ADDRESS, address.to_string()), (FAULTS, name.to_owned()), (SEED, seed.to_string())];
    let mut child = Child::start(Role::Mirror, folder, &settings);
    assert_eq!(child.first_line(), "ready");
    child
}

/// The mirror's process, from inside.
pub fn run(folder: &Path) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(serve(folder));
    ExitCode::SUCCESS
}

async fn serve(folder: &Path) {
    let setting = |name: &str| std::env::var(name).unwrap();
    let (faults, _) = Faults::NAMED.into_iter().find(|(_, name)| *name == setting(FAULTS)).unwrap();
    let mirror = Mirror::builder()
        .listen(setting(ADDRESS).parse().unwrap())
        .data(folder.join(DATA))
        .faults(faults.rules(setting(SEED).parse().unwrap()))
        .request_log(100)
        .start()
        .await
        .unwrap();
    println!("ready");
    let (orders, mut given) = tokio::sync::mpsc::unbounded_channel();
    child::told(move |line| drop(orders.send(line.to_owned())));
    while let Some(order) = given.recv().await {
        let words: Vec<&str> = order.split(' ').collect();
        let ["burst", requests, wait] = words[..] else { panic!("not an order: {order}") };
        let kind = FaultKind::RateLimited { retry_after: wait.parse().ok() };
        let rule = FaultRule::new(kind).operation("coupon.send").place(FaultPlace::BeforeVerify);
        mirror.plan(rule.times(requests.parse().unwrap())).unwrap();
    }
    mirror.shutdown().await;
}

/// The platform's data file, beside the mirror: how far the work is.
pub struct Progress(Mutex<Connection>);

impl Progress {
    pub fn of(folder: &Path) -> Self {
        let file = Connection::open_with_flags(folder.join(DATA), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        file.busy_timeout(Duration::from_secs(30)).unwrap();
        Self(Mutex::new(file))
    }

    /// How many coupons the platform has given.
    pub fn given(&self) -> usize {
        let file = self.0.lock().unwrap();
        let mut statement = file.prepare_cached("SELECT distributed FROM stocks").unwrap();
        let given: i64 = statement.query_row([], |row| row.get(0)).unwrap();
        usize::try_from(given).unwrap()
    }
}
