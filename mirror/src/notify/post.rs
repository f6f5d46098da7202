//! One notification on the wire, and what the receiver made of it.

use std::error::Error as _;
use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use tokio::time::{Instant, timeout_at};

use crate::outgoing::Outgoing;

/// How much of an answer is kept.
const KEPT: usize = 1_024;
/// How much of an answer is read, so that the connection can be used again.
const READ: usize = 64 * 1_024;
/// Idle connections are given up before a receiver does.
const IDLE: Duration = Duration::from_secs(4);

/// What a receiver answered.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    /// The beginning of the body.
    pub(super) answer: String,
}

/// The HTTP clients, made when they are first needed: most mirrors never notify anybody.
#[derive(Debug, Default)]
pub(super) struct Clients {
    /// Trusted beside the system's.
    roots: Vec<reqwest::Certificate>,
    /// Without TLS, so that no roots are looked for.
    plain: OnceLock<Result<reqwest::Client, String>>,
    secure: OnceLock<Result<reqwest::Client, String>>,
}

/// Reads root certificates in PEM.
pub(super) fn roots(pem: &str) -> Result<Vec<reqwest::Certificate>, String> {
    let roots = reqwest::Certificate::from_pem_bundle(pem.as_bytes()).map_err(words)?;
    if roots.is_empty() { Err("there is no certificate in it".to_owned()) } else { Ok(roots) }
}

impl Clients {
    pub(super) fn trusting(roots: Vec<reqwest::Certificate>) -> Self {
        Self { roots, ..Self::default() }
    }

    pub(super) fn client(&self, is_secure: bool) -> Result<&reqwest::Client, String> {
        let client = if is_secure {
            let base =
                || self.roots.iter().cloned().fold(base(), reqwest::ClientBuilder::add_root_certificate);
            self.secure.get_or_init(|| build(base()))
        } else {
            self.plain.get_or_init(|| build(base().tls_certs_only([])))
        };
        client.as_ref().map_err(Clone::clone)
    }

    /// Delivers; an error is told in words. Takes `timeout` at most.
    pub(super) async fn post(
        &self,
        url: &str,
        outgoing: Outgoing,
        timeout: Duration,
    ) -> Result<Reply, String> {
        super::address::check(url)?;
        let client = self.client(url.starts_with("https:"))?;
        let until = Instant::now() + timeout;
        let late = || format!("no answer within {} ms", timeout.as_millis());
        let request = client.post(url).headers(headers(&outgoing)).body(outgoing.body).send();
        let response = timeout_at(until, request).await.map_err(|_| late())?.map_err(words)?;
        let status = response.status().as_u16();
        // The status decides; the body is for people, and need not come.
        let answer = timeout_at(until, beginning(response)).await.unwrap_or_default();
        Ok(Reply { status, answer })
    }
}

fn base() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .http1_only()
        .http1_title_case_headers()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .tcp_nodelay(true)
        .pool_max_idle_per_host(super::CONCURRENT)
        .pool_idle_timeout(IDLE)
}

fn build(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, String> {
    builder.build().map_err(words)
}

fn headers(outgoing: &Outgoing) -> HeaderMap {
    let mut headers = outgoing.headers.clone();
    headers.remove(CONTENT_LENGTH);
    headers
}

async fn beginning(mut response: reqwest::Response) -> String {
    let mut kept = Vec::new();
    let mut read = 0;
    while let Ok(Some(piece)) = response.chunk().await {
        let piece: Bytes = piece;
        let room = KEPT.saturating_sub(kept.len()).min(piece.len());
        kept.extend_from_slice(&piece[..room]);
        read += piece.len();
        if read > READ {
            break;
        }
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// The innermost reason, which says most.
pub(crate) fn words(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut reason = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        reason = inner.to_string();
        source = inner.source();
    }
    if error.is_connect() { format!("cannot connect: {reason}") } else { reason }
}
