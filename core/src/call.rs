//! A call as pure data: what will be on the request line, in the body, and what is signed.

use std::fmt;

use bytes::Bytes;
use serde::Serialize;

use crate::check::InvalidRequest;
use crate::encode::encode_into;
use crate::keys::Serial;
use crate::multipart::Multipart;
use crate::rate::Rate;
use crate::sign::{Stamp, request_message};

/// The HTTP method of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verb {
    /// GET.
    Get,
    /// POST.
    Post,
    /// PATCH.
    Patch,
}

impl Verb {
    /// The method's name on the request line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Verb::Get => "GET",
            Verb::Post => "POST",
            Verb::Patch => "PATCH",
        }
    }
}

/// Whether a 2xx reply must be signed (spec §2.9.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplySignature {
    /// It must be; without a valid signature the reply is not used.
    Required,
    /// Verified when the signature headers are there, accepted without them.
    IfPresent,
}

/// One endpoint: what it is called in logs and metrics, where it is, how it may be used.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Operation {
    /// The name in logs, metrics and errors, such as `coupon.send`.
    pub name: &'static str,
    /// The HTTP method.
    pub verb: Verb,
    /// The path, with `{names}` for its parameters.
    pub path: &'static str,
    /// Whether the same request may be repeated without a second effect (spec §2.18).
    pub idempotent: bool,
    /// Whether its reply must be signed.
    pub reply_signature: ReplySignature,
    /// The documented rate limit per merchant, where there is one.
    pub rate: Option<Rate>,
}

impl Operation {
    /// An operation that may be repeated and whose reply must be signed.
    pub const fn new(name: &'static str, verb: Verb, path: &'static str) -> Self {
        let reply_signature = ReplySignature::Required;
        Self { name, verb, path, idempotent: true, reply_signature, rate: None }
    }

    /// The same, never repeated by the client unless it surely did not arrive.
    pub const fn not_idempotent(self) -> Self {
        Self { idempotent: false, ..self }
    }

    /// The same, with the documented rate limit.
    pub const fn limited_to(self, rate: Rate) -> Self {
        Self { rate: Some(rate), ..self }
    }

    /// The same, for a reply that may come without a signature.
    pub const fn reply_may_be_unsigned(self) -> Self {
        Self { reply_signature: ReplySignature::IfPresent, ..self }
    }
}

/// The body of a call.
#[derive(Clone)]
pub(crate) enum Body {
    Empty,
    Json(Bytes),
    Multipart(Multipart),
}

/// A request that is ready to be signed and sent. Made once; each attempt sends the same bytes.
///
/// Debug shows the operation only: paths can hold an openid.
#[derive(Clone)]
pub struct Call {
    operation: &'static Operation,
    path_and_query: String,
    body: Body,
    announced: Option<Serial>,
    private: Vec<String>,
}

impl Call {
    /// Begins a call to `operation`.
    pub fn to(operation: &'static Operation) -> CallBuilder {
        CallBuilder {
            operation,
            segments: Vec::new(),
            query: String::new(),
            body: Ok(Body::Empty),
            announced: None,
            private: Vec::new(),
        }
    }

    /// A call to a link that the platform gave: its path and query are kept byte for byte, and so signed.
    pub(crate) fn follow(operation: &'static Operation, path_and_query: &str) -> Self {
        Self {
            operation,
            path_and_query: path_and_query.to_owned(),
            body: Body::Empty,
            announced: None,
            private: Vec::new(),
        }
    }

    /// The operation called.
    pub fn operation(&self) -> &'static Operation {
        self.operation
    }

    /// The path and query, exactly as they go on the request line.
    pub fn path_and_query(&self) -> &str {
        &self.path_and_query
    }

    /// The bytes of the HTTP body.
    pub fn body(&self) -> Bytes {
        match &self.body {
            Body::Empty => Bytes::new(),
            Body::Json(bytes) => bytes.clone(),
            Body::Multipart(multipart) => multipart.wire(),
        }
    }

    /// The value of `Content-Type`; none without a body.
    pub fn content_type(&self) -> Option<String> {
        match &self.body {
            Body::Empty => None,
            Body::Json(_) => Some("application/json".to_owned()),
            Body::Multipart(multipart) => Some(multipart.content_type()),
        }
    }

    /// The message that is signed when this call is sent with `stamp`.
    pub fn message(&self, stamp: &Stamp) -> Vec<u8> {
        let signed: &[u8] = match &self.body {
            Body::Empty => b"",
            Body::Json(bytes) => bytes,
            Body::Multipart(multipart) => multipart.meta(),
        };
        request_message(self.operation.verb.as_str(), &self.path_and_query, stamp, signed)
    }

    /// The key that sensitive fields of the body were sealed with, which the request must then announce.
    pub fn announced(&self) -> Option<&Serial> {
        self.announced.as_ref()
    }

    /// `text` with every personal parameter of this call masked.
    pub(crate) fn mask(&self, text: &str) -> String {
        self.private.iter().fold(text.to_owned(), |text, private| text.replace(private.as_str(), "****"))
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("operation", &self.operation.name).finish_non_exhaustive()
    }
}

