//! What must hold, found out from the list, the mirror's data file and the campaign's tables by plain SQL. It shares no
//! code with the runner, the ledgers or the mirror, and believes none of their counters.

mod ledger_rows;
mod platform_rows;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::list;
use crate::store::Store;
use crate::world::{LIST, read};

use ledger_rows::{LedgerRows, Outcome};
use platform_rows::{Given, PlatformRows};

/// Kinds of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finding {
    /// Somebody of the list has too few coupons.
    Lost,
    /// Somebody has too many.
    Doubled,
    /// The campaign's tables and the platform's differ about a coupon.
    Mismatch,
    /// Somebody has a coupon who is not on the list.
    Stranger,
    /// A request number is not the one that follows from the person and the slot, or was used twice.
    Number,
    /// Tallies or counters are not what their rows say.
    Count,
    /// A campaign that is not finished, or that is and has something open.
    Open,
    /// The people of the campaign are not those of the list.
    People,
    /// The history cannot have happened.
    History,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Audit {
    findings: BTreeMap<Finding, Vec<String>>,
    people: usize,
    coupons: usize,
    refused: usize,
}

impl Audit {
    /// Looks at everything once nobody works with it any more.
    pub fn of(folder: &Path) -> Self {
        let listed = list::read(&folder.join(LIST));
        let platform = PlatformRows::read(folder);
        let ledger = LedgerRows::read(&Store::in_folder(folder));
        let slots: u32 = read(folder, "coupons_each").parse().unwrap();
        let numbers = Numbers::new(folder);
        let mut audit = Self { people: listed.len(), coupons: platform.coupons.len(), ..Self::default() };
        audit.look_at_platform(&platform, &listed, slots, &numbers);
        audit.look_at_ledger(&ledger, &listed, slots);
        audit.compare(&platform, &ledger, &numbers);
        audit
    }

    pub fn count(&self, finding: Finding) -> usize {
        self.findings.get(&finding).map_or(0, Vec::len)
    }

    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    fn found(&mut self, finding: Finding, what: String) {
        self.findings.entry(finding).or_default().push(what);
    }

    fn expect(&mut self, holds: bool, finding: Finding, what: impl FnOnce() -> String) {
        if !holds {
            self.found(finding, what());
        }
    }

    /// Each person of the list has as many coupons as there are slots, or none if the platform refuses the person.
    fn look_at_platform(
        &mut self,
        platform: &PlatformRows,
        listed: &BTreeSet<String>,
        slots: u32,
        numbers: &Numbers,
    ) {
        let mut having: BTreeMap<&str, Vec<&Given>> = BTreeMap::new();
        for coupon in &platform.coupons {
            having.entry(&coupon.openid).or_default().push(coupon);
        }
        for openid in listed {
            let has = having.remove(openid.as_str()).unwrap_or_default();
            let refused = platform.abnormal.contains(openid);
            self.refused += usize::from(refused);
            let due = if refused { 0 } else { usize::try_from(slots).unwrap() };
            self.expect(has.len() >= due, Finding::Lost, || format!("{openid} has {}", has.len()));
            self.expect(has.len() <= due, Finding::Doubled, || format!("{openid} has {}", has.len()));
            let theirs: BTreeSet<String> = (0..slots).map(|slot| numbers.of(openid, slot)).collect();
            let used: BTreeSet<&str> = has.iter().map(|coupon| coupon.number.as_str()).collect();
            let own = used.iter().all(|number| theirs.contains(*number));
            self.expect(own && used.len() == has.len(), Finding::Number, || format!("{openid}: {used:?}"));
        }
        for openid in having.keys() {
            self.found(Finding::Stranger, (*openid).to_owned());
        }
        let answered: BTreeMap<&str, i64> =
            platform.answered.iter().map(|(number, coupon)| (number.as_str(), *coupon)).collect();
        let same = answered.len() == platform.coupons.len()
            && platform.coupons.iter().all(|given| answered.get(given.number.as_str()) == Some(&given.id));
        self.expect(same, Finding::Number, || "numbers answered and coupons differ".to_owned());
        let given = i64::try_from(platform.coupons.len()).unwrap();
        self.expect(platform.distributed == given, Finding::Count, || {
            format!("the stock counts {} coupons and there are {given}", platform.distributed)
        });
    }

