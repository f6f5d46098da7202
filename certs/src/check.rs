//! One check of a merchant's keys: fetched, believed or refused, published.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use favor_core::key_directory::{CheckFailure, Trust};
use favor_core::{
    Clock, DownloadError, DownloadedCertificates, KeySet, MerchantId, MerchantKeyStatus, PublicKey, Release,
    Serial,
};

use crate::directory::{DirectoryError, KeyDirectory, NewKeys};
use crate::merchant::{Merchant, MerchantError};

/// What a check came to.
#[derive(Debug)]
pub(crate) struct Checked {
    /// The release in force now.
    pub(crate) release: Option<Release>,
    /// Whether it is a new one.
    pub(crate) new: bool,
    /// A change-over is under way: worth looking again sooner.
    pub(crate) pending: bool,
    /// How it went, to be written when the next check is known.
    pub(crate) status: MerchantKeyStatus,
}

impl Checked {
    /// The result as a metric names it.
    pub(crate) fn result(&self) -> &str {
        self.status.failure.as_ref().map_or("ok", |failure| failure.code.as_str())
    }
}

/// Checks once. Whatever goes wrong, the release in force stays, and the status says why.
pub(crate) async fn check(
    directory: &KeyDirectory,
    merchant: &Arc<Merchant>,
    mut status: MerchantKeyStatus,
    clock: &dyn Clock,
) -> Checked {
    let now = clock.now();
    let (opened, looked_at) = (merchant.clone(), directory.clone());
    let read = move || Ok::<_, MerchantError>((opened.fetching()?, looked_at.release(opened.id())));
    let (fetching, held) = match crate::blocking::run(read).await {
        Ok(Ok(read)) => read,
        Ok(Err(error)) => {
            let failure = CheckFailure::new("own_keys", report(&error));
            return not_possible(directory, merchant.id(), status, failure, clock);
        }
        Err(error) => {
            let failure = CheckFailure::new("own_keys", error.to_string());
            return not_possible(directory, merchant.id(), status, failure, clock);
        }
    };
    let held_keys =
        held.as_ref().ok().and_then(Option::as_ref).map(|release| release.keys().as_ref().clone());
    let held_keys = held_keys.unwrap_or_default();
    let downloaded = match &fetching {
        Some(fetching) => {
            let known = with_public_key(held_keys.clone(), merchant);
            Some(fetching.client.download_certificates(&fetching.api_v3_key, &known).await)
        }
        None => None,
    };
    let (brought, failure) = match downloaded {
        Some(Ok(downloaded)) => (Some(downloaded), None),
        Some(Err(error)) => (None, Some(words(&error))),
        None => (None, None),
    };
    // Also after a failed download: the public key may have changed, and certificates expire.
    let published = publish(directory, merchant, brought.as_ref(), &held_keys, now).await;
    let (release, new, trouble) = match published {
        Ok((release, new)) => (Some(release), new, None),
        // After a failed download its reason is the one that counts.
        Err(error) => (held.ok().flatten(), false, Some(CheckFailure::new(code(&error), report(&error)))),
    };
    let failure = failure.or(trouble);
    status.last_checked = Some(now);
    match &failure {
        None => {
            status.last_success = Some(now);
            status.failing_since = None;
        }
        Some(_) => status.failing_since = status.failing_since.or(Some(now)),
    }
    status.failure = failure;
    if let Some(brought) = &brought {
        status.kept_unlisted = unlisted(release.as_ref(), &brought.listed);
    }
    status.merchant_certificate.clone_from(&merchant.certificate);
    let pending = release.as_ref().is_some_and(|release| {
        is_pending(release.keys(), brought.as_ref().and_then(|brought| brought.signed_by.as_ref()), now)
    });
    Checked { release, new, pending, status }
}

/// A check that cannot be made, since the merchant's own keys are wrong.
pub(crate) fn not_possible(
    directory: &KeyDirectory,
    id: &MerchantId,
    mut status: MerchantKeyStatus,
    failure: CheckFailure,
    clock: &dyn Clock,
) -> Checked {
    let now = clock.now();
    status.last_checked = Some(now);
    status.failing_since = status.failing_since.or(Some(now));
    status.failure = Some(failure);
    let release = directory.release(id).ok().flatten();
    Checked { release, new: false, pending: false, status }
}

/// A new certificate that is not used yet, or one in use that ends within two days.
fn is_pending(keys: &KeySet, signed_by: Option<&Serial>, now: DateTime<Utc>) -> bool {
    let newest = keys.certificates().next();
    let waits = newest.is_some_and(|newest| {
        !newest.valid_at(now) || signed_by.is_some_and(|by| !by.is_public_key_id() && by != newest.serial())
    });
    waits || keys.certificates().any(|held| held.not_after() - now < chrono::TimeDelta::days(2))
}

fn with_public_key(keys: KeySet, merchant: &Merchant) -> KeySet {
    match &merchant.public_key {
        Some((id, pem)) => {
            let key = PublicKey::from_pem(pem);
            let with = key.and_then(|key| keys.clone().with_public_key(id.as_str(), key));
            with.unwrap_or(keys)
        }
        None => keys,
    }
}

async fn publish(
    directory: &KeyDirectory,
    merchant: &Merchant,
    brought: Option<&DownloadedCertificates>,
    held: &KeySet,
    now: DateTime<Utc>,
) -> Result<(Release, bool), DirectoryError> {
    let mut new = NewKeys::new();
    if let Some(brought) = brought {
        let knew = brought
            .signed_by
            .as_ref()
            .is_some_and(|by| held.certificates().any(|held| held.serial() == by) || by.is_public_key_id());
        let trust = if knew { Trust::Download } else { Trust::FirstDownload };
        for certificate in brought.keys.certificates() {
            new = new.certificate(certificate.clone(), trust);
        }
    }
    if let Some((id, pem)) = &merchant.public_key {
        new = new.public_key(id.clone(), pem.clone());
    } else if merchant.config.drop_public_key {
        new = new.without_public_key();
    }
    let (directory, id) = (directory.clone(), merchant.id().clone());
    let work = crate::blocking::run(move || directory.publish(&id, new, now));
    match work.await {
        Ok(Ok(crate::Published::New(release))) => Ok((release, true)),
        Ok(Ok(crate::Published::Unchanged(release))) => Ok((release, false)),
        Ok(Err(error)) => Err(error),
        Err(error) => Err(DirectoryError::Stopped(error.to_string())),
    }
}

/// The certificates of the release that the list did not have.
fn unlisted(release: Option<&Release>, listed: &[Serial]) -> Vec<String> {
    let certificates = release.into_iter().flat_map(|release| release.keys().certificates());
    let gone = certificates.filter(|held| !listed.contains(held.serial()));
    gone.map(|held| held.serial().as_str().to_owned()).collect()
}

/// A failed download in words, with its causes and what to do.
fn words(error: &DownloadError) -> CheckFailure {
    CheckFailure::new(error.fault().code(), format!("{}; {}", report(error.error()), error.error().hint()))
}

fn code(error: &DirectoryError) -> &'static str {
    match error {
        DirectoryError::WouldBeEmpty => "no_keys",
        _ => "directory",
    }
}

/// An error with its causes.
pub(crate) fn report(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}
