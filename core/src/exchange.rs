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
use crate::random;
use crate::sign::{SignError, Signer, Stamp, authorization};
use crate::transport::{HttpRequest, Transport, TransportError, TransportFailure};

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
}

/// The answer to one attempt, read whole and not yet trusted.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) sent: Sent,
}

impl Exchange {
    pub(crate) async fn attempt(&self, call: &Call, route: &Route<'_>) -> Result<Answer, Error> {
        let at = self.clock.now();
        let stamp = Stamp { timestamp: at.timestamp(), nonce: random::nonce().map_err(Error::sign)? };
        let message = call.message(&stamp);
        let signature = self.signer.sign(&message).await.map_err(Error::sign)?;
        let headers = self.headers(call, route, &stamp, &signature).map_err(Error::sign)?;
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
        let carried = async {
            let response = self.transport.send(request).await?;
            let body = response.body.collect(self.largest_answer).await?;
            Ok((response.status, response.headers, body))
        };
        let (status, headers, body) = tokio::time::timeout(route.timeout, carried)
            .await
            .unwrap_or_else(|_| Err(TransportError::new(TransportFailure::Timeout)))
            .map_err(Error::transport)?;
        Ok(Answer { status, headers, body, sent: Sent { message, serial: self.signer.serial().clone(), at } })
    }

    fn headers(
        &self,
        call: &Call,
        route: &Route<'_>,
        stamp: &Stamp,
        signature: &[u8],
    ) -> Result<HeaderMap, SignError> {
        let signer = &self.signer;
        let authorization =
            authorization(signer.scheme(), signer.merchant_id(), signer.serial(), stamp, signature);
        let mut authorization = HeaderValue::try_from(authorization).map_err(|error| {
            SignError::new("the signer's scheme or serial cannot be a header").caused_by(error)
        })?;
        authorization.set_sensitive(true);
        let mut headers = HeaderMap::with_capacity(8);
        headers.insert(AUTHORIZATION, authorization);
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
        Ok(headers)
    }
}
