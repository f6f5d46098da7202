//! The release in force of one merchant, as the daemon remembers it.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use favor_core::{Backend, KeyDirectoryError, MerchantId, Release, Serial};

/// What is said of a release without opening it, and where it is. The rest stays on disk: the keys of thousands of
/// merchants, ready for use, would fill the memory of a daemon that never uses them.
#[derive(Debug)]
pub(super) struct InForce {
    mchid: MerchantId,
    generation: u64,
    content: Box<str>,
    keys: Box<[Key]>,
    folder: PathBuf,
}

/// A key of a release.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) id: Box<str>,
    not_before: Option<DateTime<Utc>>,
    /// None for a public key.
    pub(super) not_after: Option<DateTime<Utc>>,
}

impl InForce {
    pub(super) fn of(release: &Release) -> Self {
        let manifest = release.manifest();
        let keys = manifest.keys.iter().map(|key| Key {
            id: key.id.as_str().into(),
            not_before: key.not_before,
            not_after: key.not_after,
        });
        Self {
            mchid: manifest.mchid.clone(),
            generation: manifest.generation,
            content: manifest.content.as_str().into(),
            keys: keys.collect(),
            folder: release.folder().unwrap_or(Path::new("")).to_owned(),
        }
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn content(&self) -> &str {
        &self.content
    }

    pub(super) fn keys(&self) -> &[Key] {
        &self.keys
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether a request could name one of its keys now.
    pub(super) fn has_valid_key(&self, now: DateTime<Utc>) -> bool {
        let valid = |key: &Key| {
            key.not_before.is_none_or(|from| from <= now) && key.not_after.is_none_or(|end| now <= end)
        };
        self.keys.iter().any(valid)
    }

    pub(super) fn has(&self, serial: &Serial) -> bool {
        self.keys.iter().any(|key| Serial::new(&*key.id) == *serial)
    }

    /// Whether a certificate of it ends by then.
    pub(super) fn ends_by(&self, moment: DateTime<Utc>) -> bool {
        self.keys.iter().any(|key| key.not_after.is_some_and(|end| end <= moment))
    }

    /// The whole release as JSON, read and checked as any reader would.
    pub(super) fn to_json(&self) -> Result<String, KeyDirectoryError> {
        Release::read_folder(&self.folder, &self.mchid, Backend::default()).map(|release| release.to_json())
    }
}
