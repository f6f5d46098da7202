//! One release: written aside, synced, and put in force by one rename.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use favor_core::key_directory::{BUNDLE_FILE, CURRENT, KeyKind, MANIFEST_FILE, ManifestKey, RELEASES, Trust};
use favor_core::{Backend, Certificate, KeyDirectoryError, Manifest, MerchantId, Release, Serial};

use super::{DirectoryError, KeyDirectory, files};

/// How many releases are kept, the one in force among them.
const KEPT: usize = 5;
/// A release that is being written, and a link that is about to be renamed. Only one process writes.
const NEW_RELEASE: &str = ".new";
const NEW_LINK: &str = ".current.new";

/// Keys to publish, together with those in force that have not expired.
#[derive(Debug, Default)]
pub struct NewKeys {
    certificates: Vec<(Certificate, Trust)>,
    public_key: Option<(Serial, String)>,
    drops_public_key: bool,
}

impl NewKeys {
    /// Nothing new: what is in force and has not expired.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a platform certificate and why it is believed.
    #[must_use]
    pub fn certificate(mut self, certificate: Certificate, trusted_by: Trust) -> Self {
        self.certificates.push((certificate, trusted_by));
        self
    }

    /// Sets the public key, as PEM. It replaces another one; without this call the one in force stays.
    #[must_use]
    pub fn public_key(mut self, id: Serial, pem: impl Into<String>) -> Self {
        self.public_key = Some((id, pem.into()));
        self
    }

    /// Takes the public key in force away, where no new one is set.
    #[must_use]
    pub fn without_public_key(mut self) -> Self {
        self.drops_public_key = true;
        self
    }
}

/// What publishing did.
#[derive(Debug)]
pub enum Published {
    /// There is a new release.
    New(Release),
    /// The keys were those in force.
    Unchanged(Release),
}

impl Published {
    /// The release in force now.
    pub fn release(&self) -> &Release {
        match self {
            Self::New(release) | Self::Unchanged(release) => release,
        }
    }
}

impl KeyDirectory {
    /// Publishes keys of a merchant: one release, put in force as a whole. A certificate in force stays until it
    /// expires, whether it is among the new ones or not.
    ///
    /// # Errors
    /// [`DirectoryError`]: what was in force still is, and what was half written is removed now or the next time.
    pub fn publish(
        &self,
        merchant: &MerchantId,
        new: NewKeys,
        now: DateTime<Utc>,
    ) -> Result<Published, DirectoryError> {
        let home = self.home(merchant)?;
        let releases = home.join(RELEASES);
        files::folder(&home, self.modes)?;
        files::folder(&releases, self.modes)?;
        self.step("clean");
        files::remove(&releases.join(NEW_RELEASE))?;
        files::remove(&home.join(NEW_LINK))?;

        let (previous, in_force) = self.previous(merchant, &releases)?;
        let (keys, pems) = merged(previous.as_ref(), new, now);
        if keys.is_empty() {
            return Err(DirectoryError::WouldBeEmpty);
        }
        let content = Manifest::content_of(&keys);
        if let Some(previous) = previous.filter(|previous| in_force && previous.manifest().content == content)
        {
            return Ok(Published::Unchanged(previous));
        }
        let highest = numbered(&releases)?.last().map(|(generation, _)| *generation);
        let manifest = Manifest::new(merchant.clone(), keys, highest, now);

        let written = self.write(&releases, &manifest, &pems);
        let written = written.and_then(|()| self.put_in_force(&home, &releases, merchant, &manifest));
        if written.is_err() {
            // What went wrong is reported; whether cleaning up works too does not matter, since it is repeated.
            let _ = files::remove(&releases.join(NEW_RELEASE));
            let _ = files::remove(&home.join(NEW_LINK));
        }
        let release = written?;
        self.step("prune");
        if let Err(error) = prune(&releases, &manifest.release_name()) {
            tracing::warn!(%error, "old releases could not be removed");
        }
        Ok(Published::New(release))
    }

