//! Platform certificates, downloaded and kept fresh (spec §2.12).

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use futures_util::future::BoxFuture;
use tokio::task::AbortHandle;

use crate::aead::ApiV3Key;
use crate::certificate_download::{Download, DownloadError};
use crate::error::Error;
use crate::exchange::Exchange;
use crate::keys::{KeySet, KeyStore, Refresh};
use crate::random;
use crate::rsa::Backend;

/// A refresh is due at least every 12 h; the jitter keeps a fleet from asking all at once.
const INTERVAL: (Duration, Duration) = (Duration::from_secs(10 * 3600), Duration::from_secs(12 * 3600));
/// After a failed refresh: first pause and longest pause.
const AFTER_FAILURE: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(3600));
/// Anybody can name an unknown serial, so that asks at most this often.
const BETWEEN_UNKNOWN_SERIALS: Duration = Duration::from_secs(60);
/// Without any key each call asks; they share one download, and a failure, for this long.
const BETWEEN_FIRST_DOWNLOADS: Duration = Duration::from_millis(200);

/// Downloads the platform certificates, and refreshes them in the background and on an unknown serial.
///
/// One download runs at a time. A failed one changes nothing, and a certificate is kept until it expires.
pub(crate) struct DownloadedKeys {
    downloader: Arc<Downloader>,
    background: Mutex<Option<AbortHandle>>,
}

struct Downloader {
    exchange: Arc<Exchange>,
    hosts: Vec<String>,
    api_v3_key: ApiV3Key,
    backend: Backend,
    keys: ArcSwap<KeySet>,
    downloads: AtomicU64,
    past: tokio::sync::Mutex<Past>,
}

/// What happened so far, by the clock's elapsed time. Its lock is what makes downloads single-flight.
#[derive(Default)]
struct Past {
    last: Option<(Duration, Result<(), Error>)>,
    last_for_unknown_serial: Option<Duration>,
}

impl DownloadedKeys {
    /// Begins with `keys`: none, or a public key while the merchant switches (spec §2.13).
    pub(crate) fn new(
        exchange: Arc<Exchange>,
        hosts: Vec<String>,
        api_v3_key: ApiV3Key,
        backend: Backend,
        keys: KeySet,
    ) -> Self {
        let downloader = Downloader {
            exchange,
            hosts,
            api_v3_key,
            backend,
            keys: ArcSwap::from_pointee(keys),
            downloads: AtomicU64::new(0),
            past: tokio::sync::Mutex::default(),
        };
        Self { downloader: Arc::new(downloader), background: Mutex::new(None) }
    }

    /// Starts the background refresh with the first use, and again when the runtime it ran on has ended.
    fn keep_fresh(&self) {
        let mut background = self.background.lock().unwrap_or_else(PoisonError::into_inner);
        if background.as_ref().is_some_and(|task| !task.is_finished()) {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let task = runtime.spawn(refresh_for_ever(self.downloader.clone()));
            *background = Some(task.abort_handle());
        }
    }
}

impl Drop for DownloadedKeys {
    fn drop(&mut self) {
        if let Some(task) = self.background.get_mut().unwrap_or_else(PoisonError::into_inner) {
            task.abort();
        }
    }
}

impl fmt::Debug for DownloadedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DownloadedKeys").field("keys", &self.downloader.keys.load()).finish_non_exhaustive()
    }
}

impl KeyStore for DownloadedKeys {
    fn keys(&self) -> Arc<KeySet> {
        self.keep_fresh();
        self.downloader.keys.load_full()
    }

    fn refresh(&self, reason: Refresh) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(self.downloader.refresh(Some(reason)))
    }
}

async fn refresh_for_ever(downloader: Arc<Downloader>) {
    let mut pause_after_failure = AFTER_FAILURE.0;
    loop {
        let pause = match downloader.refresh(None).await {
            Ok(()) => {
                pause_after_failure = AFTER_FAILURE.0;
                random::between(INTERVAL.0, INTERVAL.1)
            }
            Err(error) => {
                tracing::warn!(%error, "the platform certificates could not be refreshed; what is held stays in use");
                let pause = pause_after_failure;
                pause_after_failure = (pause * 2).min(AFTER_FAILURE.1);
                random::between(pause / 2, pause)
            }
        };
        downloader.exchange.clock.sleep(pause).await;
    }
}

impl Downloader {
    /// Downloads, unless another caller just did, or it is too early for this reason. None: it is due.
    async fn refresh(&self, reason: Option<Refresh>) -> Result<(), Error> {
        let before = self.downloads.load(Ordering::Acquire);
        let mut past = self.past.lock().await;
        if self.downloads.load(Ordering::Acquire) != before {
            return Ok(());
        }
        let now = self.exchange.clock.elapsed();
        let too_early = |at: Duration, pause: Duration| now < at.saturating_add(pause);
        match (reason, &past.last) {
            (Some(Refresh::NoKeys), Some((at, result))) if too_early(*at, BETWEEN_FIRST_DOWNLOADS) => {
                return result.clone();
            }
            (Some(Refresh::UnknownSerial(_)), _) => {
                if past.last_for_unknown_serial.is_some_and(|at| too_early(at, BETWEEN_UNKNOWN_SERIALS)) {
                    return Ok(());
                }
                past.last_for_unknown_serial = Some(now);
            }
            _ => {}
        }
        let result = self.download().await;
        past.last = Some((self.exchange.clock.elapsed(), result.clone()));
        if result.is_ok() {
            self.downloads.fetch_add(1, Ordering::Release);
        }
        result
    }

    async fn download(&self) -> Result<(), Error> {
        let held = self.keys.load_full();
        let download = Download {
            exchange: &self.exchange,
            hosts: &self.hosts,
            api_v3_key: &self.api_v3_key,
            backend: self.backend,
        };
        let downloaded = download.run(&held).await.map_err(DownloadError::into_error)?;
        self.keys.store(Arc::new(downloaded.keys));
        Ok(())
    }
}
