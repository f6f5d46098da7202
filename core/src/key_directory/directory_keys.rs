//! Keys from a directory on this machine.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::follow::{EVERY, Following, Source};
use super::http_keys::Daemon;
use super::{KeyDirectoryError, Release, release};
use crate::clock::{Clock, SystemClock};
use crate::error::Error;
use crate::id::MerchantId;
use crate::keys::{KeySet, KeyStore, Refresh, Serial};
use crate::rsa::Backend;
use crate::transport::Transport;

/// The platform keys of one merchant, from a directory that `favor certs watch` keeps fresh.
///
/// It looks for a new release every three seconds and takes it over whole. When the directory is gone, damaged or
/// goes back to an older release, what is held stays in use. An unknown serial makes it look at once, and asks the
/// daemon where its address is given, at most once a minute.
///
/// ```no_run
/// use favor_core::{DirectoryKeys, MerchantId, PlatformKeys};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let keys = DirectoryKeys::open("/var/lib/favor/certs", MerchantId::new("1900000109")?)?;
/// let keys = PlatformKeys::store(keys);
/// # let _ = keys;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct DirectoryKeys(Following);

impl DirectoryKeys {
    /// Reads the keys of `merchant` in the directory `root`, with all options at their defaults.
    ///
    /// # Errors
    /// [`KeyDirectoryError`] when there is no whole set of keys there now.
    pub fn open(root: impl AsRef<Path>, merchant: MerchantId) -> Result<Self, KeyDirectoryError> {
        Self::builder(root, merchant).open()
    }

    /// Begins a reader with options.
    pub fn builder(root: impl AsRef<Path>, merchant: MerchantId) -> DirectoryKeysBuilder {
        DirectoryKeysBuilder {
            root: root.as_ref().to_owned(),
            merchant,
            every: EVERY,
            clock: Arc::new(SystemClock::new()),
            backend: Backend::default(),
            daemon: None,
        }
    }

    /// The release in use; none before the first one was read.
    pub fn release(&self) -> Option<Arc<Release>> {
        self.0.release()
    }
}

impl KeyStore for DirectoryKeys {
    fn keys(&self) -> Arc<KeySet> {
        self.0.keys()
    }

    fn refresh(&self, reason: Refresh) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(self.0.refresh(reason))
    }
}

/// Options of [`DirectoryKeys`].
#[derive(Debug)]
#[must_use]
pub struct DirectoryKeysBuilder {
    root: PathBuf,
    merchant: MerchantId,
    every: Duration,
    clock: Arc<dyn Clock>,
    backend: Backend,
    daemon: Option<(String, Arc<dyn Transport>)>,
}

impl DirectoryKeysBuilder {
    /// How often to look for a new release; three seconds unless set.
    pub fn poll_every(mut self, every: Duration) -> Self {
        self.every = every;
        self
    }

    /// Takes the time from this clock.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Reads keys for another RSA backend than the default.
    pub fn backend(mut self, backend: Backend) -> Self {
        self.backend = backend;
        self
    }

    /// Tells the daemon at this address of unknown serials, so that it fetches at once.
    pub fn ask_daemon(mut self, base_url: impl Into<String>, transport: impl Transport + 'static) -> Self {
        self.daemon = Some((base_url.into(), Arc::new(transport)));
        self
    }

    /// A reader that holds keys.
    ///
    /// # Errors
    /// [`KeyDirectoryError`] when there is no whole set of keys there now, or the daemon's address is malformed.
    pub fn open(self) -> Result<DirectoryKeys, KeyDirectoryError> {
        let release = Release::read_with(&self.root, &self.merchant, self.backend)?;
        let keys = self.open_empty()?;
        keys.0.adopt(release)?;
        Ok(keys)
    }

    /// A reader that may begin without keys and takes them when they are published. Calls made before fail.
    ///
    /// # Errors
    /// [`KeyDirectoryError`] when the daemon's address is malformed.
    pub fn open_empty(self) -> Result<DirectoryKeys, KeyDirectoryError> {
        let daemon = match self.daemon {
            Some((url, transport)) => {
                Some(Daemon::new(&url, transport, self.merchant.clone(), self.backend)?)
            }
            None => None,
        };
        let source = Directory { root: self.root, merchant: self.merchant, backend: self.backend, daemon };
        Ok(DirectoryKeys(Following::new(Arc::new(source), self.clock, self.every)))
    }
}

#[derive(Debug)]
struct Directory {
    root: PathBuf,
    merchant: MerchantId,
    backend: Backend,
    daemon: Option<Daemon>,
}

impl Source for Directory {
    fn look(
        &self,
        held: Option<Arc<Release>>,
        _patient: bool,
    ) -> BoxFuture<'_, Result<Option<Release>, KeyDirectoryError>> {
        let (root, merchant, backend) = (self.root.clone(), self.merchant.clone(), self.backend);
        Box::pin(async move {
            let place = root.display().to_string();
            let look = move || {
                let folder = release::current(&root, &merchant)?;
                let linked = folder.file_name().is_some_and(|name| name != super::CURRENT);
                if linked && held.is_some_and(|held| held.folder() == Some(&*folder)) {
                    return Ok(None);
                }
                Release::read_with(&root, &merchant, backend).map(Some)
            };
            tokio::task::spawn_blocking(look)
                .await
                .unwrap_or_else(|error| Err(KeyDirectoryError::damaged(place, error.to_string())))
        })
    }

    fn ask(&self, unknown: Serial) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if let Some(daemon) = &self.daemon
                && let Err(error) = daemon.tell_unknown(&unknown).await
            {
                tracing::warn!(%error, "the daemon could not be asked for newer keys");
            }
        })
    }

    fn place(&self) -> String {
        self.root.join(self.merchant.as_str()).display().to_string()
    }
}
