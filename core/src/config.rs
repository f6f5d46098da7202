//! Putting a client together.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Uri};

use crate::aead::ApiV3Key;
use crate::client::{CallOptions, Client, Shared};
use crate::clock::{Clock, SystemClock};
use crate::error::Error;
use crate::exchange::Exchange;
use crate::key_file::KeyError;
use crate::key_refresh::DownloadedKeys;
use crate::keys::{FixedKeys, KeySet, KeyStore};
use crate::observe::{Attempt, Observer};
use crate::rate::{Limiter, Rate};
use crate::retry::RetryPolicy;
use crate::rsa::{Backend, PublicKey};
use crate::sign::Signer;
use crate::transport::Transport;

/// The main host of WeChat Pay.
pub const MAIN_URL: &str = "https://api.mch.weixin.qq.com";
/// The documented backup host.
pub const BACKUP_URL: &str = "https://api2.mch.weixin.qq.com";

/// Where the platform's keys come from.
#[derive(Debug)]
pub struct PlatformKeys {
    source: Source,
}

enum Source {
    Fixed(KeySet),
    Download { api_v3_key: ApiV3Key, keys: KeySet, backend: Backend },
    Store(Arc<dyn KeyStore>),
}

impl PlatformKeys {
    /// The WeChat Pay public key and its id, from the merchant console (public-key mode).
    ///
    /// # Errors
    /// [`KeyError`] when the id does not begin with `PUB_KEY_ID_`.
    pub fn public_key(id: impl AsRef<str>, key: PublicKey) -> Result<Self, KeyError> {
        Ok(Self::fixed(KeySet::new().with_public_key(id, key)?))
    }

    /// Platform certificates, downloaded at the first call and refreshed from then on (certificate mode).
    pub fn download(api_v3_key: ApiV3Key) -> Self {
        Self { source: Source::Download { api_v3_key, keys: KeySet::new(), backend: Backend::default() } }
    }

    /// Both: downloaded certificates and the public key, while a merchant switches from one to the other.
    ///
    /// # Errors
    /// [`KeyError`] when the id does not begin with `PUB_KEY_ID_`.
    pub fn download_and_public_key(
        api_v3_key: ApiV3Key,
        id: impl AsRef<str>,
        key: PublicKey,
    ) -> Result<Self, KeyError> {
        let keys = KeySet::new().with_public_key(id, key)?;
        Ok(Self { source: Source::Download { api_v3_key, keys, backend: Backend::default() } })
    }

    /// A set of keys that never changes by itself.
    pub fn fixed(keys: KeySet) -> Self {
        Self { source: Source::Fixed(keys) }
    }

    /// A store of your own.
    pub fn store(store: impl KeyStore + 'static) -> Self {
        Self { source: Source::Store(Arc::new(store)) }
    }

    /// Reads downloaded certificates for another RSA backend than the default.
    pub fn with_backend(mut self, chosen: Backend) -> Self {
        if let Source::Download { backend, .. } = &mut self.source {
            *backend = chosen;
        }
        self
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Fixed(keys) => f.debug_tuple("Fixed").field(keys).finish(),
            Source::Download { keys, .. } => f.debug_tuple("Download").field(keys).finish(),
            Source::Store(store) => f.debug_tuple("Store").field(store).finish(),
        }
    }
}

/// Puts a [`Client`] together. Everything but signer and keys has a default.
#[derive(Debug)]
#[must_use]
pub struct ClientBuilder {
    signer: Arc<dyn Signer>,
    keys: PlatformKeys,
    base_url: Option<String>,
    backup_url: Option<String>,
    plain_http: bool,
    transport: Option<Arc<dyn Transport>>,
    clock: Arc<dyn Clock>,
    user_agent: Option<String>,
    language: Option<String>,
    options: CallOptions,
    rates: HashMap<&'static str, Rate>,
    documented_percent: Option<u32>,
    largest_answer: usize,
    observer: Option<Observer>,
}

impl ClientBuilder {
    pub(crate) fn new(signer: Arc<dyn Signer>, keys: PlatformKeys) -> Self {
        Self {
            signer,
            keys,
            base_url: None,
            backup_url: None,
            plain_http: false,
            transport: None,
            clock: Arc::new(SystemClock::new()),
            user_agent: None,
            language: None,
            options: CallOptions::default(),
            rates: HashMap::new(),
            documented_percent: None,
            largest_answer: 4 << 20,
            observer: None,
        }
    }

    /// Calls this host instead of production, such as a mirror: scheme, host and port. There is then no backup
    /// host unless one is set too.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// The host to repeat on after a connection failure or a timeout, where a repeat is safe (spec §2.19).
    pub fn backup_url(mut self, url: impl Into<String>) -> Self {
        self.backup_url = Some(url.into());
        self
    }

    /// Allows plain `http` to hosts other than this machine: a mirror on another one. Never for production.
    pub fn dangerous_plain_http(mut self) -> Self {
        self.plain_http = true;
        self
    }

    /// Uses this transport instead of the default one.
    pub fn transport(mut self, transport: impl Transport + 'static) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Takes the time from this clock.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Names the program in the `User-Agent` header: `shop/2.1`. This library's name follows.
    pub fn user_agent(mut self, program: impl Into<String>) -> Self {
        self.user_agent = Some(program.into());
        self
    }

    /// Asks for error messages in `en`, `zh-CN` (the platform's default), `zh-HK` or `zh-TW`.
    pub fn language(mut self, language: impl Into<String>) -> Self {
        self.language = Some(language.into());
        self
    }

    /// How long one attempt may take; 10 s unless set.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.options.attempt_timeout = timeout;
        self
    }

