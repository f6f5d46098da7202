//! A merchant with a mirror, a list of people, and a ledger.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use favor_store::testing::TestCluster;
use serde_json::Value;

use crate::lines::Process;
use crate::run::{MirrorProcess, Ran, run};

/// The merchant. Its commands run in the folder of its mirror.
pub struct Shop {
    pub mirror: MirrorProcess,
    /// Where the ledger is; the file in the folder when not set.
    pub ledger: Option<String>,
}

impl Shop {
    pub fn open() -> Self {
        // A new stock can be started at once, so that no clock has to be moved.
        let seed = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&seed, "[settings]\nstart_delay = \"0s\"\n").unwrap();
        Self { mirror: MirrorProcess::start(&["--seed", seed.path().to_str().unwrap()]), ledger: None }
    }

    /// The same with a ledger in a new database.
    pub fn on(cluster: &TestCluster, name: &str) -> Self {
        Self { ledger: Some(database(cluster, name)), ..Self::open() }
    }

    /// A started stock of 5 yuan coupons, one for each person.
    pub fn stock(&self, coupons: u32, more: &[&str]) -> String {
        let coupons = coupons.to_string();
        let mut create =
            vec!["stock", "create", "--name", "Tea", "--face-value", "5yuan", "--threshold", "30yuan"];
        create.extend(["--coupons", &coupons, "--output", "json"]);
        create.extend(more);
        let stock_id = self.ok(&create).json()["stock_id"].as_str().unwrap().to_owned();
        self.ok(&["stock", "start", &stock_id]);
        stock_id
    }

    /// A list of so many people, each with a line.
    pub fn list(&self, name: &str, people: usize) {
        let lines: String = (0..people).map(|person| format!("{}\n", openid(person))).collect();
        self.file(name, &lines);
    }

    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.mirror.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.mirror.folder.path().join(name)).unwrap()
    }

    /// A campaign to so many people, planned and not started.
    pub fn planned(name: &str, people: usize) -> Self {
        let shop = Self::open();
        shop.plan(name, people, &["--rate", "100000"]);
        shop
    }

    /// Plans a campaign to so many people on a stock of its own; returns the stock.
    pub fn plan(&self, name: &str, people: usize, more: &[&str]) -> String {
        let stock = self.stock(u32::try_from(people.max(5)).unwrap(), &[]);
        let list = format!("{name}.csv");
        self.list(&list, people);
        self.ok(&[&["campaign", "plan", &list, "--stock", &stock], more].concat());
        stock
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.mirror.favor();
        command.args(arguments);
        if let Some(ledger) = &self.ledger {
            command.env("FAVOR_LEDGER", ledger);
        }
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        let ran = run(&mut self.command(arguments));
        // Whatever happens: nobody is named where others look.
        assert!(!ran.stderr.contains("oPerson"), "an openid is shown: {ran:?}");
        ran
    }

    pub fn ok(&self, arguments: &[&str]) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, Some(0), "{arguments:?}: {ran:?}");
        ran
    }

    /// `favor campaign start` and the like, while it goes on.
    pub fn spawn(&self, arguments: &[&str]) -> Process {
        Process::spawn(self.command(arguments))
    }

    /// The last line of a start that runs to its end.
    pub fn start(&self, name: &str) -> (Ran, Value) {
        let ran = self.run(&["campaign", "start", name, "--every", "1s"]);
        let last = ran.stdout.lines().last().unwrap_or_else(|| panic!("no lines: {ran:?}"));
        let last = serde_json::from_str(last).unwrap();
        (ran, last)
    }

    /// How a campaign stands.
    pub fn stands(&self, name: &str) -> Value {
        self.ok(&["campaign", "watch", name, "--once", "--output", "json"]).json()
    }

    /// Waits until a campaign stands so.
    pub fn until(&self, name: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let begun = std::time::Instant::now();
        loop {
            let stands = self.stands(name);
            if wanted(&stands) {
                return stands;
            }
            assert!(begun.elapsed() < 2 * crate::target::PATIENCE, "{stands}");
            std::thread::sleep(std::time::Duration::from_millis(300));
        }
    }

    /// How many coupons the mirror gave to each person, by its own books.
    pub fn given(&self, stock: &str) -> BTreeMap<String, usize> {
        let mut given = BTreeMap::new();
        for coupon in self.all_coupons(stock) {
            *given.entry(coupon["openid"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        given
    }

    /// The ids of a stock's coupons, oldest first.
    pub fn coupons(&self, stock: &str) -> Vec<String> {
        let all = self.all_coupons(stock);
        all.iter().map(|coupon| coupon["coupon_id"].as_str().unwrap().to_owned()).collect()
    }

    fn all_coupons(&self, stock: &str) -> Vec<Value> {
        let mut all: Vec<Value> = Vec::new();
        loop {
            let after = all.last().map_or("0", |coupon| coupon["coupon_id"].as_str().unwrap());
            let path = format!("stocks/{stock}/coupons?limit=500&after={after}");
            let mut page = self.mirror.control("GET", &path, "")["coupons"].take();
            let page = page.as_array_mut().unwrap();
            if page.is_empty() {
                return all;
            }
            all.append(page);
        }
    }

    /// Everybody of the list has exactly one coupon, nobody else has any, and the mirror's books add up.
    pub fn everybody_has_one(&self, stock: &str, people: usize) {
        let given = self.given(stock);
        assert_eq!(given.len(), people);
        for person in 0..people {
            assert_eq!(given.get(&openid(person)), Some(&1), "person {person}");
        }
        assert_eq!(self.mirror.control("GET", "audit", "")["ok"], true);
    }

    /// Plans a fault.
    pub fn fault(&self, rule: &str) {
        self.mirror.control("POST", "faults", rule);
    }

    /// Answers nothing but errors about one person, so that a campaign to that person cannot end.
    pub fn hold_up(&self, person: usize) {
        self.fault(&format!(
            r#"{{"kind":"status","operation":"coupon.send","openid":"{}","status":500,"code":"SYSTEM_ERROR","message":"x","count":0}}"#,
            openid(person)
        ));
    }

    pub fn no_faults(&self) {
        self.mirror.control("DELETE", "faults", "");
    }
}

pub fn openid(person: usize) -> String {
    format!("oPerson{person:021}")
}

/// The address of a new database as a URL: its host is a folder.
pub fn database(cluster: &TestCluster, name: &str) -> String {
    let address = cluster.database(name);
    let host = address.split(' ').find_map(|part| part.strip_prefix("host=")).unwrap();
    format!("postgres://favor@{}/{name}", host.replace('/', "%2F"))
}
