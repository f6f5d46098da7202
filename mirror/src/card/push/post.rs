//! One request to the account's address, and what it answers.

use http::header::CONTENT_TYPE;
use tokio::time::timeout;

use super::message::{message, signed, spoil};
use crate::card::reply;
use crate::error::MirrorError;
use crate::fault::FaultKind;
use crate::ledger::card::accounts::Account;
use crate::ledger::card::events::StoredEvent;
use crate::moment::Moment;
use crate::notify::words;
use crate::random;
use crate::rules::callback::is_address;
use crate::state::App;

/// How much of an answer is looked at.
const LONGEST_ANSWER: usize = 64 * 1_024;

/// Status and reason.
pub(super) type Refused = (Option<i64>, String);

/// Sends an event once, with what a fault does to it.
pub(super) async fn post(
    app: &App,
    event: &StoredEvent,
    account: &Account,
    fault: Option<&FaultKind>,
    now: Moment,
) -> Result<i64, Refused> {
    let url = account.url.as_deref().ok_or((None, "the account has no address any more".to_owned()))?;
    let (mut query, mut body) = message(event, account, now).map_err(|error| (None, error))?;
    if let Some(kind) = fault {
        spoil(kind, &mut query, &mut body);
    }
    let client = client(app, url).map_err(|error| (None, error))?;
    let request = client.post(format!("{url}?{query}")).header(CONTENT_TYPE, "text/xml").body(body);
    let (status, answer) = answered(app, request).await.map_err(|error| (None, error))?;
    let status_ = Some(i64::from(status));
    if status != 200 {
        return Err((status_, "only 200 acknowledges".to_owned()));
    }
    match reply::check(&answer, account, &event.appid) {
        Ok(()) => Ok(i64::from(status)),
        Err(reason) => Err((status_, reason.to_owned())),
    }
}

fn client<'a>(app: &'a App, url: &str) -> Result<&'a reqwest::Client, String> {
    if !is_address(url) {
        return Err("the address is neither https nor plain http to this machine".to_owned());
    }
    app.notify.client(url.starts_with("https:"))
}

/// Status and the beginning of the body, in the time that receivers have.
async fn answered(app: &App, request: reqwest::RequestBuilder) -> Result<(u16, String), String> {
    let patience = app.notify.patience();
    let exchange = async {
        let mut response = request.send().await.map_err(words)?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Ok(Some(piece)) = response.chunk().await {
            body.extend_from_slice(&piece);
            if body.len() > LONGEST_ANSWER {
                body.truncate(LONGEST_ANSWER);
                break;
            }
        }
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    };
    timeout(patience, exchange).await.map_err(|_| format!("no answer within {} ms", patience.as_millis()))?
}

/// Whether an address answers the echostr, as when it is saved in the console.
pub(crate) async fn check_address(app: &App, account: &Account) -> Result<(), MirrorError> {
    let refuse = |reason: String| MirrorError::Refused { reason };
    let Some(url) = &account.url else { return Ok(()) };
    let (query, ..) = signed(account, app.clocks.now());
    let echo = random::alphanumeric(19);
    let client = client(app, url).map_err(refuse)?;
    let request = client.get(format!("{url}?{query}&echostr={echo}"));
    let (status, answer) = answered(app, request).await.map_err(refuse)?;
    if status == 200 && answer == echo {
        return Ok(());
    }
    Err(refuse(format!("the address answered the echostr with status {status} and another text")))
}
