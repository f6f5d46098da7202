//! The default transport: reqwest with rustls.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use futures_util::future::BoxFuture;
use futures_util::stream::StreamExt;
use http::HeaderValue;
use http::header::CONTENT_LENGTH;
use url::{Position, Url};

use crate::error::Error;
use crate::transport::{
    HttpRequest, HttpResponse, ResponseBody, Transport, TransportError, TransportFailure,
};

/// Production closes an idle connection after about 8 s (spec §2.1); ours is given up before that.
const IDLE: Duration = Duration::from_secs(6);

/// HTTP over reqwest: pooled keep-alive connections, HTTP/2 where the server offers it, rustls, no redirects, no
/// repeats, and no proxy unless one is set.
#[derive(Clone)]
pub struct HttpTransport {
    client: reqwest::Client,
    /// The base URL of the last request, parsed: mostly that of the next one too.
    base: Arc<ArcSwapOption<Url>>,
}

impl HttpTransport {
    /// A transport with the defaults.
    ///
    /// # Errors
    /// [`Error`] of kind `Config` when TLS cannot be set up.
    pub fn new() -> Result<Self, Error> {
        Self::builder().build()
    }

    /// A transport with options.
    pub fn builder() -> HttpTransportBuilder {
        HttpTransportBuilder {
            connect_timeout: Duration::from_secs(5),
            proxy: None,
            roots: Vec::new(),
            #[cfg(unix)]
            unix_socket: None,
        }
    }

    async fn carry(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let url = self.url(&request.base_url, &request.path_and_query)?;
        let says_nothing = request.body.is_empty() && request.method != http::Method::GET;
        let mut outgoing = reqwest::Request::new(request.method, url);
        *outgoing.headers_mut() = request.headers;
        *outgoing.timeout_mut() = Some(request.timeout);
        if says_nothing {
            // Gateways may ask for the length of every body, and the HTTP library leaves that of an empty one out.
            outgoing.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        } else if !request.body.is_empty() {
            *outgoing.body_mut() = Some(request.body.into());
        }
        let mut response = self.client.execute(outgoing).await.map_err(classify)?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let body = response.bytes_stream().map(|chunk| chunk.map_err(classify));
        Ok(HttpResponse::new(status, headers, ResponseBody::from_stream(body)))
    }

    /// The URL whose text is exactly the two parts: the signature covers the bytes, and the URL library would
    /// write some in another way.
    fn url(&self, base_url: &str, path_and_query: &str) -> Result<Url, TransportError> {
        let unsendable = || TransportError::new(TransportFailure::Unsendable);
        let changed = || unsendable().caused_by("the URL is not in its normal form");
        let held = self.base.load();
        let mut url = match held.as_deref().filter(|held| held[..Position::BeforePath] == *base_url) {
            Some(held) => held.clone(),
            None => {
                let url = Url::parse(base_url).map_err(|error| unsendable().caused_by(error))?;
                if url[..Position::BeforePath] != *base_url {
                    return Err(changed());
                }
                self.base.store(Some(Arc::new(url.clone())));
                url
            }
        };
        let (path, query) = match path_and_query.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path_and_query, None),
        };
        url.set_path(path);
        url.set_query(query);
        if url[Position::BeforePath..] != *path_and_query {
            return Err(changed());
        }
        Ok(url)
    }
}

impl Transport for HttpTransport {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        Box::pin(self.carry(request))
    }
}

impl fmt::Debug for HttpTransport {
    /// Without the client inside: it prints its proxy, whose URL can hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpTransport").finish_non_exhaustive()
    }
}

/// Options of an [`HttpTransport`]. Debug does not show the proxy's URL, which can hold a password.
#[must_use]
pub struct HttpTransportBuilder {
    connect_timeout: Duration,
    proxy: Option<String>,
    roots: Vec<Vec<u8>>,
    #[cfg(unix)]
    unix_socket: Option<std::path::PathBuf>,
}

impl fmt::Debug for HttpTransportBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpTransportBuilder")
            .field("connect_timeout", &self.connect_timeout)
            .field("proxy", &self.proxy.is_some())
            .field("roots", &self.roots.len())
            .finish()
    }
}

impl HttpTransportBuilder {
    /// How long a connection may take to be made; 5 s unless set. A failure in this time is surely not sent.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Goes through an HTTP or HTTPS proxy. The environment's proxy variables are not read.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Some(url.into());
        self
    }

    /// Trusts a further root certificate (PEM), such as the mirror's.
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots.push(pem.into());
        self
    }

    /// Connects to this unix socket, whatever host a request names: for a server of the same machine, such as a key
    /// daemon that listens on one. A proxy is not gone through then.
    #[cfg(unix)]
    pub fn unix_socket(mut self, path: impl Into<std::path::PathBuf>) -> Self {
        self.unix_socket = Some(path.into());
        self
    }

    /// The transport.
    ///
    /// # Errors
    /// [`Error`] of kind `Config` when the proxy URL or a root certificate is malformed, or TLS cannot be set up.
    pub fn build(self) -> Result<HttpTransport, Error> {
        // Without this check the HTTP library would panic.
        #[cfg(all(feature = "reqwest-no-provider", not(feature = "reqwest")))]
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            return Err(Error::config(
                "this build has no TLS provider of its own: install a rustls provider first",
            ));
        }
        let config = |what: &str, error: reqwest::Error| Error::config(what).caused_by(error.without_url());
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .tcp_nodelay(true)
            .connect_timeout(self.connect_timeout)
            .pool_idle_timeout(IDLE);
        if let Some(proxy) = self.proxy {
            let proxy =
                reqwest::Proxy::all(proxy).map_err(|error| config("the proxy URL is malformed", error))?;
            builder = builder.proxy(proxy);
        }
        #[cfg(unix)]
        if let Some(path) = self.unix_socket {
            builder = builder.unix_socket(path);
        }
        #[cfg(any(feature = "reqwest", feature = "reqwest-no-provider"))]
        for pem in self.roots {
            let roots = reqwest::Certificate::from_pem_bundle(&pem)
                .map_err(|error| config("a root certificate is malformed", error))?;
            if roots.is_empty() {
                return Err(Error::config("a root certificate is malformed: it is no PEM certificate"));
            }
            builder = roots.into_iter().fold(builder, reqwest::ClientBuilder::add_root_certificate);
        }
        #[cfg(not(any(feature = "reqwest", feature = "reqwest-no-provider")))]
        if !self.roots.is_empty() {
            return Err(Error::config("this build has no TLS, so a root certificate is of no use"));
        }
        let client = builder.build().map_err(|error| config("the HTTP client cannot be set up", error))?;
        Ok(HttpTransport { client, base: Arc::default() })
    }
}

fn classify(error: reqwest::Error) -> TransportError {
    let failure = if error.is_connect() {
        TransportFailure::Connect
    } else if error.is_builder() {
        TransportFailure::Unsendable
    } else if error.is_timeout() {
        TransportFailure::Timeout
    } else {
        TransportFailure::Interrupted
    };
    // The URL can hold an openid.
    TransportError::new(failure).caused_by(error.without_url())
}
