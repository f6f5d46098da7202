//! Keys from the daemon's HTTP endpoint, for machines that do not share its directory.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{HeaderMap, Method, StatusCode};

use super::follow::{EVERY, Following, Source};
use super::{KeyDirectoryError, Release};
use crate::clock::{Clock, SystemClock};
use crate::config;
use crate::encode::encode_into;
use crate::error::Error;
use crate::id::MerchantId;
use crate::keys::{KeySet, KeyStore, Refresh, Serial};
use crate::rsa::Backend;
use crate::transport::{HttpRequest, Transport};

/// How long the daemon is asked to wait for news.
const LONG_POLL: Duration = Duration::from_secs(25);
/// How long an answer may take beyond that.
const TIMEOUT: Duration = Duration::from_secs(10);
const LARGEST_ANSWER: usize = 1 << 20;

/// The platform keys of one merchant, from `/v1/keys` of `favor certs watch`.
///
/// It waits at the daemon for news and takes each release over whole. While the daemon is away, what is held stays in
/// use. An unknown serial makes the daemon fetch, at most once a minute.
///
/// Whoever answers at the address decides which signatures are believed: use loopback, https, or a unix socket. For a
/// daemon on one, give `http://localhost` and a transport that connects to it:
#[cfg_attr(all(unix, feature = "reqwest"), doc = "```no_run")]
#[cfg_attr(not(all(unix, feature = "reqwest")), doc = "```ignore")]
/// use favor_core::{HttpKeys, HttpTransport, MerchantId};
///
/// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
/// let socket = HttpTransport::builder().unix_socket("/run/favor/certs.sock").build()?;
/// let keys = HttpKeys::builder("http://localhost", MerchantId::new("1900000109")?, socket).open().await?;
/// # let _ = keys;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct HttpKeys(Following);

impl HttpKeys {
    /// Begins a reader of the daemon at `base_url`, such as `http://127.0.0.1:9180`.
    pub fn builder(
        base_url: impl Into<String>,
        merchant: MerchantId,
        transport: impl Transport + 'static,
    ) -> HttpKeysBuilder {
        HttpKeysBuilder {
            base_url: base_url.into(),
            merchant,
            transport: Arc::new(transport),
            every: EVERY,
            clock: Arc::new(SystemClock::new()),
            backend: Backend::default(),
        }
    }

    /// The release in use; none before the first one was read.
    pub fn release(&self) -> Option<Arc<Release>> {
        self.0.release()
    }
}

impl KeyStore for HttpKeys {
    fn keys(&self) -> Arc<KeySet> {
        self.0.keys()
    }

    fn refresh(&self, reason: Refresh) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(self.0.refresh(reason))
    }
}

/// Options of [`HttpKeys`].
#[derive(Debug)]
#[must_use]
pub struct HttpKeysBuilder {
    base_url: String,
    merchant: MerchantId,
    transport: Arc<dyn Transport>,
    every: Duration,
    clock: Arc<dyn Clock>,
    backend: Backend,
}

impl HttpKeysBuilder {
    /// The pause between two requests; three seconds unless set.
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

    /// A reader that holds keys.
    ///
    /// # Errors
    /// [`KeyDirectoryError`] when the address is malformed or plain http to another machine, or the daemon cannot be
    /// reached or has no keys for the merchant now.
    pub async fn open(self) -> Result<HttpKeys, KeyDirectoryError> {
        let daemon = Daemon::new(&self.base_url, self.transport, self.merchant, self.backend)?;
        let place = daemon.base_url.clone();
        let first = daemon.look(None, false).await?;
        let keys = HttpKeys(Following::new(Arc::new(daemon), self.clock, self.every));
        keys.0.adopt(first.ok_or(KeyDirectoryError::Missing { place })?)?;
        Ok(keys)
    }

    /// A reader that may begin without keys and takes them when the daemon has them. Calls made before fail.
    ///
    /// # Errors
    /// [`KeyDirectoryError`] when the address is malformed or plain http to another machine.
    pub fn open_empty(self) -> Result<HttpKeys, KeyDirectoryError> {
        let daemon = Daemon::new(&self.base_url, self.transport, self.merchant, self.backend)?;
        Ok(HttpKeys(Following::new(Arc::new(daemon), self.clock, self.every)))
    }
}

/// The daemon, as one merchant's reader sees it.
#[derive(Debug)]
pub(super) struct Daemon {
    base_url: String,
    transport: Arc<dyn Transport>,
    merchant: MerchantId,
    backend: Backend,
}

impl Daemon {
    pub(super) fn new(
        base_url: &str,
        transport: Arc<dyn Transport>,
        merchant: MerchantId,
        backend: Backend,
    ) -> Result<Self, KeyDirectoryError> {
        let base_url = config::check_url(base_url, false).map_err(|error| {
            KeyDirectoryError::damaged(base_url, format!("as the daemon's address: {error}"))
        })?;
        Ok(Self { base_url, transport, merchant, backend })
    }

    /// Asks for the merchant's release, with this added to the query.
    async fn get(&self, query: &str, timeout: Duration) -> Result<Option<Release>, KeyDirectoryError> {
        let unreadable = |why: String| KeyDirectoryError::Unreadable { place: self.base_url.clone(), why };
        let request = HttpRequest {
            method: Method::GET,
            base_url: self.base_url.clone(),
            path_and_query: format!("/v1/keys?mchid={}{query}", self.merchant.as_str()),
            headers: HeaderMap::new(),
            body: bytes::Bytes::new(),
            timeout,
        };
        let answer = async {
            let response = self.transport.send(request).await?;
            let body = response.body.collect(LARGEST_ANSWER).await?;
            Ok((response.status, body))
        };
        let answer = tokio::time::timeout(timeout, answer).await;
        let answer = answer.map_err(|_| unreadable("no complete answer came in time".to_owned()))?;
        let (status, body) = answer.map_err(|error: crate::TransportError| unreadable(error.to_string()))?;
        match status {
            StatusCode::OK => {
                Release::from_json(&body, &self.merchant, self.backend, &self.base_url).map(Some)
            }
            StatusCode::NOT_MODIFIED => Ok(None),
            StatusCode::NOT_FOUND => Err(KeyDirectoryError::Missing { place: self.base_url.clone() }),
            other => Err(unreadable(format!("the daemon answered {other}"))),
        }
    }

    /// Tells of a serial that nobody here knows; the daemon fetches before it answers.
    pub(super) async fn tell_unknown(&self, serial: &Serial) -> Result<(), KeyDirectoryError> {
        let mut query = "&serial=".to_owned();
        encode_into(&mut query, serial.as_str());
        self.get(&query, LONG_POLL).await.map(drop)
    }
}

impl Source for Daemon {
    fn look(
        &self,
        held: Option<Arc<Release>>,
        patient: bool,
    ) -> BoxFuture<'_, Result<Option<Release>, KeyDirectoryError>> {
        Box::pin(async move {
            let Some(held) = held else {
                return self.get("", TIMEOUT).await;
            };
            let (wait, timeout) =
                if patient { (LONG_POLL, LONG_POLL + TIMEOUT) } else { (Duration::ZERO, TIMEOUT) };
            let (manifest, wait) = (held.manifest(), wait.as_secs());
            let query =
                format!("&generation={}&content={}&wait={wait}", manifest.generation, manifest.content);
            self.get(&query, timeout).await
        })
    }

    fn ask(&self, unknown: Serial) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if let Err(error) = self.tell_unknown(&unknown).await {
                tracing::warn!(%error, "the daemon could not be asked for newer keys");
            }
        })
    }

    fn place(&self) -> String {
        self.base_url.clone()
    }
}