    /// The release to follow, and whether it is the one in force: where that is damaged, the newest whole one.
    fn previous(
        &self,
        merchant: &MerchantId,
        releases: &Path,
    ) -> Result<(Option<Release>, bool), DirectoryError> {
        match self.release(merchant) {
            Ok(Some(release)) => return Ok((Some(release), true)),
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "the release in force is damaged; an older one is followed"),
        }
        let mut unreadable = None;
        for (_, folder) in numbered(releases)?.into_iter().rev() {
            match Release::read_folder(&folder, merchant, Backend::default()) {
                Ok(release) => return Ok((Some(release), false)),
                Err(error @ KeyDirectoryError::Unreadable { .. }) if folder.join(MANIFEST_FILE).exists() => {
                    unreadable = Some(error);
                }
                Err(_) => {}
            }
        }
        // Keys that are there and cannot be read just now must not be forgotten for that.
        unreadable.map_or(Ok((None, false)), |error| Err(DirectoryError::Unreadable(error)))
    }

    fn write(
        &self,
        releases: &Path,
        manifest: &Manifest,
        pems: &BTreeMap<String, String>,
    ) -> Result<(), DirectoryError> {
        let folder = releases.join(NEW_RELEASE);
        self.step("folder");
        files::folder(&folder, self.modes)?;
        let mut bundle = String::new();
        for key in &manifest.keys {
            let pem = pems.get(&key.file).map(String::as_str).unwrap_or_default();
            if key.kind == KeyKind::Certificate {
                bundle.push_str(pem);
            }
            self.step("key");
            files::file(&folder.join(&key.file), pem.as_bytes(), self.modes)?;
        }
        self.step("bundle");
        files::file(&folder.join(BUNDLE_FILE), bundle.as_bytes(), self.modes)?;
        self.step("manifest");
        files::file(&folder.join(MANIFEST_FILE), manifest.to_json().as_bytes(), self.modes)?;
        self.step("sync folder");
        files::sync(&folder)
    }

    fn put_in_force(
        &self,
        home: &Path,
        releases: &Path,
        merchant: &MerchantId,
        manifest: &Manifest,
    ) -> Result<Release, DirectoryError> {
        let name = manifest.release_name();
        let folder = releases.join(&name);
        self.step("name");
        files::rename(&releases.join(NEW_RELEASE), &folder)?;
        self.step("sync releases");
        files::sync(releases)?;
        // Read as any reader will, before anybody does.
        let release =
            Release::read_folder(&folder, merchant, Backend::default()).map_err(DirectoryError::ReadBack)?;
        let link = home.join(NEW_LINK);
        self.step("link");
        std::os::unix::fs::symlink(Path::new(RELEASES).join(&name), &link)
            .map_err(|error| DirectoryError::io(&link, error))?;
        self.step("swap");
        files::rename(&link, &home.join(CURRENT))?;
        self.step("sync home");
        files::sync(home)?;
        Ok(release)
    }
}

/// The keys of the next release with their files: the public key, then the certificates, the newest first.
fn merged(
    previous: Option<&Release>,
    new: NewKeys,
    now: DateTime<Utc>,
) -> (Vec<ManifestKey>, BTreeMap<String, String>) {
    let held = previous.into_iter().flat_map(|release| {
        release.manifest().keys.iter().filter_map(|key| Some((key.clone(), release.pem(key)?.to_owned())))
    });
    let (mut public_keys, mut certificates): (Vec<_>, Vec<_>) =
        held.partition(|(key, _)| key.kind == KeyKind::PublicKey);
    if let Some((id, pem)) = new.public_key {
        let key = ManifestKey::public_key(&id, &pem, now);
        if !public_keys.iter().any(|(held, _)| held.id == key.id && held.sha256 == key.sha256) {
            public_keys = vec![(key, pem)];
        }
    } else if new.drops_public_key {
        public_keys.clear();
    }
    for (certificate, trusted_by) in new.certificates {
        if !certificates.iter().any(|(held, _)| held.serial() == *certificate.serial()) {
            let key = ManifestKey::certificate(&certificate, now, trusted_by);
            certificates.push((key, certificate.pem().to_owned()));
        }
    }
    certificates.retain(|(key, _)| key.not_after.is_none_or(|end| now <= end));
    certificates.sort_by(|(one, _), (other, _)| {
        other.not_before.cmp(&one.not_before).then_with(|| one.id.cmp(&other.id))
    });
    let all = public_keys.into_iter().chain(certificates);
    all.map(|(key, pem)| (key.clone(), (key.file, pem))).unzip()
}

/// The releases with their generations, the oldest first.
fn numbered(releases: &Path) -> Result<Vec<(u64, PathBuf)>, DirectoryError> {
    let failed = |error| DirectoryError::io(releases, error);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(releases).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if let Some(generation) = name.split('-').next().and_then(|digits| digits.parse().ok()) {
            found.push((generation, path));
        }
    }
    found.sort();
    Ok(found)
}

fn prune(releases: &Path, in_force: &str) -> Result<(), DirectoryError> {
    let found = numbered(releases)?;
    let surplus = found.len().saturating_sub(KEPT);
    for (_, folder) in found.into_iter().take(surplus).filter(|(_, folder)| !folder.ends_with(in_force)) {
        files::remove(&folder)?;
    }
    Ok(())
}