    /// The campaign's tables are whole and say that everything is over.
    fn look_at_ledger(&mut self, ledger: &LedgerRows, listed: &BTreeSet<String>, slots: u32) {
        let people: BTreeSet<&String> = ledger.people.values().collect();
        let same = people.len() == ledger.people.len()
            && ledger.people.len() == listed.len()
            && listed.iter().all(|openid| people.contains(openid))
            && ledger.people_counted == listed_len(listed);
        self.expect(same, Finding::People, || {
            format!("{} of the list, {} in the ledger", listed.len(), ledger.people.len())
        });
        // In the order of their bytes, without gaps.
        let in_order =
            ledger.people.values().is_sorted() && ledger.people.keys().copied().eq(0..listed_len(listed));
        self.expect(in_order, Finding::People, || "places out of order".to_owned());

        let mut tallies: BTreeMap<(String, String), i64> = BTreeMap::new();
        for (key, outcome) in &ledger.outcomes {
            let code = outcome.code.clone().unwrap_or_default();
            if outcome.state == "open" {
                self.found(Finding::Open, format!("coupon {key:?} is open"));
            } else {
                *tallies.entry((outcome.state.clone(), code)).or_default() += 1;
            }
            let sane = outcome.attempts >= 1 && key.1 < slots && ledger.people.contains_key(&key.0);
            self.expect(sane, Finding::Mismatch, || format!("outcome {key:?}: {outcome:?}"));
        }
        let mut counted = ledger.tallies.clone();
        counted.retain(|_, count| *count != 0);
        self.expect(counted == tallies, Finding::Count, || format!("{counted:?} counted, {tallies:?} there"));

        self.expect(ledger.state == "finished", Finding::Open, || format!("it is {}", ledger.state));
        let all = ledger.people.len() * usize::try_from(slots).unwrap();
        let settled = ledger.outcomes.len();
        self.expect(settled == all, Finding::Open, || format!("{settled} of {all} coupons have an outcome"));
        let mut next = 0;
        for chunk in &ledger.chunks {
            self.expect(!chunk.is_open, Finding::Open, || format!("{chunk:?}"));
            self.expect(chunk.first == next && chunk.last >= chunk.first, Finding::People, || {
                format!("{chunk:?} does not follow")
            });
            next = chunk.last + 1;
        }
        self.expect(next == listed_len(listed), Finding::People, || format!("chunks end before {next}"));
        if let Err(wrong) = history(&ledger.history) {
            self.found(Finding::History, format!("{wrong}: {:?}", ledger.history));
        }
    }

    /// Coupon by coupon, both ways.
    fn compare(&mut self, platform: &PlatformRows, ledger: &LedgerRows, numbers: &Numbers) {
        let mut given: BTreeMap<&str, &Given> =
            platform.coupons.iter().map(|coupon| (coupon.number.as_str(), coupon)).collect();
        for ((place, slot), Outcome { state, coupon_id, code, .. }) in &ledger.outcomes {
            let Some(openid) = ledger.people.get(place) else { continue };
            let coupon = given.remove(numbers.of(openid, *slot).as_str());
            let id = coupon.map(|coupon| coupon.id.to_string());
            let agree = match state.as_str() {
                "sent" => id.is_some() && id == *coupon_id && coupon.is_some_and(|one| one.openid == *openid),
                "refused" => {
                    id.is_none()
                        && platform.abnormal.contains(openid)
                        && code.as_deref() == Some("USER_ACCOUNT_ABNORMAL")
                }
                // Nothing in a run gives a reason to set a coupon aside.
                _ => false,
            };
            self.expect(agree, Finding::Mismatch, || {
                format!("{openid}, slot {slot}: {state} {code:?} {coupon_id:?}, at the platform {id:?}")
            });
        }
        for coupon in given.values() {
            self.found(Finding::Mismatch, format!("{coupon:?} is in no outcome"));
        }
    }
}

impl fmt::Display for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} people, {} coupons, {} refused", self.people, self.coupons, self.refused)?;
        let count = |finding| self.count(finding);
        let (lost, doubled) = (count(Finding::Lost), count(Finding::Doubled));
        write!(f, ": {lost} lost, {doubled} doubled, {} mismatches", count(Finding::Mismatch))?;
        for (finding, all) in &self.findings {
            write!(f, "\n  {finding:?}, {} in all:", all.len())?;
            for one in all.iter().take(3) {
                write!(f, "\n    {one}")?;
            }
        }
        Ok(())
    }
}

fn listed_len(listed: &BTreeSet<String>) -> i64 {
    i64::try_from(listed.len()).unwrap()
}

/// Sealed once, started once, and finished once at the end; what is resumed was paused.
fn history(entries: &[String]) -> Result<(), String> {
    let mut state = "nothing";
    for what in entries {
        state = match (state, what.as_str()) {
            ("nothing", "planned") => "importing",
            ("importing", "sealed") => "planned",
            ("planned", "started") | ("paused", "resumed") => "running",
            ("running" | "paused", "paused") => "paused",
            ("running", "finished") => "finished",
            (state, what) => return Err(format!("{what} while {state}")),
        };
    }
    if state == "finished" { Ok(()) } else { Err(format!("ends {state}")) }
}

/// Request numbers by their definition: the merchant, and 26 characters of base32 of SHA-256 over version, merchant,
/// key, stock, appid, person and slot, each after its length.
struct Numbers {
    parts: [String; 5],
}

impl Numbers {
    fn new(folder: &Path) -> Self {
        let text = |name| read(folder, name);
        let key = "chaos".to_owned();
        Self { parts: ["v1".to_owned(), text("mchid"), key, text("stock_id"), text("appid")] }
    }

    fn of(&self, openid: &str, slot: u32) -> String {
        let mut hash = Sha256::new();
        let slot = slot.to_string();
        for part in self.parts.iter().map(String::as_str).chain([openid, &slot]) {
            hash.update(format!("{}:{part}", part.len()));
        }
        let bits: String = hash.finalize().iter().map(|byte| format!("{byte:08b}")).collect();
        let letter = |five: &[u8]| {
            let value = usize::from_str_radix(std::str::from_utf8(five).unwrap(), 2).unwrap();
            char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[value])
        };
        let letters: String = bits.as_bytes().chunks(5).take(26).map(letter).collect();
        format!("{}-{letters}", self.parts[1])
    }
}
