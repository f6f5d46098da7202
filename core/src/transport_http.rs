//! The default transport: reqwest with rustls.

use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::StreamExt;

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
        HttpTransportBuilder { connect_timeout: Duration::from_secs(5), proxy: None, roots: Vec::new() }
    }

    async fn carry(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let text = format!("{}{}", request.base_url, request.path_and_query);
        let unsendable = || TransportError::new(TransportFailure::Unsendable);
        let url = reqwest::Url::parse(&text).map_err(|error| unsendable().caused_by(error))?;
        if url.as_str() != text {
            // The URL library would write it in another way, and the signature covers the bytes.
            return Err(unsendable().caused_by("the URL is not in its normal form"));
        }
        let mut outgoing = reqwest::Request::new(request.method, url);
        *outgoing.headers_mut() = request.headers;
        *outgoing.timeout_mut() = Some(request.timeout);
        if !request.body.is_empty() {
            *outgoing.body_mut() = Some(request.body.into());
        }
        let response = self.client.execute(outgoing).await.map_err(classify)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes_stream().map(|chunk| chunk.map_err(classify));
        Ok(HttpResponse::new(status, headers, ResponseBody::from_stream(body)))
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

    /// The transport.
    ///
    /// # Errors
    /// [`Error`] of kind `Config` when the proxy URL or a root certificate is malformed, or TLS cannot be set up.
    pub fn build(self) -> Result<HttpTransport, Error> {
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
        #[cfg(any(feature = "reqwest", feature = "reqwest-no-provider"))]
        for pem in self.roots {
            let root = reqwest::Certificate::from_pem(&pem)
                .map_err(|error| config("a root certificate is malformed", error))?;
            builder = builder.add_root_certificate(root);
        }
        #[cfg(not(any(feature = "reqwest", feature = "reqwest-no-provider")))]
        if !self.roots.is_empty() {
            return Err(Error::config("this build has no TLS, so a root certificate is of no use"));
        }
        let client = builder.build().map_err(|error| config("the HTTP client cannot be set up", error))?;
        Ok(HttpTransport { client })
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
