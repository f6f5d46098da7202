//! The platform's error answers (spec §2.16).

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use http::HeaderMap;
use serde::Deserialize;
use serde_json::Value;

use crate::call::Call;
use crate::open_enum;

open_enum! {
    /// The symbol in an error answer. Decide on the HTTP status and this, never on the message (spec §2.16.2).
    pub enum ErrorCode {
        /// A parameter is missing, badly typed or out of range.
        ParamError => "PARAM_ERROR",
        /// Well-formed, but not allowed now or in this combination.
        InvalidRequest => "INVALID_REQUEST",
        /// The merchant id is not valid; also for a page past the end.
        MerchantNotExists => "MCH_NOT_EXISTS",
        /// The appid is not bound to the merchant.
        AppIdMerchantMismatch => "APPID_MCHID_NOT_MATCH",
        /// Authentication failed.
        SignError => "SIGN_ERROR",
        /// The product or API permission is missing.
        NoAuth => "NO_AUTH",
        /// A business permission or rule stops the call.
        RequestBlocked => "REQUEST_BLOCKED",
        /// The budget or balance is used up.
        NotEnough => "NOT_ENOUGH",
        /// The user's account may not receive.
        UserAccountAbnormal => "USER_ACCOUNT_ABNORMAL",
        /// A platform rule stops the call.
        RuleLimit => "RULE_LIMIT",
        /// Stock, coupon, file or certificate not found.
        ResourceNotExists => "RESOURCE_NOT_EXISTS",
        /// No such path.
        NotFound => "NOT_FOUND",
        /// Too many calls. Other products spell it differently: decide on the status 429.
        FrequencyLimitExceed => "FREQUENCY_LIMIT_EXCEED" | "FREQUENCY_LIMITED" | "RATELIMIT_EXCEEDED" | "RATE_LIMITED",
        /// Internal error; the outcome is unknown.
        SystemError => "SYSTEM_ERROR",
        /// Overloaded.
        ServiceUnavailable => "SERVICE_UNAVAILABLE",
    }
}

/// Whether an error answer proved to be the platform's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authenticity {
    /// Its signature holds.
    Verified,
    /// It carries no signature, as answers of gateways and failed authentication do.
    Unsigned,
    /// It carries a signature that does not hold.
    Failed,
}

/// An answer outside 2xx.
#[derive(Clone)]
pub struct ApiError {
    status: u16,
    code: Option<ErrorCode>,
    message: String,
    detail: Option<Value>,
    request_id: Option<String>,
    authenticity: Authenticity,
    retry_after: Option<Duration>,
    server_date: Option<DateTime<Utc>>,
}

#[derive(Deserialize, Default)]
struct Wire {
    #[serde(default)]
    code: Value,
    #[serde(default)]
    message: Value,
    #[serde(default)]
    detail: Option<Value>,
}

impl ApiError {
    pub(crate) fn read(
        call: &Call,
        status: u16,
        headers: &HeaderMap,
        body: &[u8],
        authenticity: Authenticity,
    ) -> Self {
        let wire: Wire = serde_json::from_slice(body).unwrap_or_default();
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let server_date = header("date").and_then(|date| DateTime::parse_from_rfc2822(date).ok());
        Self {
            status,
            code: wire.code.as_str().filter(|code| !code.is_empty()).map(ErrorCode::from),
            message: call.mask(wire.message.as_str().unwrap_or_default().trim()),
            detail: wire.detail.filter(|detail| !detail.is_null()),
            request_id: request_id(headers),
            authenticity,
            retry_after: header("retry-after").and_then(|after| after.parse().ok()).map(Duration::from_secs),
            server_date: server_date.map(|date| date.to_utc()),
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The symbol; none when the answer is not the platform's JSON, such as a gateway's page.
    pub fn code(&self) -> Option<&ErrorCode> {
        self.code.as_ref()
    }

    /// The text for people, trimmed, with personal data of the request masked. Never branch on it.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The detail object as it came. It can hold personal data of the request.
    pub fn detail(&self) -> Option<&Value> {
        self.detail.as_ref()
    }

    /// The platform's id of the call.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// Whether it proved to be the platform's. Do not lose money on an answer that did not: "not found" in an
    /// unsigned answer is no reason to send under a new number.
    pub fn authenticity(&self) -> Authenticity {
        self.authenticity
    }

    /// How long the platform asks to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The platform's clock, from the `Date` header.
    pub fn server_date(&self) -> Option<DateTime<Utc>> {
        self.server_date
    }

    /// Whether the same request can succeed later: rate limit, overload, internal error, or an answer whose
    /// signature does not hold, such as a signature probe.
    pub fn is_retryable(&self) -> bool {
        matches!(self.status, 408 | 429 | 500..) || self.authenticity == Authenticity::Failed
    }

    pub(crate) fn hint(&self) -> &'static str {
        match self.code {
            Some(ErrorCode::ParamError) => "correct the parameter named in the message",
            Some(ErrorCode::SignError) => {
                "run the diagnosis: it compares the signed message with what the platform saw"
            }
            Some(ErrorCode::NoAuth) => "open the product or API permission in the merchant console",
            Some(ErrorCode::AppIdMerchantMismatch) => "bind the appid to the merchant in the console",
            Some(ErrorCode::NotEnough) => "the budget or balance is used up: raise it or stop sending",
            Some(ErrorCode::UserAccountAbnormal) => "this user cannot receive coupons: skip the user",
            Some(ErrorCode::ResourceNotExists) => {
                "check the id, and that it belongs to this merchant; flow files come at 10:00 Beijing time of the day after the end"
            }
            Some(ErrorCode::InvalidRequest) => {
                "not allowed now or in this combination: check the stock's state and window; a new stock needs a minute before its start"
            }
            Some(ErrorCode::RequestBlocked) => {
                "a permission, the stock's state or a limit stops it: see the message"
            }
            _ if self.status == 429 => "slow down, then repeat the same request",
            _ => "see the message; repeating the same request will not help",
        }
    }
}

pub(crate) fn request_id(headers: &HeaderMap) -> Option<String> {
    headers.get("request-id").and_then(|id| id.to_str().ok()).filter(|id| !id.is_empty()).map(str::to_owned)
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.code {
            Some(code) => write!(f, "{code}")?,
            None => f.write_str("an answer without an error code")?,
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        match self.authenticity {
            Authenticity::Failed => f.write_str(" (its signature does not hold)"),
            Authenticity::Verified | Authenticity::Unsigned => Ok(()),
        }
    }
}

impl fmt::Debug for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiError")
            .field("status", &self.status)
            .field("code", &self.code)
            .field("message", &self.message)
            .field("request_id", &self.request_id)
            .field("authenticity", &self.authenticity)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for ApiError {}
