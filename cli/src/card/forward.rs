//! Handing events on to an address, before they are accepted.

use std::time::Duration;

use favor_card::event::Message;
use http::StatusCode;

use super::pushed;
use crate::args::{EventForm, Form};
use crate::callback::forward::Target;

/// The platform waits 5 s for its answer.
const PATIENCE: Duration = Duration::from_secs(4);
const KEY: &str = "Favor-Event-Key";

/// An address, and what it is sent.
#[derive(Debug)]
pub(crate) struct Forwarder {
    target: Target,
    form: EventForm,
}

impl Forwarder {
    pub(crate) fn new(url: &str, form: EventForm) -> anyhow::Result<Self> {
        Ok(Self { target: Target::new(url, Form::Plain)?, form })
    }

    /// The status of an answer that takes the event; else the status, where there is one, and why it is not taken.
    pub(crate) async fn hand_on(
        &self,
        message: &Message,
        query: &str,
        body: &[u8],
    ) -> Result<u16, (Option<u16>, String)> {
        let key = message.key();
        let header = (KEY, key.as_str());
        let sending = async {
            match self.form {
                EventForm::Plain => {
                    let body = pushed::json_of(message).to_string().into_bytes();
                    self.target.send_bytes(body, "application/json", header, None).await
                }
                EventForm::Signed => {
                    let body = body.to_vec();
                    self.target.send_bytes(body, "text/xml; charset=utf-8", header, Some(query)).await
                }
            }
        };
        let Ok(answer) = tokio::time::timeout(PATIENCE, sending).await else {
            return Err((None, format!("no answer within {} s", PATIENCE.as_secs())));
        };
        let status: StatusCode = answer.map_err(|reason| (None, reason))?;
        if status.is_success() {
            return Ok(status.as_u16());
        }
        Err((Some(status.as_u16()), format!("the address answered {}", status.as_u16())))
    }
}
