//! The release in force of one merchant, as the daemon remembers it.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use favor_core::key_directory::ManifestKey;
use favor_core::{Backend, KeyDirectoryError, Manifest, Release, Serial};

/// What a release says of itself, and where it is. The keys stay on disk: those of thousands of merchants, ready for
/// use, would fill the memory of a daemon that never uses them.
#[derive(Debug)]
pub(super) struct InForce {
    manifest: Manifest,
    folder: PathBuf,
}

impl InForce {
    pub(super) fn of(release: &Release) -> Self {
        let folder = release.folder().unwrap_or(Path::new("")).to_owned();
        Self { manifest: release.manifest().clone(), folder }
    }

    pub(super) fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether a request could name one of its keys now.
    pub(super) fn has_valid_key(&self, now: DateTime<Utc>) -> bool {
        let valid = |key: &ManifestKey| {
            key.not_before.is_none_or(|from| from <= now) && key.not_after.is_none_or(|end| now <= end)
        };
        self.manifest.keys.iter().any(valid)
    }

    pub(super) fn has(&self, serial: &Serial) -> bool {
        self.manifest.keys.iter().any(|key| key.serial() == *serial)
    }

    /// Whether a certificate of it ends by then.
    pub(super) fn ends_by(&self, moment: DateTime<Utc>) -> bool {
        self.manifest.keys.iter().any(|key| key.not_after.is_some_and(|end| end <= moment))
    }

    /// The whole release as JSON, read and checked as any reader would.
    pub(super) fn to_json(&self) -> Result<String, KeyDirectoryError> {
        Release::read_folder(&self.folder, &self.manifest.mchid, Backend::default())
            .map(|release| release.to_json())
    }
}
