//! The client: runs a call through its steps, in this order, and says honestly how it ended.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::de::DeserializeOwned;
use tracing::Instrument as _;

use crate::api_error::{ApiError, Authenticity, request_id};
use crate::call::{Call, ReplySignature};
use crate::clock::Clock;
use crate::config::{ClientBuilder, PlatformKeys};
use crate::error::{Error, ErrorKind, Outcome};
use crate::exchange::{Answer, Exchange, Route};
use crate::id::MerchantId;
use crate::keys::{KeySet, KeyStore, Refresh, Serial};
use crate::observe::{Attempt, Observer};
use crate::rate::Limiter;
use crate::reply::Reply;
use crate::retry::RetryPolicy;
use crate::sign::Signer;
use crate::time::Timestamp;
use crate::verify::{SignatureHeaders, VerifyError};

/// A client of WeChat Pay API v3 for one merchant. Cheap to clone; clones share connections, keys and limits.
///
/// Dropping a call's future before it completes leaves its outcome unknown, like a lost answer.
#[derive(Clone)]
pub struct Client {
    pub(crate) shared: Arc<Shared>,
    options: CallOptions,
}

pub(crate) struct Shared {
    pub(crate) exchange: Arc<Exchange>,
    pub(crate) keys: Arc<dyn KeyStore>,
    pub(crate) hosts: Vec<String>,
    pub(crate) limiter: Limiter,
    pub(crate) observer: Option<Observer>,
}

/// How calls are made; see [`Client::with`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CallOptions {
    /// How often a call is repeated.
    pub retry: RetryPolicy,
    /// How long one attempt may take; 10 s by default.
    pub attempt_timeout: Duration,
    /// How long a call may take in all, its pauses and repeats included; 30 s by default.
    pub deadline: Duration,
    /// The language of error messages: `en`, `zh-CN` (the platform's default), `zh-HK` or `zh-TW`.
    pub language: Option<HeaderValue>,
    /// Whether calls keep the client's rates, where it has any; yes by default.
    pub paced: bool,
}

impl Default for CallOptions {
    fn default() -> Self {
        Self {
            retry: RetryPolicy::DEFAULT,
            attempt_timeout: Duration::from_secs(10),
            deadline: Duration::from_secs(30),
            language: None,
            paced: true,
        }
    }
}

/// A 2xx answer whose signature holds, where the operation demands one.
#[derive(Clone)]
#[non_exhaustive]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// All headers.
    pub headers: HeaderMap,
    /// The body, as received.
    pub body: Bytes,
    /// The platform's id of the call.
    pub request_id: Option<String>,
    /// The key that signed it; none for an answer that may be unsigned and is.
    pub signed_by: Option<Serial>,
}

