//! `favor certs check`: for a monitoring system.

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use favor_core::{Certificate, Clock as _, Error, ErrorKind, KeySet, SystemClock};

use crate::args::{CheckCerts, Global};
use crate::certs::held;
use crate::certs::status::{self, Kept, ago};
use crate::certs::verdict::{Figure, Verdict};
use crate::doctor::given::Given;
use crate::exit::{Exit, Monitored};
use crate::expiry::{OWN_DAYS, beijing, days, days_left};
use crate::output::Output;
use crate::settings::{self, Settings};

pub(crate) async fn run(args: &CheckCerts, global: &Global, output: &Output) -> anyhow::Result<Exit> {
    let mut verdict = Verdict::default();
    let looked = match &args.directory {
        Some(directory) => directory_check(args, directory, &mut verdict),
        None => live(args, global, &mut verdict).await,
    };
    if let Err(error) = looked {
        verdict.complain(Monitored::Unknown, settings::in_words(error.as_ref()));
    }
    verdict.print(output)?;
    Ok(Exit::Monitored(verdict.state()))
}

/// A check that was due so long ago and is not recorded was not made, or could not be written. A large fleet whose
/// platform hangs may be late by less.
const OVERDUE: TimeDelta = TimeDelta::minutes(15);

/// Asks the platform by the profile, and looks at the merchant's own certificate.
async fn live(args: &CheckCerts, global: &Global, verdict: &mut Verdict) -> anyhow::Result<()> {
    let client = Settings::load(global)?.client()?;
    let (now, merchant) = (client.clock().now(), client.merchant_id().to_string());
    if let Some(file) = Given::load(global)?.certificate {
        let own = Certificate::from_pem_file(&file)?;
        own_certificate(args, &merchant, own.serial().as_str(), own.not_after(), now, verdict);
    }
    match held::ask(&client).await {
        Ok(keys) => {
            verdict.fine = fine(&merchant, &keys, now);
            platform_keys(args, &merchant, &keys, now, verdict);
        }
        Err(error) => {
            verdict.complain(asked_in_vain(&error), format!("{merchant}: {}", settings::in_words(&error)))
        }
    }
    Ok(())
}

/// Settings that cannot be right are no state of the keys.
fn asked_in_vain(error: &Error) -> Monitored {
    if error.kind() == ErrorKind::Config { Monitored::Unknown } else { Monitored::Critical }
}

fn directory_check(args: &CheckCerts, directory: &Path, verdict: &mut Verdict) -> anyhow::Result<()> {
    let now = SystemClock::new().now();
    let all = status::read(directory, &args.merchant)?;
    verdict.fine = match all.as_slice() {
        [Kept { merchant, release: Ok(release), .. }] => fine(merchant.as_str(), release.keys(), now),
        more => format!("{} merchants, each with keys in force", more.len()),
    };
    for kept in &all {
        merchant_check(args, kept, now, verdict);
    }
    Ok(())
}

fn merchant_check(args: &CheckCerts, kept: &Kept, now: DateTime<Utc>, verdict: &mut Verdict) {
    let merchant = kept.merchant.as_str();
    match &kept.release {
        Ok(release) => platform_keys(args, merchant, release.keys(), now, verdict),
        Err(error) => verdict.complain(Monitored::Critical, format!("{merchant}: {error}")),
    }
    let status = match &kept.status {
        Ok(Some(status)) => status,
        Ok(None) => {
            verdict.complain(Monitored::Warning, format!("{merchant}: no check of its keys is recorded"));
            return;
        }
        Err(error) => {
            verdict.complain(Monitored::Warning, format!("{merchant}: {error}"));
            return;
        }
    };
    let why = status.failure.as_ref().map(|failure| format!("{} ({})", failure.message, failure.code));
    let reason = why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    match status.last_success {
        None => {
            verdict.complain(Monitored::Critical, format!("{merchant}: no check has ever succeeded{reason}"));
        }
        Some(at) => {
            let age = (now - at).num_seconds().max(0);
            let [warning, critical] = [args.age_warning, args.age_critical].map(seconds);
            verdict.figure(Figure { name: "age", unit: "s", value: age, warning, critical, falls: false });
            let old = format!("{merchant}: the last good check was {} ago{reason}", ago(now, at));
            if age > critical {
                verdict.complain(Monitored::Critical, old);
            } else if age > warning || why.is_some() {
                verdict.complain(Monitored::Warning, old);
            }
        }
    }
    if let Some(due) = status.next_check.filter(|due| *due + OVERDUE < now) {
        verdict.complain(
            Monitored::Warning,
            format!(
                "{merchant}: a check was due {} ago and is not recorded: is favor certs watch running, and can it \
                 write this directory (disk full, read-only)? its log and /metrics have the reason",
                ago(now, due)
            ),
        );
    }
    if let Some(wrong) = &status.own_keys {
        verdict.complain(
            Monitored::Warning,
            format!(
                "{merchant}: its own key files are wrong, and those read before are in use until the daemon ends: {} \
                 ({})",
                wrong.message, wrong.code
            ),
        );
    }
    if let Some(own) = &status.merchant_certificate {
        own_certificate(args, merchant, &own.serial_no, own.not_after, now, verdict);
    }
}

