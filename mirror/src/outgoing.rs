//! A response with its headers and signature, ready for the wire.

use std::io::{Cursor, Read as _};
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use crate::answer::Answer;
use crate::connection::{Pace, StreamedBody};
use crate::connection_end::{End, Last};
use crate::flow::file::FlowFile;
use crate::moment::Moment;
use crate::platform_keys::Signer;
use crate::random;
use crate::wire_copy::WireCopy;

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
pub(crate) const TIMESTAMP: HeaderName = HeaderName::from_static("wechatpay-timestamp");
pub(crate) const NONCE: HeaderName = HeaderName::from_static("wechatpay-nonce");
pub(crate) const SIGNATURE: HeaderName = HeaderName::from_static("wechatpay-signature");
pub(crate) const SERIAL: HeaderName = HeaderName::from_static("wechatpay-serial");
pub(crate) const SIGNATURE_TYPE: HeaderName = HeaderName::from_static("wechatpay-signature-type");
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");

/// The headers that carry a signature.
pub(crate) const SIGNATURE_HEADERS: [&str; 5] = [
    "wechatpay-timestamp",
    "wechatpay-nonce",
    "wechatpay-signature",
    "wechatpay-serial",
    "wechatpay-signature-type",
];

/// How much of a response reaches the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    Whole,
    /// Half the body, then the connection ends.
    Truncated,
    /// This much of the body, then the connection ends.
    CutAfter(u64),
    /// The whole body at this many bytes a second.
    Slow(u64),
    /// Nothing.
    Ended(End),
}

/// A response about to be written.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Sent in the place of the body.
    pub(crate) file: Option<Arc<FlowFile>>,
    pub(crate) delivery: Delivery,
    /// What the next request on the connection meets.
    pub(crate) afterwards: Option<End>,
}

impl Outgoing {
    /// Dresses an answer. Without a signer it stays unsigned.
    pub(crate) fn new(answer: &Answer, signer: Option<&Signer>, request_id: &str, now: Moment) -> Self {
        let mut headers = HeaderMap::with_capacity(16);
        headers.insert(header::SERVER, HeaderValue::from_static("nginx"));
        headers.insert(header::DATE, text(&now.http_date()));
        let is_file = answer.file.is_some();
        let content_type =
            if is_file { "application/octet-stream" } else { "application/json; charset=utf-8" };
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, must-revalidate"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static("zh-CN"));
        headers.insert(REQUEST_ID, text(request_id));
        if let Some(seconds) = answer.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(signer) = signer.filter(|_| !is_file) {
            sign(&mut headers, &answer.body, signer, now);
        }
        Self {
            status: answer.status,
            headers,
            body: answer.body.clone(),
            file: answer.file.clone(),
            delivery: Delivery::Whole,
            afterwards: None,
        }
    }

    /// Says how long an idle HTTP/1 connection stays open.
    pub(crate) fn keep_alive(&mut self, seconds: u64) {
        self.headers.insert(KEEP_ALIVE, text(&format!("timeout={seconds}")));
    }

    pub(crate) fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// For the request log.
    pub(crate) fn copy(&self) -> WireCopy {
        let copy = WireCopy::of_headers(&self.headers);
        match &self.file {
            Some(file) => copy.with_body_bytes(file.bytes),
            None => copy.with_body(&self.body),
        }
    }

    /// Puts a file's content into the body, for faults that change it.
    pub(crate) fn load(&mut self) {
        if let Some(file) = self.file.take() {
            let mut content = Vec::new();
            if let Err(error) = file.reader().read_to_end(&mut content) {
                tracing::error!(%error, "a flow file could not be read");
            }
            self.body = content.into();
        }
    }

    pub(crate) fn into_response(self) -> Response {
        let whole = u64::try_from(self.body.len()).unwrap_or(u64::MAX);
        let length = self.file.as_ref().map_or(whole, |file| file.bytes);
        let pace = match self.delivery {
            Delivery::Whole | Delivery::Ended(_) => Pace::default(),
            Delivery::Truncated => Pace { cut_after: Some(length / 2), ..Pace::default() },
            Delivery::CutAfter(bytes) => Pace { cut_after: Some(bytes), ..Pace::default() },
            Delivery::Slow(rate) => Pace { bytes_per_second: Some(rate), ..Pace::default() },
        };
        let body = match self.file {
            _ if matches!(self.delivery, Delivery::Ended(_)) => Body::empty(),
            Some(file) => Body::new(StreamedBody::of(file.reader(), pace)),
            None if pace == Pace::default() => Body::from(self.body),
            None => Body::new(StreamedBody::of(Cursor::new(self.body), pace)),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        if let Delivery::Ended(end) = self.delivery {
            response.extensions_mut().insert(end);
        } else if let Some(end) = self.afterwards {
            response.extensions_mut().insert(Last(end));
        }
        response
    }
}

pub(crate) fn sign(headers: &mut HeaderMap, body: &[u8], signer: &Signer, now: Moment) {
    let timestamp = now.seconds().to_string();
    let nonce = random::hex::<16>();
    let mut message = Vec::with_capacity(body.len() + 64);
    for part in [timestamp.as_bytes(), nonce.as_bytes(), body] {
        message.extend_from_slice(part);
        message.push(b'\n');
    }
    headers.insert(TIMESTAMP, text(&timestamp));
    headers.insert(NONCE, text(&nonce));
    headers.insert(SIGNATURE, text(&signer.key.sign(&message)));
    headers.insert(SERIAL, text(&signer.serial));
    headers.insert(SIGNATURE_TYPE, HeaderValue::from_static("WECHATPAY2-SHA256-RSA2048"));
}

fn text(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).expect("header values made here are ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Times;
    use crate::platform_keys::{PlatformKeys, PublicKeyPhase};

    const NOW: Moment = Moment::from_millis_const(1_790_000_000_000);

    #[test]
    fn a_signed_response_verifies_over_three_lines() {
        let signer = PlatformKeys::new(PublicKeyPhase::Off, Times { test: NOW, wire: NOW })
            .unwrap()
            .signer(None, false, NOW);
        let outgoing = Outgoing::new(&Answer::ok(&"x"), Some(&signer), "id-0", NOW);
        let header = |name: HeaderName| outgoing.header(&name).unwrap().to_owned();
        let message = format!("{}\n{}\n\"x\"\n", header(TIMESTAMP), header(NONCE));
        assert!(signer.key.verifying_key().verifies(message.as_bytes(), &header(SIGNATURE)));
        assert_eq!(header(TIMESTAMP), "1790000000");
        assert_eq!(header(SERIAL), signer.serial);
        assert_eq!(header(REQUEST_ID), "id-0");
    }

    #[test]
    fn an_unsigned_response_has_no_signature_header() {
        let outgoing = Outgoing::new(&Answer::ok(&"x"), None, "id-0", NOW);
        assert!(SIGNATURE_HEADERS.iter().all(|name| !outgoing.headers.contains_key(*name)));
    }
}