/// Puts a [`Call`] together.
#[must_use]
pub struct CallBuilder {
    operation: &'static Operation,
    segments: Vec<(&'static str, String)>,
    query: String,
    body: Result<Body, InvalidRequest>,
    announced: Option<Serial>,
    private: Vec<String>,
}

impl CallBuilder {
    /// Fills the path parameter `name`.
    pub fn segment(mut self, name: &'static str, value: &str) -> Self {
        self.segments.push((name, value.to_owned()));
        self
    }

    /// Fills the path parameter `name` with personal data, which is then masked in errors.
    pub fn private_segment(mut self, name: &'static str, value: &str) -> Self {
        self.private.push(value.to_owned());
        self.segment(name, value)
    }

    /// Adds a query parameter. Leave an unset parameter out.
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push(if self.query.is_empty() { '?' } else { '&' });
        encode_into(&mut self.query, name);
        self.query.push('=');
        encode_into(&mut self.query, value);
        self
    }

    /// Sets a JSON body, serialised here once.
    pub fn json<T: Serialize + ?Sized>(mut self, body: &T) -> Self {
        self.body = serde_json::to_vec(body)
            .map(|json| Body::Json(json.into()))
            .map_err(|error| InvalidRequest::of("body", format!("cannot be written as JSON: {error}")));
        self
    }

    /// Sets an upload as the body. Only its `meta` part is signed (spec §2.7).
    pub fn multipart(mut self, multipart: Multipart) -> Self {
        self.body = Ok(Body::Multipart(multipart));
        self
    }

    /// Names the platform key that sensitive fields of the body were sealed with (spec §2.15).
    pub fn sealed_with(mut self, serial: Serial) -> Self {
        self.announced = Some(serial);
        self
    }

    /// The finished call.
    ///
    /// # Errors
    /// [`InvalidRequest`] when a path parameter is missing, empty, or `.` or `..` (which would change the path),
    /// or the body cannot be written or holds characters beyond the basic plane (spec §2.3).
    pub fn finish(self) -> Result<Call, InvalidRequest> {
        let body = self.body?;
        // In UTF-8 only characters beyond U+FFFF have bytes from F0 on.
        if let Body::Json(json) = &body
            && json.iter().any(|byte| *byte >= 0xf0)
        {
            return Err(InvalidRequest::of("body", "must not hold emoji or other characters beyond U+FFFF"));
        }
        let mut path_and_query = String::with_capacity(self.operation.path.len() + self.query.len() + 64);
        let mut rest = self.operation.path;
        while let Some((before, parameter)) = rest.split_once('{') {
            path_and_query.push_str(before);
            let (name, after) = parameter.split_once('}').unwrap_or((parameter, ""));
            let value = self.segments.iter().find(|(given, _)| *given == name).map_or("", |(_, value)| value);
            if matches!(value, "" | "." | "..") {
                return Err(InvalidRequest::of(name, "must be a text other than '.' and '..'"));
            }
            encode_into(&mut path_and_query, value);
            rest = after;
        }
        path_and_query.push_str(rest);
        path_and_query.push_str(&self.query);
        Ok(Call {
            operation: self.operation,
            path_and_query,
            body,
            announced: self.announced,
            private: self.private,
        })
    }
}

impl fmt::Debug for CallBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallBuilder").field("operation", &self.operation.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static SEND: Operation = Operation::new("coupon.send", Verb::Post, "/v3/users/{openid}/coupons");

    #[test]
    fn the_path_is_encoded_once_and_signed_as_sent() {
        let call = Call::to(&SEND)
            .private_segment("openid", "o/T?a")
            .query("at", "2026-05-20T00:00:00+08:00")
            .query("b", "券")
            .finish()
            .unwrap();
        let path = "/v3/users/o%2FT%3Fa/coupons?at=2026-05-20T00%3A00%3A00%2B08%3A00&b=%E5%88%B8";
        assert_eq!(call.path_and_query(), path);
        let stamp = Stamp { timestamp: 1, nonce: "n".into() };
        assert_eq!(call.message(&stamp), format!("POST\n{path}\n1\nn\n\n").into_bytes());
        assert_eq!(format!("{call:?}"), "Call { operation: \"coupon.send\", .. }");
        assert_eq!(call.mask("openid o/T?a unknown"), "openid **** unknown");
    }

    #[test]
    fn what_would_change_the_path_is_refused() {
        for openid in ["", ".", ".."] {
            let error = Call::to(&SEND).segment("openid", openid).finish().unwrap_err();
            assert_eq!(error.violations()[0].field, "openid");
        }
        assert_eq!(Call::to(&SEND).finish().unwrap_err().violations()[0].field, "openid");
        let emoji = Call::to(&SEND).segment("openid", "o").json("🎟").finish().unwrap_err();
        assert_eq!(emoji.violations()[0].field, "body");
    }
}
