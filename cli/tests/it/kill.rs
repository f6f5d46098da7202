//! `favor mirror --data` killed under load: what was answered is there, and nothing is there twice.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use favor_core::{
    ApiV3Key, Client, MerchantSigner, OutRequestNo, Outcome, PlatformKeys, PrivateKey, RetryPolicy,
};
use favor_coupon::{Coupons, SendCoupon};
use favor_mirror::Mirror;
use rusqlite::{Connection, OpenFlags};

use crate::random::Random;
use crate::run::MirrorProcess;

const KILLS: usize = 50;
const CLIENTS: u64 = 6;
/// Set it to the seed that a failed run printed.
const SEED: &str = "FAVOR_KILL_SEED";

/// What the clients know.
#[derive(Default)]
struct Known {
    /// Request numbers with the coupon that the mirror answered.
    answered: BTreeMap<String, String>,
    /// Numbers whose outcome is not known.
    open: Vec<String>,
    made: u64,
    /// Answers until the mirror is killed.
    left: u64,
}

impl Known {
    /// The number to send next: mostly a new one, else one in doubt or one that was answered.
    fn next(&mut self, random: &mut Random) -> String {
        match random.below(10) {
            0 | 1 if !self.answered.is_empty() => {
                let at = random.below(u64::try_from(self.answered.len()).unwrap());
                self.answered.keys().nth(usize::try_from(at).unwrap()).unwrap().clone()
            }
            2..=4 if !self.open.is_empty() => self.open.swap_remove(0),
            _ => {
                self.made += 1;
                format!("n{}", self.made)
            }
        }
    }
}

/// A mirror on a data file, and a client of it.
struct Side {
    process: Mutex<MirrorProcess>,
    coupons: Coupons,
    template: SendCoupon,
}

impl Side {
    fn start(data: &Path) -> (MirrorProcess, Client) {
        let process = MirrorProcess::start(&["--data", data.to_str().unwrap()]);
        let key = PrivateKey::from_pem(std::fs::read_to_string(process.key_file()).unwrap()).unwrap();
        let mchid = process.field("mchid").parse().unwrap();
        let signer = MerchantSigner::new(mchid, process.field("serial_no"), key).unwrap();
        let keys = PlatformKeys::download(ApiV3Key::new(process.field("api_v3_key")).unwrap());
        let client = Client::builder(signer, keys)
            .base_url(process.field("base_url"))
            .retry(RetryPolicy::NONE)
            .build()
            .unwrap();
        (process, client)
    }

    fn on(data: &Path, stock_id: &str) -> Arc<Self> {
        let (process, client) = Self::start(data);
        let number: OutRequestNo = "n".parse().unwrap();
        let appid = process.field("appid").parse().unwrap();
        let template =
            SendCoupon::new(stock_id.parse().unwrap(), number, appid, client.merchant_id().clone());
        Arc::new(Self { process: Mutex::new(process), coupons: Coupons::new(&client), template })
    }

    /// Sends one coupon; each number has its own user.
    async fn send(&self, number: &str) -> Result<String, Outcome> {
        let mut request = self.template.clone();
        request.out_request_no = number.parse().unwrap();
        match self.coupons.send(&format!("o-{number}").parse().unwrap(), &request).await {
            Ok(sent) => Ok(sent.coupon_id.to_string()),
            Err(error) => Err(error.outcome()),
        }
    }

    fn kill(&self) {
        // SIGKILL; a second one does nothing.
        self.process.lock().unwrap().child.kill().unwrap();
    }

    fn audit(&self) {
        let audit = self.process.lock().unwrap().control("GET", "audit", "");
        assert_eq!(audit["ok"], true, "{audit}");
    }
}

/// Sends until the mirror is gone.
async fn one_client(side: Arc<Side>, known: Arc<Mutex<Known>>, mut random: Random) {
    loop {
        let number = known.lock().unwrap().next(&mut random);
        let result = side.send(&number).await;
        let mut known = known.lock().unwrap();
        match result {
            Ok(coupon) => {
                let before = known.answered.insert(number, coupon.clone());
                assert!(before.is_none_or(|before| before == coupon), "another coupon for the same number");
                known.left = known.left.saturating_sub(1);
                if known.left == 0 {
                    side.kill();
                }
            }
            Err(outcome) => {
                assert_ne!(outcome, Outcome::Refused, "{number}");
                if !known.answered.contains_key(&number) {
                    known.open.push(number);
                }
                return;
            }
        }
    }
}

/// Number and coupon of every send that the file knows.
fn kept(data: &Path) -> BTreeMap<String, String> {
    let db = Connection::open_with_flags(data, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let pairs = |sql: &str| -> Vec<(String, String)> {
        let mut statement = db.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.to_string())));
        rows.unwrap().collect::<Result<_, _>>().unwrap()
    };
    let coupons = pairs("SELECT out_request_no, id FROM coupons ORDER BY 1");
    assert_eq!(coupons, pairs("SELECT out_request_no, coupon_id FROM send_requests ORDER BY 1"));
    let by_number: BTreeMap<_, _> = coupons.iter().cloned().collect();
    assert_eq!(by_number.len(), coupons.len(), "a number has two coupons");
    by_number
}

