//! Delivery of events to the account's address: plain, compatible or secure, three attempts in all.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::header::CONTENT_TYPE;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::time::timeout;

use super::account_change::PushMode;
use super::cipher::{self, sorted_sha1};
use super::event::push_text;
use super::reply;
use crate::error::MirrorError;
use crate::ledger::LedgerError;
use crate::ledger::card::accounts::{self, Account};
use crate::ledger::card::events::{self, Outcome, StoredEvent};
use crate::lock;
use crate::merchant::account_name;
use crate::moment::Moment;
use crate::random;
use crate::rules::callback::is_address;
use crate::state::App;

/// Attempts in all.
const ATTEMPTS: i64 = 3;
/// Between one attempt and the next, on the test clock.
const PAUSE: Duration = Duration::from_secs(5);
/// How much of an answer is looked at.
const LONGEST_ANSWER: usize = 64 * 1_024;

/// Events under way.
#[derive(Debug, Default)]
pub(crate) struct Pushes(Mutex<HashSet<i64>>);

/// The right to deliver an event. Dropped, it tells those who wait.
pub(crate) struct Claim {
    app: App,
    id: i64,
}

impl Claim {
    /// `None` when somebody else delivers it.
    pub(crate) fn take(app: &App, id: i64) -> Option<Self> {
        lock::mutex(&app.pushes.0).insert(id).then(|| Self { app: Arc::clone(app), id })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        lock::mutex(&self.app.pushes.0).remove(&self.id);
        self.app.timeline.changed();
    }
}

/// Delivers an event that is due, and records that.
pub(crate) async fn deliver(app: App, claim: Claim) {
    if let Err(error) = attempt(&app, claim.id).await {
        tracing::error!(%error, event = claim.id, "a delivery could not be recorded");
        app.notify.fail();
        app.timeline.changed();
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn attempt(app: &App, id: i64) -> Result<(), LedgerError> {
    let now = app.clocks.now();
    let found = app.ledger.read(move |db| {
        let Some(due) = events::due_now(db, id, now)? else { return Ok(None) };
        let account = accounts::find(db, &due.appid)?;
        Ok(Some((due, account)))
    });
    let Some((due, account)) = found.await? else { return Ok(()) };
    let outcome = match post(app, &due, &account, now).await {
        Ok(status) => Outcome { state: "delivered", next_attempt: None, status: Some(status), error: None },
        Err((status, error)) => {
            let again = due.attempts + 1 < ATTEMPTS;
            Outcome {
                state: if again { "pending" } else { "given_up" },
                next_attempt: again.then(|| now.plus(PAUSE)),
                status,
                error: Some(error),
            }
        }
    };
    let created = due.created;
    app.ledger
        .write(move |db| {
            // A reset in between may have given the number to another one.
            match events::due_now(db, id, now)? {
                Some(held) if held.created == created => events::settle(db, id, &outcome),
                _ => Ok(()),
            }
        })
        .await
}

/// The three values that every request carries, as a query.
fn signed(account: &Account, now: Moment) -> (String, String, String) {
    let timestamp = now.seconds().to_string();
    let nonce = random::alphanumeric(10);
    let signature = sorted_sha1(&[account.token.clone(), timestamp.clone(), nonce.clone()]);
    (format!("signature={signature}&timestamp={timestamp}&nonce={nonce}"), timestamp, nonce)
}

/// Query and body of an event, as the account wants them.
fn message(event: &StoredEvent, account: &Account, now: Moment) -> Result<(String, String), String> {
    let (mut query, timestamp, nonce) = signed(account, now);
    let openid = utf8_percent_encode(&event.openid, NON_ALPHANUMERIC);
    query.push_str(&format!("&openid={openid}"));
    if account.mode == PushMode::Plain {
        return Ok((query, event.xml.clone()));
    }
    let start = random::alphanumeric(16).into_bytes().try_into().map_err(|_| "no randomness")?;
    let key = cipher::key(&account.aes_key).ok_or("the EncodingAESKey has not 43 characters of base64")?;
    let sealed = cipher::encrypt(key, start, &event.xml, &event.appid).ok_or("it cannot be encrypted")?;
    let signature = sorted_sha1(&[account.token.clone(), timestamp, nonce, sealed.clone()]);
    query.push_str(&format!("&encrypt_type=aes&msg_signature={signature}"));
    let mut encrypt = String::new();
    push_text(&mut encrypt, "Encrypt", &sealed);
    let body = if account.mode == PushMode::Compatible {
        event.xml.replace("</xml>", &format!("{encrypt}</xml>"))
    } else {
        let mut body = String::from("<xml>");
        push_text(&mut body, "ToUserName", &account_name(&event.appid));
        format!("{body}{encrypt}</xml>")
    };
    Ok((query, body))
}

type Refused = (Option<i64>, String);

async fn post(app: &App, event: &StoredEvent, account: &Account, now: Moment) -> Result<i64, Refused> {
    let url = account.url.as_deref().ok_or((None, "the account has no address any more".to_owned()))?;
    let (query, body) = message(event, account, now).map_err(|error| (None, error))?;
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
        let mut response = request.send().await.map_err(|error| error.without_url().to_string())?;
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
