//! `favor certs status`

use std::path::Path;

use anyhow::{Context as _, bail};
use chrono::{DateTime, Utc};
use favor_core::key_directory::ManifestKey;
use favor_core::{Clock as _, KeyDirectoryError, MerchantId, MerchantKeyStatus, Release, SystemClock};
use serde_json::json;

use crate::args;
use crate::exit::Exit;
use crate::expiry::{beijing, days_left};
use crate::output::Output;

/// What the directory has of one merchant.
pub(crate) struct Kept {
    pub(crate) merchant: MerchantId,
    pub(crate) release: Result<Release, KeyDirectoryError>,
    pub(crate) status: Result<Option<MerchantKeyStatus>, KeyDirectoryError>,
}

/// Reads the merchants asked for, or all that the directory has, in order.
///
/// # Errors
/// When the directory cannot be read or has no merchant.
pub(crate) fn read(directory: &Path, wanted: &[MerchantId]) -> anyhow::Result<Vec<Kept>> {
    let entries =
        std::fs::read_dir(directory).with_context(|| format!("cannot read {}", directory.display()))?;
    let mut merchants = wanted.to_vec();
    if merchants.is_empty() {
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot read {}", directory.display()))?;
            let name = entry.file_name();
            if let Some(merchant) = name.to_str().and_then(|name| MerchantId::new(name).ok())
                && entry.path().is_dir()
            {
                merchants.push(merchant);
            }
        }
    }
    if merchants.is_empty() {
        bail!(
            "{} has no folder of a merchant: is it the directory that favor certs watch writes?",
            directory.display()
        );
    }
    merchants.sort();
    merchants.dedup();
    let kept = |merchant: MerchantId| Kept {
        release: Release::read(directory, &merchant),
        status: MerchantKeyStatus::read(directory, &merchant),
        merchant,
    };
    Ok(merchants.into_iter().map(kept).collect())
}

pub(crate) fn run(args: &args::CertsStatus, output: &Output) -> anyhow::Result<Exit> {
    let now = SystemClock::new().now();
    let all = read(&args.directory, &args.merchant)?;
    if output.is_json() {
        let merchants: Vec<_> = all.iter().map(|kept| json(kept, now)).collect();
        output.json(&json!({ "directory": args.directory, "merchants": merchants }))?;
    } else {
        let heading = [
            "merchant",
            "generation",
            "certificates",
            "public key",
            "last key ends",
            "last success",
            "state",
        ];
        output.rows(heading, all.iter().map(|kept| row(kept, now)).collect(), "no merchants")?;
    }
    Ok(Exit::Done)
}

fn json(kept: &Kept, now: DateTime<Utc>) -> serde_json::Value {
    let manifest = kept.release.as_ref().ok().map(Release::manifest);
    let status = kept.status.as_ref().ok().and_then(Option::as_ref);
    let keys: Option<Vec<_>> = manifest.map(|manifest| {
        let key = |key: &ManifestKey| {
            json!({
                "kind": key.kind,
                "id": key.id,
                "not_before": key.not_before,
                "not_after": key.not_after,
                "days_left": key.not_after.map(|end| days_left(end, now)),
                "first_seen": key.first_seen,
                "trusted_by": key.trusted_by,
            })
        };
        manifest.keys.iter().map(key).collect()
    });
    json!({
        "mchid": kept.merchant,
        "generation": manifest.map(|manifest| manifest.generation),
        "content": manifest.map(|manifest| &manifest.content),
        "fetched_at": manifest.map(|manifest| manifest.fetched_at),
        "keys": keys,
        "status": status,
        "last_success_age_seconds":
            status.and_then(|status| status.last_success).map(|at| (now - at).num_seconds()),
        "error": error(kept),
    })
}

/// Why the keys or their status cannot be read.
fn error(kept: &Kept) -> Option<String> {
    let errors = [kept.release.as_ref().err(), kept.status.as_ref().err()];
    let words: Vec<_> = errors.into_iter().flatten().map(ToString::to_string).collect();
    (!words.is_empty()).then(|| words.join("; "))
}

fn row(kept: &Kept, now: DateTime<Utc>) -> [String; 7] {
    let dash = || "-".to_owned();
    let status = kept.status.as_ref().ok().and_then(Option::as_ref);
    let success = match status.and_then(|status| status.last_success) {
        Some(at) => format!("{} ago", ago(now, at)),
        None => "never".to_owned(),
    };
    let failure = status.and_then(|status| status.failure.as_ref());
    let state = match (error(kept), failure) {
        (Some(error), _) => error,
        (None, Some(failure)) => format!("failing: {} ({})", failure.message, failure.code),
        (None, None) => match status {
            Some(MerchantKeyStatus { own_keys: Some(wrong), .. }) => {
                format!(
                    "ok, with its key files of before; as they are now: {} ({})",
                    wrong.message, wrong.code
                )
            }
            Some(_) => "ok".to_owned(),
            None => "no check recorded".to_owned(),
        },
    };
    let Ok(release) = &kept.release else {
        return [kept.merchant.to_string(), dash(), dash(), dash(), dash(), success, state];
    };
    let (keys, manifest) = (release.keys(), release.manifest());
    [
        kept.merchant.to_string(),
        manifest.generation.to_string(),
        keys.certificates().count().to_string(),
        if keys.public_key_id().is_some() { "yes" } else { "no" }.to_owned(),
        keys.certificates().map(favor_core::Certificate::not_after).max().map_or_else(dash, beijing),
        success,
        state,
    ]
}

/// How long ago, in the largest unit that fits: `5 min`, `3 h`.
pub(crate) fn ago(now: DateTime<Utc>, at: DateTime<Utc>) -> String {
    let seconds = (now - at).num_seconds().max(0);
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}