    /// How long a call may take in all; 30 s unless set.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.options.deadline = deadline;
        self
    }

    /// How often calls are repeated; three attempts unless set.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.options.retry = retry;
        self
    }

    /// Paces one operation, by its name. Calls wait for their turn as long as their deadline allows.
    pub fn rate(mut self, operation: &'static str, rate: Rate) -> Self {
        self.rates.insert(operation, rate);
        self
    }

    /// Paces every operation at `percent` of its documented rate, where it has one.
    pub fn documented_rates(mut self, percent: u32) -> Self {
        self.documented_percent = Some(percent);
        self
    }

    /// The largest answer taken into memory; 4 MiB unless set.
    pub fn largest_answer(mut self, bytes: usize) -> Self {
        self.largest_answer = bytes;
        self
    }

    /// Tells `observe` of each attempt, for metrics. It runs inline, so it must be quick.
    pub fn observe(mut self, observe: impl Fn(&Attempt<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Some(Observer::new(observe));
        self
    }

    /// The client.
    ///
    /// # Errors
    /// [`Error`] of kind `Config`: a malformed URL or header value, plain http to another machine, no transport
    /// in this build, or the merchant's own key given as the platform's.
    pub fn build(mut self) -> Result<Client, Error> {
        let hosts = self.hosts()?;
        let header = |text: &str, what: &str| {
            HeaderValue::from_str(text)
                .map_err(|_| Error::config(format!("the {what} cannot be a header value")))
        };
        let library = concat!("favor/", env!("CARGO_PKG_VERSION"));
        let user_agent = match &self.user_agent {
            Some(program) => format!("{program} {library} ({})", std::env::consts::OS),
            None => format!("{library} ({})", std::env::consts::OS),
        };
        let user_agent = header(&user_agent, "user agent")?;
        self.options.language = self.language.as_deref().map(|text| header(text, "language")).transpose()?;
        let exchange = Arc::new(Exchange {
            transport: match self.transport.take() {
                Some(transport) => transport,
                None => default_transport(&hosts)?,
            },
            signer: self.signer,
            clock: self.clock,
            user_agent,
            largest_answer: self.largest_answer,
        });
        let keys: Arc<dyn KeyStore> = match self.keys.source {
            Source::Fixed(keys) => Arc::new(FixedKeys::new(keys)),
            Source::Store(store) => store,
            Source::Download { api_v3_key, keys, backend } => {
                Arc::new(DownloadedKeys::new(exchange.clone(), hosts.clone(), api_v3_key, backend, keys))
            }
        };
        if exchange.signer.public_key().is_some_and(|own| keys.keys().contains_key(own)) {
            let error =
                KeyError::swapped("the merchant's own key or certificate was given as the platform's");
            return Err(error.into());
        }
        let limiter = Limiter::new(self.rates, self.documented_percent);
        let shared = Shared { exchange, keys, hosts, limiter, observer: self.observer };
        Ok(Client::from_parts(shared, self.options))
    }

    fn hosts(&self) -> Result<Vec<String>, Error> {
        let given = match (&self.base_url, &self.backup_url) {
            (None, None) => vec![MAIN_URL, BACKUP_URL],
            (base, backup) => {
                base.as_deref().or(Some(MAIN_URL)).into_iter().chain(backup.as_deref()).collect()
            }
        };
        given.into_iter().map(|url| check_url(url, self.plain_http)).collect()
    }
}

/// The normal form of a base URL.
///
/// # Errors
/// [`Error`] of kind `Config` when it is malformed, or plain http to another machine.
pub fn check_url(url: &str, plain_http: bool) -> Result<String, Error> {
    let wrong = |what: &str| Error::config(format!("the base URL {what}; it should look like {MAIN_URL}"));
    let uri: Uri = url.trim().trim_end_matches('/').parse().map_err(|_| wrong("is malformed"))?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(wrong("needs a scheme and a host"));
    };
    if uri.path() != "/" || uri.query().is_some() || authority.as_str().contains('@') {
        return Err(wrong("must have no path, query or user name"));
    }
    match scheme {
        "https" => {}
        "http" if plain_http || is_loopback(authority.host()) => {}
        "http" => {
            return Err(wrong("is plain http to another machine, which would show the coupons to everybody"));
        }
        _ => return Err(wrong("must be https")),
    }
    // The normal form, since the transport refuses to send any other: no port where it is the scheme's own.
    let host = authority.host();
    let port = match authority.as_str().strip_prefix(host).unwrap_or_default().trim_start_matches(':') {
        "" => None,
        digits => Some(digits.parse::<u16>().map_err(|_| wrong("is malformed"))?),
    };
    let usual = if scheme == "https" { 443 } else { 80 };
    let port = port.filter(|port| *port != usual).map(|port| format!(":{port}")).unwrap_or_default();
    Ok(format!("{scheme}://{}{port}", host.to_ascii_lowercase()))
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(feature = "http-transport")]
fn default_transport(hosts: &[String]) -> Result<Arc<dyn Transport>, Error> {
    let tls = cfg!(any(feature = "reqwest", feature = "reqwest-no-provider"));
    if !tls && hosts.iter().any(|host| host.starts_with("https")) {
        return Err(Error::config("this build has no TLS: enable the feature `reqwest`, or set a transport"));
    }
    Ok(Arc::new(crate::transport_http::HttpTransport::new()?))
}

#[cfg(not(feature = "http-transport"))]
fn default_transport(_hosts: &[String]) -> Result<Arc<dyn Transport>, Error> {
    Err(Error::config("this build has no transport: enable the feature `reqwest`, or set a transport"))
}
