//! Sends by the client.

use favor_core::{CallOptions, Client, Error, ErrorKind, OpenId, RetryPolicy};
use favor_coupon::{Coupons, SendCoupon};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::answer::{Answer, Sender, Trouble};
use crate::policy::INVALID_REQUEST;

/// Sends by a [`Client`]: one attempt each, since repeating is the runner's.
///
/// Only a coupon of an answer whose signature holds counts as sent. The client's repeats and rates do not apply: a
/// campaign repeats by its policy, and is paced over all its workers.
#[derive(Clone, Debug)]
pub struct ClientSender {
    coupons: Coupons,
}

impl ClientSender {
    /// Sends by `client`, as its merchant, with its connections, keys and timeouts.
    pub fn new(client: &Client) -> Self {
        let mut options: CallOptions = client.options().clone();
        options.retry = RetryPolicy::NONE;
        options.paced = false;
        // The policy tells answers of one code apart by their messages, which it knows in the platform's own language.
        options.language = None;
        Self { coupons: Coupons::new(&client.with(options)) }
    }
}

impl Sender for ClientSender {
    fn send<'a>(&'a self, openid: &'a OpenId, request: &'a SendCoupon) -> BoxFuture<'a, Answer> {
        self.coupons.send(openid, request).map(answer).boxed()
    }
}

fn answer(sent: Result<favor_core::Reply<favor_coupon::SentCoupon>, Error>) -> Answer {
    match sent {
        Ok(reply) => Answer {
            request_id: reply.request_id().map(str::to_owned),
            result: Ok(reply.into_value().coupon_id),
        },
        Err(error) => {
            Answer { request_id: error.request_id().map(str::to_owned), result: Err(trouble(&error)) }
        }
    }
}

fn trouble(error: &Error) -> Trouble {
    let api = error.api();
    Trouble {
        outcome: error.outcome(),
        status: api.map(favor_core::ApiError::status),
        code: code(error),
        message: message(error),
        retry_after: api.and_then(favor_core::ApiError::retry_after),
    }
}

fn code(error: &Error) -> String {
    if let Some(api) = error.api() {
        return match api.code() {
            Some(code) => code.as_str().to_owned(),
            None => format!("http-{}", api.status()),
        };
    }
    let word = match error.kind() {
        ErrorKind::Config => "config",
        ErrorKind::InvalidRequest => INVALID_REQUEST,
        ErrorKind::Keys => "keys",
        ErrorKind::Sign => "sign",
        ErrorKind::Connect => "connect",
        ErrorKind::Timeout => "timeout",
        ErrorKind::Interrupted => "interrupted",
        ErrorKind::TooLarge => "too-large",
        ErrorKind::Verification => "verification",
        ErrorKind::Decode => "decode",
        _ => "other",
    };
    word.to_owned()
}

/// What the error says, with its causes and, for a refused signature, the diagnosis. Errors of the core hold no openid,
/// and the platform's text comes with the request's personal data masked.
fn message(error: &Error) -> String {
    if let Some(api) = error.api() {
        let mut text = api.message().to_owned();
        for finding in error.diagnose().iter().flat_map(|diagnosis| &diagnosis.findings) {
            if !text.is_empty() {
                text.push_str("; ");
            }
            text.push_str(finding);
        }
        return text;
    }
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}
