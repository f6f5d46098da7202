//! One signed attempt: stamp, sign, send, read. Knows nothing of keys and retries.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use crate::call::{Call, Verb};
use crate::clock::Clock;
use crate::diagnose::Sent;
use crate::error::Error;
use crate::keys::Serial;
use crate::sign::{SignError, Signer, Stamp, authorization};
use crate::transport::{HttpRequest, HttpResponse, Transport, TransportError, TransportFailure};

/// A stream has a limit for its head and for each pause, and this one for all of it.
const LONGEST_STREAM: Duration = Duration::from_secs(24 * 3600);

#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) signer: Arc<dyn Signer>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) user_agent: HeaderValue,
    pub(crate) largest_answer: usize,
}

/// Where and how one attempt goes out.
pub(crate) struct Route<'a> {
    pub(crate) base_url: &'a str,
    pub(crate) announce: Option<&'a Serial>,
    pub(crate) language: Option<&'a HeaderValue>,
    pub(crate) timeout: Duration,
    /// Whether the host may see the Authorization header.
    pub(crate) authorize: bool,
}

/// The answer to one attempt, read whole and not yet trusted.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) sent: Sent,
}

impl Exchange {
    /// One attempt whose answer is read whole.
    pub(crate) async fn attempt(&self, call: &Call, route: &Route<'_>) -> Result<Answer, Error> {
        let (request, sent) = self.prepare(call, route).await?;
        let carried = async {
            let response = self.transport.send(request).await?;
            let body = response.body.collect(self.largest_answer).await?;
            Ok((response.status, response.headers, body))
        };
        let (status, headers, body) = within(route.timeout, carried).await?;
        Ok(Answer { status, headers, body, sent })
    }

    /// One attempt whose body is left to be read; the time limit is for its head.
    pub(crate) async fn open(&self, call: &Call, route: &Route<'_>) -> Result<(HttpResponse, Sent), Error> {
        let (mut request, sent) = self.prepare(call, route).await?;
        request.timeout = LONGEST_STREAM;
        Ok((within(route.timeout, self.transport.send(request)).await?, sent))
    }

    async fn prepare(&self, call: &Call, route: &Route<'_>) -> Result<(HttpRequest, Sent), Error> {
        let at = self.clock.now();
        let stamp = Stamp::at(at.timestamp()).map_err(Error::sign)?;
        let message = call.message(&stamp);
        let mut headers = self.headers(call, route);
        if route.authorize {
            let signature = self.signer.sign(&message).await.map_err(Error::sign)?;
            headers.insert(AUTHORIZATION, self.authorization(&stamp, &signature).map_err(Error::sign)?);
        }
        let request = HttpRequest {
            method: match call.operation().verb {
                Verb::Get => Method::GET,
                Verb::Post => Method::POST,
                Verb::Patch => Method::PATCH,
            },
            base_url: route.base_url.to_owned(),
            path_and_query: call.path_and_query().to_owned(),
            headers,
            body: call.body(),
            timeout: route.timeout,
        };
        Ok((request, Sent { message, serial: self.signer.serial().clone(), at }))
    }

    fn authorization(&self, stamp: &Stamp, signature: &[u8]) -> Result<HeaderValue, SignError> {
        let signer = &self.signer;
        let text = authorization(signer.scheme(), signer.merchant_id(), signer.serial(), stamp, signature);
        let mut value = HeaderValue::try_from(text).map_err(|error| {
            SignError::new("the signer's scheme or serial cannot be a header").caused_by(error)
        })?;
        value.set_sensitive(true);
        Ok(value)
    }

    fn headers(&self, call: &Call, route: &Route<'_>) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(8);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, self.user_agent.clone());
        if let Some(content_type) = call.content_type().and_then(|text| HeaderValue::try_from(text).ok()) {
            headers.insert(CONTENT_TYPE, content_type);
        }
        if let Some(language) = route.language {
            headers.insert(ACCEPT_LANGUAGE, language.clone());
        }
        let announce = call.announced().or(route.announce);
        if let Some(serial) = announce.and_then(|serial| HeaderValue::try_from(serial.as_str()).ok()) {
            headers.insert("wechatpay-serial", serial);
        }
        headers
    }
}

async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, TransportError>>,
) -> Result<T, Error> {
    tokio::time::timeout(limit, work)
        .await
        .unwrap_or_else(|_| Err(TransportError::new(TransportFailure::Timeout)))
        .map_err(Error::transport)
}
