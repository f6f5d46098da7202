//! One release: a set of keys that belong together, read whole or not at all.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::manifest::sha256;
use super::{CURRENT, KeyDirectoryError, KeyKind, MANIFEST_FILE, Manifest, ManifestKey};
use crate::certificate::Certificate;
use crate::id::MerchantId;
use crate::keys::{KeySet, Serial};
use crate::rsa::{Backend, PublicKey};

/// No manifest or key file comes near this size.
const LARGEST_FILE: u64 = 1 << 20;
/// The release may be replaced and removed while it is read; then the next one is.
const ATTEMPTS: u32 = 5;

/// A release that was read and checked: its manifest, its files, and the keys in them.
#[derive(Clone, Debug)]
pub struct Release {
    manifest: Manifest,
    files: BTreeMap<String, String>,
    keys: Arc<KeySet>,
    folder: Option<PathBuf>,
}

/// A release as the daemon sends it.
#[derive(Serialize, Deserialize)]
struct Wire {
    manifest: Manifest,
    files: BTreeMap<String, String>,
}

impl Release {
    /// Reads the release in force of `merchant` in the directory `root`.
    ///
    /// # Errors
    /// [`KeyDirectoryError`]: nothing published, or what is there is damaged or another merchant's.
    pub fn read(root: impl AsRef<Path>, merchant: &MerchantId) -> Result<Self, KeyDirectoryError> {
        Self::read_with(root.as_ref(), merchant, Backend::default())
    }

    pub(super) fn read_with(
        root: &Path,
        merchant: &MerchantId,
        backend: Backend,
    ) -> Result<Self, KeyDirectoryError> {
        let mut folder = current(root, merchant)?;
        for _ in 1..ATTEMPTS {
            match Self::read_folder(&folder, merchant, backend) {
                Ok(release) => return Ok(release),
                Err(error) => {
                    let now = current(root, merchant)?;
                    if now == folder {
                        return Err(error);
                    }
                    folder = now;
                }
            }
        }
        Self::read_folder(&folder, merchant, backend)
    }

    /// Reads the release in this folder, whether it is in force or not.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_folder(
        folder: impl AsRef<Path>,
        merchant: &MerchantId,
        backend: Backend,
    ) -> Result<Self, KeyDirectoryError> {
        let folder = folder.as_ref();
        let path = folder.join(MANIFEST_FILE);
        let manifest: Manifest = serde_json::from_str(&text(&path)?).map_err(|error| {
            KeyDirectoryError::damaged(path.display().to_string(), format!("is no manifest: {error}"))
        })?;
        if let Some(fault) = manifest.fault() {
            return Err(KeyDirectoryError::damaged(path.display().to_string(), fault));
        }
        let files = manifest.keys.iter().map(|key| Ok((key.file.clone(), text(&folder.join(&key.file))?)));
        let files = files.collect::<Result<_, KeyDirectoryError>>()?;
        let mut release = Self::assemble(manifest, files, merchant, backend, &folder.display().to_string())?;
        release.folder = Some(folder.to_owned());
        Ok(release)
    }

    /// Reads a release as [`to_json`](Self::to_json) wrote it.
    ///
    /// # Errors
    /// As [`read`](Self::read). `place` is where it came from, for the message.
    pub fn from_json(
        json: &[u8],
        merchant: &MerchantId,
        backend: Backend,
        place: &str,
    ) -> Result<Self, KeyDirectoryError> {
        let wire: Wire = serde_json::from_slice(json)
            .map_err(|error| KeyDirectoryError::damaged(place, format!("answered no release: {error}")))?;
        Self::assemble(wire.manifest, wire.files, merchant, backend, place)
    }

    /// The release as one JSON text: `{"manifest":{…},"files":{"NAME.pem":"…"}}`.
    pub fn to_json(&self) -> String {
        let wire = Wire { manifest: self.manifest.clone(), files: self.files.clone() };
        serde_json::to_string(&wire).unwrap_or_default()
    }

    /// Checks that files and manifest agree: nothing is missing, every hash and every serial is right.
    fn assemble(
        manifest: Manifest,
        mut files: BTreeMap<String, String>,
        merchant: &MerchantId,
        backend: Backend,
        place: &str,
    ) -> Result<Self, KeyDirectoryError> {
        if let Some(fault) = manifest.fault() {
            return Err(KeyDirectoryError::damaged(place, format!("{MANIFEST_FILE} {fault}")));
        }
        if manifest.mchid != *merchant {
            let why =
                format!("holds keys of merchant {}, not of {}", manifest.mchid.as_str(), merchant.as_str());
            return Err(KeyDirectoryError::damaged(place, why));
        }
        files.retain(|name, _| manifest.keys.iter().any(|key| key.file == *name));
        let mut keys = KeySet::new();
        for entry in &manifest.keys {
            let missing = || KeyDirectoryError::damaged(place, format!("{} is missing", entry.file));
            let pem = files.get(&entry.file).ok_or_else(missing)?;
            if sha256(pem.as_bytes()) != entry.sha256 {
                let why = format!("{} is not the file the manifest lists: its SHA-256 differs", entry.file);
                return Err(KeyDirectoryError::damaged(place, why));
            }
            keys = add(keys, entry, pem, backend)
                .map_err(|why| KeyDirectoryError::Key { place: format!("{place}/{}", entry.file), why })?;
        }
        Ok(Self { manifest, files, keys: Arc::new(keys), folder: None })
    }

    /// What the release says about itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The keys, ready for use.
    pub fn keys(&self) -> &Arc<KeySet> {
        &self.keys
    }

    /// The PEM text of each key, by the name of its file.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(name, pem)| (name.as_str(), pem.as_str()))
    }

    /// The PEM text of one key.
    pub fn pem(&self, key: &ManifestKey) -> Option<&str> {
        self.files.get(&key.file).map(String::as_str)
    }

    /// The folder it was read from.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }
}