fn seconds(length: std::time::Duration) -> i64 {
    i64::try_from(length.as_secs()).unwrap_or(i64::MAX)
}

/// The key that lasts longest decides: as long as one follows, the end of another is the usual change.
fn platform_keys(
    args: &CheckCerts,
    merchant: &str,
    keys: &KeySet,
    now: DateTime<Utc>,
    verdict: &mut Verdict,
) {
    let has_public_key = keys.public_key_id().is_some();
    let valid = keys.certificates().filter(|certificate| certificate.valid_at(now));
    let Some(last) = valid.map(Certificate::not_after).max() else {
        if !has_public_key {
            verdict
                .complain(Monitored::Critical, format!("{merchant}: no platform certificate is valid now"));
        }
        return;
    };
    let left = days_left(last, now);
    let (warning, critical) = (i64::from(args.key_warning), i64::from(args.key_critical));
    verdict.figure(Figure { name: "platform_days", unit: "", value: left, warning, critical, falls: true });
    // One that is announced for later follows as well, and a public key does not end.
    let follows = keys.certificates().any(|certificate| certificate.not_after() > last);
    if has_public_key || follows || left > warning {
        return;
    }
    let state = if left <= critical { Monitored::Critical } else { Monitored::Warning };
    verdict.complain(
        state,
        format!(
            "{merchant}: the last platform certificate ends in {}, on {}, and none follows",
            days(left),
            beijing(last)
        ),
    );
}

fn own_certificate(
    args: &CheckCerts,
    merchant: &str,
    serial: &str,
    end: DateTime<Utc>,
    now: DateTime<Utc>,
    verdict: &mut Verdict,
) {
    let left = days_left(end, now);
    let (warning, critical) = (i64::from(args.own_warning), i64::from(args.own_critical));
    verdict.figure(Figure { name: "own_days", unit: "", value: left, warning, critical, falls: true });
    if left > warning {
        return;
    }
    let state = if left <= critical { Monitored::Critical } else { Monitored::Warning };
    let on = beijing(end);
    let words = if left < 0 {
        format!("{merchant}: the merchant's own API certificate {serial} ended on {on}")
    } else {
        let urgent = if left <= OWN_DAYS[1] { ": renew it this week" } else { "" };
        format!(
            "{merchant}: the merchant's own API certificate {serial} ends in {}, on {on}{urgent}",
            days(left)
        )
    };
    verdict.complain(state, words);
}

fn fine(merchant: &str, keys: &KeySet, now: DateTime<Utc>) -> String {
    let count = keys.certificates().filter(|certificate| certificate.valid_at(now)).count();
    let certificates = match count {
        0 => String::new(),
        1 => "1 platform certificate".to_owned(),
        many => format!("{many} platform certificates"),
    };
    let public_key = keys.public_key_id().map(|_| "the public key".to_owned()).unwrap_or_default();
    let all: Vec<_> = [certificates, public_key].into_iter().filter(|words| !words.is_empty()).collect();
    format!("{merchant}: {} in force", all.join(" and "))
}
