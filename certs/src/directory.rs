//! Writing the key directory (format: `docs/key-directory.md`).

mod error;
mod files;
mod hook_state;
mod publish;

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use favor_core::key_directory::STATUS_FILE;
use favor_core::{KeyDirectoryError, MerchantId, MerchantKeyStatus, Release};

pub use error::DirectoryError;
pub use publish::{NewKeys, Published};

const LOCK: &str = ".lock";
/// Written and removed again when the directory is opened, as large as a release of a few keys.
const TRIAL: &str = ".trial";
const RELEASE_SIZE: usize = 16 * 1024;

/// Permissions that files and folders get each time they are made, whatever the umask is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Modes {
    /// Of files; 0644 by default, since there are only public keys in them.
    pub file: u32,
    /// Of folders; 0755 by default.
    pub folder: u32,
}

impl Default for Modes {
    fn default() -> Self {
        Self { file: 0o644, folder: 0o755 }
    }
}

type Hook = Arc<dyn Fn(&'static str) + Send + Sync>;

/// The directory, open for writing. Nobody else can write it meanwhile.
#[derive(Clone)]
pub struct KeyDirectory {
    root: PathBuf,
    modes: Modes,
    /// Locked until the last clone is dropped, or the process ends, however it ends.
    _lock: Arc<File>,
    hook: Option<Hook>,
}

impl fmt::Debug for KeyDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyDirectory").field("root", &self.root).finish_non_exhaustive()
    }
}

impl KeyDirectory {
    /// Opens the directory for writing, and makes it where it is missing.
    ///
    /// # Errors
    /// [`DirectoryError::Held`] while another process writes it; else what the system said, also where a release would
    /// find no room or may not be written.
    pub fn open(root: impl AsRef<Path>, modes: Modes) -> Result<Self, DirectoryError> {
        let root = root.as_ref().to_owned();
        files::folder(&root, modes)?;
        let path = root.join(LOCK);
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(|error| DirectoryError::io(&path, error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DirectoryError::Held { root }),
            Err(TryLockError::Error(error)) => return Err(DirectoryError::io(&path, error)),
        }
        files::try_to_write(&root.join(TRIAL), RELEASE_SIZE, modes)?;
        Ok(Self { root, modes, _lock: Arc::new(lock), hook: None })
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Is told of each step of a release before it is done: for tests that end the process there.
    #[doc(hidden)]
    #[must_use]
    pub fn with_step_hook(mut self, hook: impl Fn(&'static str) + Send + Sync + 'static) -> Self {
        self.hook = Some(Arc::new(hook));
        self
    }

    fn step(&self, name: &'static str) {
        if let Some(hook) = &self.hook {
            hook(name);
        }
    }

    /// The release in force of a merchant; none before the first.
    ///
    /// # Errors
    /// [`KeyDirectoryError`] when it cannot be read or is damaged.
    pub fn release(&self, merchant: &MerchantId) -> Result<Option<Release>, KeyDirectoryError> {
        match Release::read(&self.root, merchant) {
            Ok(release) => Ok(Some(release)),
            Err(KeyDirectoryError::Missing { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Replaces a merchant's status.
    ///
    /// # Errors
    /// What the system said; the old status is then still there.
    pub fn write_status(&self, status: &MerchantKeyStatus) -> Result<(), DirectoryError> {
        let home = self.home(&status.mchid)?;
        files::folder(&home, self.modes)?;
        files::replace(&home, STATUS_FILE, status.to_json().as_bytes(), self.modes)
    }

    fn home(&self, merchant: &MerchantId) -> Result<PathBuf, DirectoryError> {
        if !merchant.as_str().bytes().all(|b| b.is_ascii_digit()) {
            return Err(DirectoryError::MerchantId);
        }
        Ok(self.root.join(merchant.as_str()))
    }
}
