//! What a manifest shows by itself.

use super::finding::Finding;
use crate::manifest::Manifest;

/// No stock gives a user more (spec §3.1).
const MOST_PER_PERSON: u32 = 60;
/// The documented limit of sends per second and merchant (spec §3.0).
const MOST_PER_SECOND: u32 = 500;

/// Looks at a manifest alone: its list, its numbers, its pace.
pub fn check_manifest(manifest: &Manifest) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(list(manifest));
    findings.extend(coupons(manifest));
    findings.extend(pace(manifest));
    findings
}

fn list(manifest: &Manifest) -> Vec<Finding> {
    let list = &manifest.list;
    let mut findings = Vec::new();
    if list.people == 0 {
        findings.push(Finding::error("list.empty", "the list has no person in it", "check the file"));
    }
    if list.malformed > 0 {
        findings.push(Finding::warning(
            "list.malformed",
            format!("{} of {} rows cannot be read; these people get nothing", list.malformed, list.rows),
            "look at the lines named, and correct the list if they are people",
        ));
    }
    if list.duplicates > 0 {
        findings.push(Finding::note(
            "list.duplicates",
            format!("{} rows name a person once more; each person counts once", list.duplicates),
            "nothing to do, unless people should get several coupons: set the coupons per person",
        ));
    }
    findings
}

fn coupons(manifest: &Manifest) -> Vec<Finding> {
    let mut findings = Vec::new();
    match manifest.coupons_per_person {
        0 => findings.push(Finding::error(
            "coupons.none",
            "each person would get no coupon",
            "set the coupons per person to 1 or more",
        )),
        many if many > MOST_PER_PERSON => findings.push(Finding::error(
            "coupons.too-many",
            format!("{many} coupons per person; no stock gives one user more than {MOST_PER_PERSON}"),
            "lower the coupons per person",
        )),
        _ => {}
    }
    if manifest.key.is_empty() {
        findings.push(Finding::error(
            "key.empty",
            "the campaign's key is empty",
            "leave it out to use the name",
        ));
    } else if manifest.key != manifest.name.as_str() {
        findings.push(Finding::note(
            "key.given",
            format!(
                "the request numbers are derived from the key {:?}: who got a coupon of this stock under that key \
                 gets the same one again, not a second",
                manifest.key
            ),
            "nothing to do if that is meant",
        ));
    }
    findings
}

fn pace(manifest: &Manifest) -> Vec<Finding> {
    let pace = &manifest.pace;
    let mut findings = Vec::new();
    if pace.per_second == 0 || pace.in_flight == 0 {
        findings.push(Finding::error(
            "pace.zero",
            "it would never send",
            "set rate and requests in flight to 1 or more",
        ));
    }
    if pace.per_second > MOST_PER_SECOND {
        findings.push(Finding::warning(
            "pace.above-limit",
            format!("{} sends a second; WeChat Pay allows a merchant {MOST_PER_SECOND}", pace.per_second),
            "lower the rate, unless WeChat Pay agreed to more",
        ));
    }
    if pace.windows.iter().any(|window| window.from == window.to) {
        findings.push(Finding::warning(
            "pace.whole-day",
            "a daily window ends when it begins, which means the whole day",
            "correct it, or leave the windows out",
        ));
    }
    findings
}
