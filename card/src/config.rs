//! Building a client.

use std::sync::Arc;
use std::time::Duration;

use favor_core::{__private::check_url, AppId, Clock, SystemClock, Transport};
use http::HeaderValue;

use crate::access::{Access, TokenKind};
use crate::client::{Client, Shared};
use crate::error::Error;
use crate::secret::AppSecret;
use crate::token_store::{MemoryTokens, TokenStore};

/// Production.
pub const MAIN_URL: &str = "https://api.weixin.qq.com";
/// Where pictures of QR codes come from in production.
pub const PICTURE_URL: &str = "https://mp.weixin.qq.com";

/// Options of a [`Client`].
#[derive(Debug)]
#[must_use]
pub struct ClientBuilder {
    app_id: AppId,
    secret: AppSecret,
    base_url: Option<String>,
    picture_url: Option<String>,
    plain_http: bool,
    transport: Option<Arc<dyn Transport>>,
    clock: Option<Arc<dyn Clock>>,
    tokens: Option<Arc<dyn TokenStore>>,
    kind: TokenKind,
    timeout: Duration,
    largest_answer: usize,
    user_agent: Option<String>,
}

impl ClientBuilder {
    pub(crate) fn new(app_id: AppId, secret: AppSecret) -> Self {
        Self {
            app_id,
            secret,
            base_url: None,
            picture_url: None,
            plain_http: false,
            transport: None,
            clock: None,
            tokens: None,
            kind: TokenKind::Stable,
            timeout: Duration::from_secs(10),
            largest_answer: 4 << 20,
            user_agent: None,
        }
    }

    /// Calls this host instead of production, such as a mirror or `https://api2.weixin.qq.com`: scheme, host and port.
    /// Pictures of QR codes come from it too, unless [`picture_url`](Self::picture_url) says otherwise or it is one of
    /// WeChat's.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// Downloads pictures of QR codes from this host instead of [`PICTURE_URL`].
    pub fn picture_url(mut self, url: impl Into<String>) -> Self {
        self.picture_url = Some(url.into());
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
        self.clock = Some(clock);
        self
    }

    /// Keeps token and tickets in this store, for whoever else calls for the account. In this process alone unless set.
    /// In an [`Arc`] a store serves several clients.
    pub fn tokens(mut self, store: impl TokenStore + 'static) -> Self {
        self.tokens = Some(Arc::new(store));
        self
    }

    /// Which access token to use; the stable one unless set.
    pub fn token_kind(mut self, kind: TokenKind) -> Self {
        self.kind = kind;
        self
    }

    /// How long one request may take; 10 s unless set, at most 30 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.min(Duration::from_secs(30));
        self
    }

    /// The largest answer taken into memory; 4 MiB unless set.
    pub fn largest_answer(mut self, bytes: usize) -> Self {
        self.largest_answer = bytes;
        self
    }

    /// Names the program in the `User-Agent` header: `shop/2.1`. This library's name follows.
    pub fn user_agent(mut self, program: impl Into<String>) -> Self {
        self.user_agent = Some(program.into());
        self
    }

    /// The client.
    ///
    /// # Errors
    /// [`Error`] of kind `Config`: a malformed URL or header value, plain http to another machine, or no transport in
    /// this build.
    pub fn build(self) -> Result<Client, Error> {
        let base_url = check_url(self.base_url.as_deref().unwrap_or(MAIN_URL), self.plain_http)?;
        let picture_url = match &self.picture_url {
            Some(url) => check_url(url, self.plain_http)?,
            None if base_url.ends_with(".weixin.qq.com") => PICTURE_URL.to_owned(),
            None => base_url.clone(),
        };
        let library = concat!("favor/", env!("CARGO_PKG_VERSION"));
        let user_agent = match &self.user_agent {
            Some(program) => format!("{program} {library}"),
            None => library.to_owned(),
        };
        let user_agent = HeaderValue::from_str(&user_agent)
            .map_err(|_| Error::config("the user agent cannot be a header value"))?;
        let transport = match self.transport {
            Some(transport) => transport,
            None => default_transport()?,
        };
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock::new()));
        let tokens = self.tokens.unwrap_or_else(|| Arc::new(MemoryTokens::with_clock(clock.clone())));
        let access = Access::new(self.kind, &self.app_id, &tokens, &clock);
        Ok(Client(Arc::new(Shared {
            app_id: self.app_id,
            secret: self.secret,
            base_url,
            picture_url,
            transport,
            clock,
            timeout: self.timeout,
            largest_answer: self.largest_answer,
            user_agent,
            access,
        })))
    }
}

#[cfg(feature = "reqwest")]
fn default_transport() -> Result<Arc<dyn Transport>, Error> {
    Ok(Arc::new(favor_core::HttpTransport::new()?))
}

#[cfg(not(feature = "reqwest"))]
fn default_transport() -> Result<Arc<dyn Transport>, Error> {
    Err(Error::config("this build has no transport: enable the feature `reqwest`, or set a transport"))
}