fn assert_kept(data: &Path, answered: &BTreeMap<String, String>) {
    let kept = kept(data);
    for (number, coupon) in answered {
        assert_eq!(kept.get(number), Some(coupon), "{number} was answered");
    }
}

/// A data file with a running stock of a million coupons; one to a user.
fn with_stock(folder: &Path) -> (PathBuf, String) {
    let data = folder.join("mirror.sqlite");
    let mirror = MirrorProcess::start(&["--data", data.to_str().unwrap()]);
    let create = ["stock", "create", "--name", "Tea", "--face-value", "5yuan", "--threshold", "30yuan"];
    let created = mirror.run(&[&create[..], &["--coupons", "1000000", "--output", "json"]].concat()).json();
    let stock_id = created["stock_id"].as_str().unwrap().to_owned();
    mirror.control("POST", "clock", r#"{"advance_seconds":61}"#);
    assert_eq!(mirror.run(&["stock", "start", &stock_id]).code, Some(0));
    (data, stock_id)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Lets the clients send, kills the mirror after some answers, and waits until every client has noticed.
fn round(
    runtime: &tokio::runtime::Runtime,
    side: &Arc<Side>,
    known: &Arc<Mutex<Known>>,
    random: &mut Random,
) {
    known.lock().unwrap().left = 1 + random.below(40);
    runtime.block_on(async {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| tokio::spawn(one_client(side.clone(), known.clone(), Random(random.below(u64::MAX)))))
            .collect();
        for client in clients {
            tokio::time::timeout(Duration::from_secs(60), client).await.unwrap().unwrap();
        }
    });
    side.process.lock().unwrap().child.wait().unwrap();
}

#[expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test's own variable, for the next run"
)]
pub fn seed() -> u64 {
    let seed =
        std::env::var(SEED).map_or_else(|_| RandomState::new().hash_one(0), |seed| seed.parse().unwrap());
    println!("{SEED}={seed}");
    seed
}

#[test]
fn fifty_kills_lose_nothing_that_was_answered_and_give_nothing_twice() {
    let mut random = Random(seed());
    let folder = tempfile::tempdir().unwrap();
    let (data, stock_id) = with_stock(folder.path());
    let (runtime, known) = (runtime(), Arc::new(Mutex::new(Known::default())));
    for kill in 1..=KILLS {
        let side = Side::on(&data, &stock_id);
        side.audit();
        assert_kept(&data, &known.lock().unwrap().answered);
        round(&runtime, &side, &known, &mut random);
        let known = known.lock().unwrap();
        assert_eq!(known.left, 0, "kill {kill} was not ours");
    }

    // Whatever is in doubt is settled by its number.
    let side = Side::on(&data, &stock_id);
    let mut known = known.lock().unwrap();
    let doubtful = std::mem::take(&mut known.open);
    let given_unseen = doubtful.iter().filter(|number| kept(&data).contains_key(*number)).count();
    for number in &doubtful {
        let coupon = runtime.block_on(side.send(number)).unwrap();
        known.answered.insert(number.clone(), coupon);
    }
    side.audit();
    assert_eq!(kept(&data), known.answered);
    println!(
        "{KILLS} kills, {} coupons, {} last in doubt, {given_unseen} of them given",
        known.answered.len(),
        doubtful.len()
    );
}

/// A log cut anywhere opens, and what is left of it adds up. Sends may be missing then, answered ones too: a part
/// of the file is.
#[test]
fn a_torn_log_opens_and_adds_up() {
    let mut random = Random(seed());
    let folder = tempfile::tempdir().unwrap();
    let (data, stock_id) = with_stock(folder.path());
    let (runtime, known) = (runtime(), Arc::new(Mutex::new(Known::default())));
    for _ in 0..3 {
        let side = Side::on(&data, &stock_id);
        round(&runtime, &side, &known, &mut random);
    }
    let answered = known.lock().unwrap().answered.clone();
    let log = std::fs::read(beside(&data, "-wal")).unwrap();
    assert!(log.len() > 100_000, "there is a log to tear");
    let whole = u64::try_from(log.len()).unwrap();
    // The header of the log, of its first frame, and its ends; then anywhere.
    let mut cuts = vec![0, 1, 31, 32, 33, 56, 4_151, 4_152, 4_153, whole - 1, whole];
    cuts.extend((0..24).map(|_| random.below(whole)));
    cuts.sort_unstable();
    let mut left = Vec::new();
    for cut in cuts {
        let torn = tempfile::tempdir().unwrap();
        let copy = torn.path().join("torn.sqlite");
        std::fs::copy(&data, &copy).unwrap();
        std::fs::write(beside(&copy, "-wal"), &log[..usize::try_from(cut).unwrap()]).unwrap();
        runtime.block_on(async {
            let mirror = Mirror::builder().data(&copy).start().await.unwrap();
            let audit = mirror.audit().await;
            assert!(audit.ok, "cut at {cut}: {:?}", audit.findings);
            mirror.shutdown().await;
        });
        let kept = kept(&copy);
        for (number, coupon) in &kept {
            assert!(answered.get(number).is_none_or(|answered| answered == coupon), "{number}");
        }
        left.push(kept.len());
    }
    assert!(left.is_sorted(), "a longer log holds no less: {left:?}");
    assert!(left.last().unwrap() >= &answered.len(), "the whole log holds all");
    assert!(left[0] < answered.len(), "the cuts cost something: {left:?}");
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
