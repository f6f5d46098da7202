//! Platform certificates, downloaded and kept fresh (spec §2.12).

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use futures_util::future::BoxFuture;
use serde::Deserialize;
use tokio::task::AbortHandle;

use crate::aead::{AeadError, ApiV3Key, Sealed};
use crate::api_error::{ApiError, Authenticity, request_id};
use crate::call::{Call, Operation, Verb};
use crate::certificate::Certificate;
use crate::error::Error;
use crate::exchange::{Answer, Exchange, Route};
use crate::keys::{KeySet, KeyStore, Refresh, Serial};
use crate::random;
use crate::rate::Rate;
use crate::rsa::Backend;
use crate::verify::SignatureHeaders;

static DOWNLOAD: Operation =
    Operation::new("certificates.download", Verb::Get, "/v3/certificates").limited_to(Rate::per_second(1000));

/// A refresh is due at least every 12 h; the jitter keeps a fleet from asking all at once.
const INTERVAL: (Duration, Duration) = (Duration::from_secs(10 * 3600), Duration::from_secs(12 * 3600));
/// After a failed refresh: first pause and longest pause.
const AFTER_FAILURE: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(3600));
/// Anybody can name an unknown serial, so that asks at most this often.
const BETWEEN_UNKNOWN_SERIALS: Duration = Duration::from_secs(60);
/// Without any key each call asks; they share one download, and a failure, for this long.
const BETWEEN_FIRST_DOWNLOADS: Duration = Duration::from_millis(200);
const TIMEOUT: Duration = Duration::from_secs(10);

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

#[derive(Deserialize)]
struct List {
    data: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    serial_no: String,
    encrypt_certificate: Sealed,
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
        let call = Call::to(&DOWNLOAD).finish()?;
        let mut result = Err(Error::config("there is no host to download from"));
        for (attempt, host) in (1..).zip(&self.hosts) {
            result = self.download_from(host, &call).await.map_err(|error| error.during(&DOWNLOAD, attempt));
            match &result {
                Err(error) if error.is_retryable() => {}
                _ => break,
            }
        }
        result
    }

    async fn download_from(&self, host: &str, call: &Call) -> Result<(), Error> {
        let held = self.keys.load_full();
        let now = self.exchange.clock.now();
        let announce = held.preferred(now).map(|(serial, _)| serial);
        let route = Route { base_url: host, announce, language: None, timeout: TIMEOUT, authorize: true };
        let answer = self.exchange.attempt(call, &route).await?;
        if answer.status.as_u16() == 404 {
            return no_certificates(&held);
        }
        if !answer.status.is_success() {
            return Err(refused(call, answer));
        }
        let keys = self.read(&held, &answer)?;
        let serials: Vec<_> = keys.certificates().map(|held| held.serial().as_str()).collect();
        tracing::info!(?serials, "platform certificates downloaded");
        drop(serials);
        self.keys.store(Arc::new(keys));
        Ok(())
    }

    /// Opens and checks every certificate, then verifies the answer with what it brought or with what is held.
    fn read(&self, held: &KeySet, answer: &Answer) -> Result<KeySet, Error> {
        let list: List = serde_json::from_slice(&answer.body)
            .map_err(|error| Error::decode("the certificate list", error))?;
        let now = self.exchange.clock.now();
        let mut keys = held.clone();
        keys.drop_expired(now);
        let (mut valid, mut invalid) = (0, Vec::new());
        for entry in &list.data {
            let certificate = self.open(entry)?;
            if certificate.valid_at(now) {
                keys.insert(Arc::new(certificate));
                valid += 1;
            } else {
                invalid.push(certificate);
            }
        }
        if valid == 0 {
            return Err(none_valid(&invalid, now));
        }
        SignatureHeaders::read(&answer.headers)
            .and_then(|signature| signature.verify(&answer.body, &keys, now))
            .map_err(|error| {
                Error::verification(error).with_answer(answer.body.clone(), request_id(&answer.headers))
            })?;
        Ok(keys)
    }

    fn open(&self, entry: &Entry) -> Result<Certificate, Error> {
        let pem = self.api_v3_key.open(&entry.encrypt_certificate).map_err(|error: AeadError| {
            Error::keys("a platform certificate cannot be decrypted").caused_by(error)
        })?;
        let certificate = Certificate::from_pem_with(&pem, self.backend).map_err(|error| {
            Error::keys("a downloaded platform certificate cannot be read").caused_by(error)
        })?;
        if *certificate.serial() != Serial::new(&*entry.serial_no) {
            let error = crate::key_file::KeyError::serial(&entry.serial_no, certificate.serial().as_str());
            return Err(
                Error::keys("a downloaded platform certificate is not the announced one").caused_by(error)
            );
        }
        Ok(certificate)
    }
}

/// A merchant made in public-key mode has no certificates: fine with a public key, else a matter of settings.
fn no_certificates(held: &KeySet) -> Result<(), Error> {
    if held.public_key_id().is_some() {
        return Ok(());
    }
    Err(Error::keys(
        "this merchant has no platform certificates (404): configure the WeChat Pay public key and its id from the merchant console",
    ))
}

fn refused(call: &Call, answer: Answer) -> Error {
    let Answer { status, headers, body, sent } = answer;
    let api = ApiError::read(call, status.as_u16(), &headers, &body, Authenticity::Unsigned);
    Error::from_api(api).with_answer(body, request_id(&headers)).with_sent(sent)
}

fn none_valid(certificates: &[Certificate], now: chrono::DateTime<chrono::Utc>) -> Error {
    let Some(first) = certificates.first() else {
        return Error::keys("the platform's list of certificates is empty");
    };
    let serial = first.serial();
    Error::keys(if now < first.not_before() {
        format!(
            "the platform certificate {serial} is not valid before {}; check the clock of this machine",
            first.not_before()
        )
    } else {
        format!(
            "the platform certificate {serial} expired at {}; check the clock of this machine",
            first.not_after()
        )
    })
}
