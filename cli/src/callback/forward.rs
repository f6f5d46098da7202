//! Handing notifications on to an address.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use favor_callback::{Delivery, Inbox, InboxId, NotHandled, Record};
use reqwest::{Client, RequestBuilder, StatusCode, Url, redirect};
use serde_json::json;

use super::shown::Opened;
use crate::args::Form;
use crate::output::Output;

/// An address that takes longer than this has not answered.
const TIMEOUT: Duration = Duration::from_secs(10);
const ID: &str = "Favor-Notification-Id";
const ATTEMPT: &str = "Favor-Attempt";

/// An address, and what it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    client: Client,
    url: Url,
    form: Form,
}

impl Target {
    /// The address is not shown when it is refused: it may hold a password.
    pub(crate) fn new(url: &str, form: Form) -> anyhow::Result<Self> {
        let url = Url::parse(url).ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let url = url.context("the address to send to begins with http:// or https:// and a host")?;
        if url.password().is_some() || !url.username().is_empty() {
            bail!(
                "name and password have no place in the address to send to, where every process can see them"
            );
        }
        let client = Client::builder()
            .no_proxy()
            .timeout(TIMEOUT)
            .redirect(redirect::Policy::none())
            .user_agent(concat!("favor-cli/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, url, form })
    }

    /// Sends what was stored, and says how it was answered.
    pub(crate) async fn send_record(&self, record: &Record, attempt: u32) -> Result<StatusCode, String> {
        let request = match self.form {
            Form::Plain => self.plain(Opened::of_record(record)),
            Form::Signed => Ok(self.signed(record)),
        };
        self.send(request?, record.id.as_str(), attempt).await
    }

    /// Sends what is handed out.
    async fn send_delivery(&self, delivery: &Delivery, inbox: &dyn Inbox) -> Result<StatusCode, String> {
        let (notification, attempt) = (&delivery.notification, delivery.attempt);
        let request = match self.form {
            Form::Plain => self.plain(Opened::of_notification(notification))?,
            Form::Signed => {
                let before = InboxId(delivery.receipt.id.0 - 1);
                let entries = inbox.list(Some(before), 1).await.map_err(|error| error.to_string())?;
                match entries.first().filter(|entry| entry.id == delivery.receipt.id) {
                    Some(entry) => self.signed(&entry.record),
                    None => return Err("it is no longer in the inbox".to_owned()),
                }
            }
        };
        self.send(request, notification.id.as_str(), attempt).await
    }

    /// Sends bytes as they are, with a header of one's own and perhaps a query.
    pub(crate) async fn send_bytes(
        &self,
        body: Vec<u8>,
        content_type: &str,
        (name, value): (&str, &str),
        query: Option<&str>,
    ) -> Result<StatusCode, String> {
        let mut url = self.url.clone();
        if let Some(query) = query {
            url.set_query(Some(query));
        }
        let request =
            self.client.post(url).header("content-type", content_type).header(name, value).body(body);
        request.send().await.map(|answer| answer.status()).map_err(|error| why(&error))
    }

    fn plain(&self, opened: Result<Opened<'_>, serde_json::Error>) -> Result<RequestBuilder, String> {
        let body =
            opened.and_then(|opened| serde_json::to_vec(&opened)).map_err(|error| error.to_string())?;
        Ok(self.client.post(self.url.clone()).header("content-type", "application/json").body(body))
    }

    fn signed(&self, record: &Record) -> RequestBuilder {
        let mut request = self.client.post(self.url.clone()).header("content-type", "application/json");
        for (name, value) in record.request.headers() {
            request = request.header(name, value);
        }
        request.body(record.request.body.clone())
    }

    async fn send(&self, request: RequestBuilder, id: &str, attempt: u32) -> Result<StatusCode, String> {
        let answer = request.header(ID, id).header(ATTEMPT, attempt).send().await;
        answer.map(|answer| answer.status()).map_err(|error| why(&error))
    }
}

/// Why there was no answer; without the address, which may be long and private.
fn why(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no answer within {} s", TIMEOUT.as_secs());
    }
    if error.is_connect() {
        return "the address cannot be reached".to_owned();
    }
    "the connection broke before the answer".to_owned()
}

/// Hands on what an inbox gives out.
#[derive(Clone, Debug)]
pub(crate) struct Forwarder {
    pub(crate) target: Target,
    pub(crate) inbox: Arc<dyn Inbox>,
    pub(crate) park_after: u32,
    pub(crate) output: Output,
}

impl Forwarder {
    pub(crate) async fn hand_on(self, delivery: Delivery) -> Result<(), NotHandled> {
        let answer = self.target.send_delivery(&delivery, &*self.inbox).await;
        let status = answer.as_ref().ok().map(StatusCode::as_u16);
        let result = verdict(answer, delivery.attempt, self.park_after);
        let (word, reason) = match &result {
            Ok(()) => ("forwarded", None),
            Err(NotHandled::Later(reason)) => ("put_back", Some(reason)),
            Err(NotHandled::Never(reason)) => ("parked", Some(reason)),
        };
        let (id, attempt) = (&delivery.notification.id, delivery.attempt);
        if self.output.is_json() {
            let line = json!({
                "verdict": word, "id": id.as_str(), "inbox_id": delivery.receipt.id.0, "attempt": attempt,
                "status": status, "reason": reason,
            });
            // That stdout is gone is seen at the next arrival; the notification is handed on all the same.
            let _ = self.output.json(&line);
        } else if let Some(reason) = reason {
            let next = if word == "parked" { "parked" } else { "it is tried again" };
            self.output.talk(format!("{id} was not taken: {reason}; {next}"));
        }
        result
    }
}

/// What an answer means for the notification.
fn verdict(answer: Result<StatusCode, String>, attempt: u32, park_after: u32) -> Result<(), NotHandled> {
    let status = answer.map_err(NotHandled::Later)?;
    if status.is_success() {
        return Ok(());
    }
    let words = format!("the address answered {}", status.as_u16());
    let for_good = match status {
        StatusCode::GONE => true,
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => false,
        status => status.is_client_error() && attempt >= park_after,
    };
    Err(if for_good { NotHandled::Never(words) } else { NotHandled::Later(words) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_2xx_acknowledges_and_only_a_lasting_refusal_parks() {
        let of = |status: u16, attempt| verdict(Ok(StatusCode::from_u16(status).unwrap()), attempt, 3);
        for status in [200, 201, 204, 299] {
            assert_eq!(of(status, 1), Ok(()), "{status}");
        }
        let later = |result| matches!(result, Err(NotHandled::Later(_)));
        for status in [302, 408, 425, 429, 500, 503] {
            assert!(later(of(status, 1)) && later(of(status, 1000)), "{status}");
        }
        for status in [400, 401, 404, 422] {
            assert!(later(of(status, 2)), "{status}");
            assert!(matches!(of(status, 3), Err(NotHandled::Never(_))), "{status}");
        }
        assert!(matches!(of(410, 1), Err(NotHandled::Never(_))));
        assert!(later(verdict(Err("silence".into()), 1000, 3)));
    }
}