fn add(keys: KeySet, entry: &ManifestKey, pem: &str, backend: Backend) -> Result<KeySet, crate::KeyError> {
    match entry.kind {
        KeyKind::Certificate => {
            let certificate = Certificate::from_pem_with(pem, backend)?;
            if *certificate.serial() != Serial::new(entry.id.as_str()) {
                return Err(crate::KeyError::serial(&entry.id, certificate.serial().as_str()));
            }
            keys.with_certificate(certificate)
        }
        KeyKind::PublicKey => keys.with_public_key(&entry.id, PublicKey::from_pem_with(pem, backend)?),
    }
}

/// The folder that `current` leads to now. Files read in it belong together, whatever `current` does meanwhile.
pub(super) fn current(root: &Path, merchant: &MerchantId) -> Result<PathBuf, KeyDirectoryError> {
    // An id read from elsewhere is taken as it comes, and must not lead out of the directory.
    if !merchant.as_str().bytes().all(|b| b.is_ascii_digit()) {
        return Err(KeyDirectoryError::damaged(root.display().to_string(), "a merchant id has only digits"));
    }
    let home = root.join(merchant.as_str());
    let link = home.join(CURRENT);
    match std::fs::read_link(&link) {
        Ok(target) => Ok(home.join(target)),
        // A copy of the directory may have a folder in its place.
        Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => Ok(link),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(KeyDirectoryError::Missing { place: link.display().to_string() })
        }
        Err(error) => Err(KeyDirectoryError::io(&link, &error)),
    }
}

/// A text file of sensible size.
pub(super) fn text(path: &Path) -> Result<String, KeyDirectoryError> {
    let file = std::fs::File::open(path).map_err(|error| KeyDirectoryError::io(path, &error))?;
    let mut text = String::new();
    let read = file.take(LARGEST_FILE + 1).read_to_string(&mut text);
    let read = read.map_err(|error| KeyDirectoryError::io(path, &error))?;
    if u64::try_from(read).unwrap_or(u64::MAX) > LARGEST_FILE {
        return Err(KeyDirectoryError::damaged(path.display().to_string(), "is far larger than a key"));
    }
    Ok(text)
}