impl Response {
    pub(crate) fn of_error(error: &Error) -> Option<Self> {
        Some(Self {
            status: StatusCode::from_u16(error.api()?.status()).ok()?,
            headers: HeaderMap::new(),
            body: error.body().cloned().unwrap_or_default(),
            request_id: error.request_id().map(str::to_owned),
            signed_by: None,
        })
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("request_id", &self.request_id)
            .field("signed_by", &self.signed_by)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Begins a client that signs with `signer` and verifies with `keys`.
    pub fn builder(signer: impl Signer + 'static, keys: PlatformKeys) -> ClientBuilder {
        ClientBuilder::new(Arc::new(signer), keys)
    }

    pub(crate) fn from_parts(shared: Shared, options: CallOptions) -> Self {
        Self { shared: Arc::new(shared), options }
    }

    /// The same client with other options for its calls.
    pub fn with(&self, options: CallOptions) -> Self {
        Self { shared: self.shared.clone(), options }
    }

    /// The options calls are made with.
    pub fn options(&self) -> &CallOptions {
        &self.options
    }

    /// The merchant that calls.
    pub fn merchant_id(&self) -> &MerchantId {
        self.shared.exchange.signer.merchant_id()
    }

    /// The platform keys held now, for sealing fields and verifying notifications.
    pub fn keys(&self) -> Arc<KeySet> {
        self.shared.keys.keys()
    }

    /// Where the platform keys come from, so that a receiver of notifications can share them.
    pub fn key_store(&self) -> Arc<dyn KeyStore> {
        self.shared.keys.clone()
    }

    /// The clock everything goes by.
    pub fn clock(&self) -> Arc<dyn Clock> {
        self.shared.exchange.clock.clone()
    }

    /// The time by the client's clock.
    pub fn now(&self) -> Timestamp {
        crate::time::beijing(&self.shared.exchange.clock.now())
    }

    /// Makes `call` and decodes its answer.
    ///
    /// # Errors
    /// As [`execute`](Self::execute), and kind `Decode` with outcome `Unknown` when the answer is authentic but
    /// of an unexpected form; [`Error::body`] then holds it.
    pub async fn fetch<T: DeserializeOwned>(&self, call: &Call) -> Result<Reply<T>, Error> {
        let (response, attempts) = self.run(call).await?;
        Reply::decode(response).map_err(|error| error.during(call.operation(), attempts))
    }

    /// Makes `call`: paces it, signs and sends each attempt, verifies the answer, and repeats where that is safe.
    ///
    /// # Errors
    /// [`Error`]: its [`outcome`](Error::outcome) says whether anything can have happened. Once one attempt ended
    /// in doubt, the call's outcome is `Unknown` unless a later attempt succeeds.
    pub async fn execute(&self, call: &Call) -> Result<Response, Error> {
        self.run(call).await.map(|(response, _)| response)
    }

    /// The answer, and how many attempts it took.
    async fn run(&self, call: &Call) -> Result<(Response, u32), Error> {
        let operation = call.operation();
        let span = tracing::info_span!(
            "favor.call",
            op = operation.name,
            path = operation.path,
            attempts = tracing::field::Empty,
            outcome = tracing::field::Empty,
            request_id = tracing::field::Empty,
        );
        let result = self.repeat(call).instrument(span.clone()).await;
        match &result {
            Ok((response, attempts)) => {
                span.record("attempts", attempts);
                span.record("outcome", "done");
                span.record("request_id", response.request_id.as_deref());
            }
            Err(error) => {
                span.record("attempts", error.attempts());
                span.record("outcome", tracing::field::display(error.outcome()));
                span.record("request_id", error.request_id());
            }
        }
        result
    }

    async fn repeat(&self, call: &Call) -> Result<(Response, u32), Error> {
        let operation = call.operation();
        let clock = &self.shared.exchange.clock;
        let deadline = clock.elapsed().saturating_add(self.options.deadline);
        let mut doubtful = false;
        let mut host = 0;
        let mut attempt = 1;
        loop {
            let error = match self.one_attempt(call, &self.shared.hosts[host], attempt, deadline).await {
                Ok(response) => return Ok((response, attempt)),
                Err(error) => error,
            };
            doubtful |= error.outcome() == Outcome::Unknown;
            let pause = self.options.retry.pause(operation.idempotent, &error, attempt);
            let left = deadline.saturating_sub(clock.elapsed());
            let Some(pause) = pause.filter(|pause| *pause < left) else {
                let outcome = if doubtful { Outcome::Unknown } else { error.outcome() };
                return Err(error.with_outcome(outcome).during(operation, attempt));
            };
            tracing::debug!(attempt, ?pause, kind = ?error.kind(), "attempt failed, will repeat");
            if matches!(error.kind(), ErrorKind::Connect | ErrorKind::Timeout) {
                host = (host + 1) % self.shared.hosts.len();
            }
            clock.sleep(pause).await;
            attempt += 1;
        }
    }

    async fn one_attempt(
        &self,
        call: &Call,
        host: &str,
        attempt: u32,
        deadline: Duration,
    ) -> Result<Response, Error> {
        self.wait_for_turn(call, deadline).await?;
        let keys = self.keys_or_download(deadline).await?;
        let clock = &self.shared.exchange.clock;
        let started = clock.elapsed();
        let left = deadline.saturating_sub(started);
        if left.is_zero() {
            return Err(Error::too_late("the deadline passed before the request could be sent"));
        }
        let now = clock.now();
        let route = Route {
            base_url: host,
            announce: keys.preferred(now).map(|(serial, _)| serial),
            language: self.options.language.as_ref(),
            timeout: self.options.attempt_timeout.min(left),
            authorize: true,
        };
        let span = tracing::debug_span!(
            "favor.attempt",
            attempt,
            status = tracing::field::Empty,
            request_id = tracing::field::Empty
        );
        let result = async {
            let answer = self.shared.exchange.attempt(call, &route).await?;
            tracing::Span::current().record("status", answer.status.as_u16());
            tracing::Span::current().record("request_id", request_id(&answer.headers));
            self.judge(call, answer).await
        }
        .instrument(span)
        .await;
        let took = clock.elapsed().saturating_sub(started);
        self.report(call, attempt, took, &result);
        result
    }

    async fn wait_for_turn(&self, call: &Call, deadline: Duration) -> Result<(), Error> {
        if !self.options.paced {
            return Ok(());
        }
        let clock = &self.shared.exchange.clock;
        let now = clock.elapsed();
        let patience = deadline.saturating_sub(now);
        let wait = self.shared.limiter.reserve(call.operation(), now, patience);
        let wait =
            wait.ok_or_else(|| Error::too_late("the rate limit leaves no place before the deadline"))?;
        if !wait.is_zero() {
            clock.sleep(wait).await;
        }
        Ok(())
    }

    /// Without any key the answer could not be verified, so keys come before the first request.
    async fn keys_or_download(&self, deadline: Duration) -> Result<Arc<KeySet>, Error> {
        let store = &self.shared.keys;
        let keys = store.keys();
        if !keys.is_empty() {
            return Ok(keys);
        }
        let left = deadline.saturating_sub(self.shared.exchange.clock.elapsed());
        let refreshed = tokio::time::timeout(left, store.refresh(Refresh::NoKeys))
            .await
            .unwrap_or_else(|_| Err(Error::too_late("the platform keys did not come before the deadline")));
        // What fails here is the download, and the call itself was not sent.
        refreshed.map_err(|error| error.with_outcome(Outcome::NotSent))?;
        let keys = store.keys();
        if keys.is_empty() {
            return Err(Error::keys("there is no platform key to verify answers with"));
        }
        Ok(keys)
    }

    async fn judge(&self, call: &Call, answer: Answer) -> Result<Response, Error> {
        let Answer { status, headers, body, sent } = answer;
        let request_id = request_id(&headers);
        if !status.is_success() {
            let authenticity = self.authenticity(&headers, &body).await;
            let api = ApiError::read(call, status.as_u16(), &headers, &body, authenticity);
            return Err(Error::from_api(api).with_answer(body, request_id).with_sent(sent));
        }
        let may_be_unsigned = call.operation().reply_signature == ReplySignature::IfPresent;
        let signed_by = if may_be_unsigned && !SignatureHeaders::any(&headers) {
            None
        } else {
            match self.verify(&headers, &body).await {
                Ok(serial) => Some(serial),
                Err(error) => return Err(Error::verification(error).with_answer(body, request_id)),
            }
        };
        Ok(Response { status, headers, body, request_id, signed_by })
    }

    /// Verifies a response or notification, asking once for newer keys when it names an unknown one.
    ///
    /// # Errors
    /// [`VerifyError`]: nothing of the message may then be used.
    pub async fn verify(&self, headers: &HeaderMap, body: &[u8]) -> Result<Serial, VerifyError> {
        let signature = SignatureHeaders::read(headers)?;
        let clock = &self.shared.exchange.clock;
        let first = signature.verify(body, &self.shared.keys.keys(), clock.now());
        let Err(VerifyError::UnknownKey(serial)) = first else {
            return first.map(|()| signature.serial().clone());
        };
        if let Err(error) = self.shared.keys.refresh(Refresh::UnknownSerial(serial)).await {
            tracing::warn!(%error, "an unknown key was named, and newer keys could not be had");
        }
        signature.verify(body, &self.shared.keys.keys(), clock.now())?;
        Ok(signature.serial().clone())
    }

    /// Errors are often unsigned (gateways, failed authentication), so a signature is looked at where there is one.
    async fn authenticity(&self, headers: &HeaderMap, body: &[u8]) -> Authenticity {
        if !SignatureHeaders::all(headers) {
            return Authenticity::Unsigned;
        }
        match self.verify(headers, body).await {
            Ok(_) => Authenticity::Verified,
            Err(_) => Authenticity::Failed,
        }
    }

    fn report(&self, call: &Call, attempt: u32, took: Duration, result: &Result<Response, Error>) {
        let Some(observer) = &self.shared.observer else {
            return;
        };
        let operation = call.operation().name;
        observer.observe(&match result {
            Ok(response) => Attempt {
                operation,
                attempt,
                took,
                status: Some(response.status.as_u16()),
                failure: None,
                verified: response.signed_by.is_some(),
                request_id: response.request_id.as_deref(),
            },
            Err(error) => Attempt {
                operation,
                attempt,
                took,
                status: error.api().map(ApiError::status),
                failure: Some((error.kind(), error.outcome())),
                verified: error.api().is_some_and(|api| api.authenticity() == Authenticity::Verified),
                request_id: error.request_id(),
            },
        });
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("merchant_id", self.merchant_id())
            .field("hosts", &self.shared.hosts)
            .field("keys", &self.shared.keys)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
