//! The answer to a notification (spec §6.4).

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};

use crate::rejection::Rejection;

/// The answer to a notification. It either accepts, and the platform is done, or brings a repeat.
///
/// Answer within 5 s, and accept only what is stored: after that the platform may never send it again.
///
/// ```
/// use favor_callback::Reply;
/// let response: http::Response<bytes::Bytes> = Reply::accepted().into();
/// assert_eq!(response.status(), 200);
/// assert_eq!(Reply::try_later().status(), 503);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the platform repeats what is not answered"]
pub struct Reply {
    status: StatusCode,
    /// None when it accepts.
    message: Option<&'static str>,
}

impl Reply {
    /// Accepts: 200. The notification is stored, or was stored before.
    pub fn accepted() -> Self {
        Self { status: StatusCode::OK, message: None }
    }

    /// Rejects, with the status that fits the reason. The platform sends the notification again, if it was the
    /// platform.
    pub fn rejected(rejection: &Rejection) -> Self {
        let (status, message) = rejection.answer();
        Self { status, message: Some(message) }
    }

    /// The notification is good and could not be stored: 503, so that the platform sends it again.
    pub fn try_later() -> Self {
        let message = "the notification could not be stored, send it again";
        Self { status: StatusCode::SERVICE_UNAVAILABLE, message: Some(message) }
    }

    /// Whether it accepts.
    pub fn is_accepted(&self) -> bool {
        self.message.is_none()
    }

    /// The status, which alone decides.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The body: `{"code":"SUCCESS"}`, or `{"code":"FAIL","message":"…"}` with at most 64 characters.
    pub fn body(&self) -> Bytes {
        match self.message {
            None => Bytes::from_static(br#"{"code":"SUCCESS"}"#),
            Some(message) => format!(r#"{{"code":"FAIL","message":"{message}"}}"#).into(),
        }
    }

    /// The answer as a response, with whatever body a server wants.
    pub fn into_response<B: From<Bytes>>(self) -> Response<B> {
        let mut response = Response::new(B::from(self.body()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(ALLOW, HeaderValue::from_static("POST"));
        }
        response
    }
}

impl From<Reply> for Response<Bytes> {
    fn from(reply: Reply) -> Self {
        reply.into_response()
    }
}

impl From<&Rejection> for Reply {
    fn from(rejection: &Rejection) -> Self {
        Self::rejected(rejection)
    }
}

#[cfg(test)]
mod tests {
    use favor_core::{AeadError, MerchantId, Serial, VerifyError};

    use super::*;
    use crate::rejection::Malformation;

    /// One of each kind.
    fn rejections() -> Vec<Rejection> {
        let merchant = || MerchantId::new("1900000109").unwrap();
        let serial = || Serial::new("0A");
        let of_signature = [
            VerifyError::MissingHeader("x"),
            VerifyError::RepeatedHeader("x"),
            VerifyError::MalformedHeader("x"),
            VerifyError::SignatureType("x".into()),
            VerifyError::OutsideWindow { seconds_ahead: 300 },
            VerifyError::UnknownKey(serial()),
            VerifyError::ExpiredKey(serial()),
            VerifyError::KeyNotYetValid(serial()),
            VerifyError::Probe,
            VerifyError::WrongSignature,
        ];
        let sealed =
            [AeadError::Algorithm("x".into()), AeadError::Nonce(11), AeadError::Base64, AeadError::Tag];
        let others = [
            Rejection::Method,
            Rejection::Incomplete,
            Rejection::TooLarge { limit: 1 },
            Rejection::KeysUnavailable(None),
            Malformation::new("x", "y").into(),
            Rejection::Unsupported { field: "x", found: "\"y\"".into() },
            Rejection::AnotherMerchant { merchant: merchant(), creator: merchant() },
        ];
        let of_signature = of_signature.into_iter().map(Rejection::Signature);
        of_signature.chain(sealed.into_iter().map(Rejection::Sealed)).chain(others).collect()
    }

    #[test]
    fn every_answer_keeps_to_the_documented_form() {
        let rejected: Vec<Reply> = rejections().iter().map(Rejection::reply).collect();
        for reply in rejected.into_iter().chain([Reply::try_later()]) {
            assert!(reply.status().is_client_error() || reply.status().is_server_error());
            assert!(!reply.is_accepted());
            let body: serde_json::Value = serde_json::from_slice(&reply.body()).unwrap();
            assert_eq!(body["code"], "FAIL");
            let message = body["message"].as_str().unwrap();
            assert!((1..=64).contains(&message.chars().count()), "{message}");
        }
        assert!(Reply::accepted().is_accepted());
        assert_eq!(Reply::accepted().body(), r#"{"code":"SUCCESS"}"#);
    }

    #[test]
    fn the_response_is_json_and_405_names_the_method() {
        let response: Response<Bytes> = Rejection::Method.reply().into();
        assert_eq!(response.status(), 405);
        assert_eq!(response.headers()["allow"], "POST");
        assert_eq!(response.headers()["content-type"], "application/json");
        let response: Response<Vec<u8>> = Reply::accepted().into_response();
        assert!(!response.headers().contains_key("allow"));
    }
}
