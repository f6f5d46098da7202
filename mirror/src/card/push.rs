//! Delivery of events to the account's address: plain, compatible or secure, three attempts in all.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::header::CONTENT_TYPE;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::account_change::PushMode;
use super::cipher::{self, sorted_sha1};
use super::event::push_text;
use super::reply;
use crate::error::MirrorError;
use crate::fault::{FaultKind, FaultPlace, FaultRule, Subject};
use crate::ledger::LedgerError;
use crate::ledger::card::accounts::{self, Account};
use crate::ledger::card::events::{self, Outcome, StoredEvent};
use crate::lock;
use crate::merchant::account_name;
use crate::moment::Moment;
use crate::random;
use crate::rules::callback::is_address;
use crate::state::App;

/// The name of a delivery in fault rules.
pub(crate) const PUSH: &str = "card.event";
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
    let rule = if due.held { None } else { strike(app, &due) };
    if let Some(FaultKind::Hold { seconds }) = rule.as_ref().map(|rule| &rule.kind) {
        let (until, created) = (now.plus(Duration::from_secs(*seconds)), due.created);
        let hold = move |db: &rusqlite::Connection| match events::due_now(db, id, now)? {
            Some(held) if held.created == created => events::hold(db, id, until),
            _ => Ok(()),
        };
        return app.ledger.write(hold).await;
    }
    let mut faults = if due.held { vec!["hold"] } else { Vec::new() };
    faults.extend(rule.as_ref().map(|rule| rule.kind.name()));
    let faults = faults.join(",");
    let outcome = match perform(app, &due, &account, rule).await {
        Ok(status) => {
            Outcome { state: "delivered", next_attempt: None, status: Some(status), error: None, faults }
        }
        Err((status, error)) => {
            let again = due.attempts + 1 < ATTEMPTS;
            Outcome {
                state: if again { "pending" } else { "given_up" },
                next_attempt: again.then(|| now.plus(PAUSE)),
                status,
                error: Some(error),
                faults,
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

/// Delivers an event once more, whatever has become of it. Its schedule stays, unless it is acknowledged.
pub(crate) async fn replay(app: App, id: i64) -> Result<(), MirrorError> {
    let found = app.ledger.read(move |db| {
        let Some(event) = events::find(db, id)? else { return Ok(None) };
        let account = accounts::find(db, &event.appid)?;
        Ok(Some((event, account)))
    });
    let (event, account) = found.await?.ok_or(MirrorError::NotFound { what: "event" })?;
    // One that is replayed is not put off.
    let rule = strike(&app, &event).filter(|rule| !matches!(rule.kind, FaultKind::Hold { .. }));
    let faults = rule.as_ref().map_or("", |rule| rule.kind.name()).to_owned();
    let told = perform(&app, &event, &account, rule).await;
    let created = event.created;
    let record = move |db: &rusqlite::Connection| {
        let Some(held) = events::find(db, id)?.filter(|held| held.created == created) else { return Ok(()) };
        let outcome = match told {
            Ok(status) => {
                Outcome { state: "delivered", next_attempt: None, status: Some(status), error: None, faults }
            }
            Err((status, error)) => Outcome {
                state: held.state_name(),
                next_attempt: held.next_attempt,
                status,
                error: Some(error),
                faults,
            },
        };
        events::settle(db, id, &outcome)
    };
    app.ledger.write(record).await?;
    app.timeline.changed();
    Ok(())
}

fn strike(app: &App, event: &StoredEvent) -> Option<FaultRule> {
    let subject = Subject {
        operation: PUSH,
        openid: Some(&event.openid).filter(|id| !id.is_empty()).map(String::as_str),
    };
    app.faults.strike(FaultPlace::AfterCommit, subject)
}

/// Sends one copy, or as many as a fault wants, at once. One that is acknowledged is enough.
async fn perform(
    app: &App,
    event: &StoredEvent,
    account: &Account,
    rule: Option<FaultRule>,
) -> Result<i64, Refused> {
    if let Some(rule) = &rule {
        tokio::time::sleep(rule.delay).await;
    }
    let now = app.clocks.now();
    let copies = match rule.as_ref().map(|rule| &rule.kind) {
        Some(FaultKind::Duplicate { copies }) => *copies,
        _ => 1,
    };
    let mut deliveries = JoinSet::new();
    for _ in 0..copies {
        let (app, event, account) = (Arc::clone(app), event.clone(), account.clone());
        let kind = rule.as_ref().map(|rule| rule.kind.clone());
        deliveries.spawn(async move { post(&app, &event, &account, kind.as_ref(), now).await });
    }
    let mut told = deliveries.join_all().await;
    let best = told.iter().position(Result::is_ok).unwrap_or(0);
    told.swap_remove(best)
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

/// Carries a fault out on what is about to be sent.
fn spoil(kind: &FaultKind, query: &mut String, body: &mut String) {
    let is_signature = |pair: &str| pair.starts_with("signature=") || pair.starts_with("msg_signature=");
    match kind {
        FaultKind::CorruptSignature => {
            let pairs = query.split('&').map(|pair| match pair.strip_suffix('0') {
                Some(front) if is_signature(pair) => format!("{front}1"),
                _ if is_signature(pair) => format!("{}0", &pair[..pair.len() - 1]),
                _ => pair.to_owned(),
            });
            *query = pairs.collect::<Vec<_>>().join("&");
        }
        FaultKind::MissingSignature { .. } => {
            *query = query.split('&').filter(|pair| !is_signature(pair)).collect::<Vec<_>>().join("&");
        }
        // What is sealed is not what was signed any more; what is in clear is cut off, since nothing signs it.
        FaultKind::CorruptBody => match body.find("<Encrypt><![CDATA[") {
            Some(start) => {
                let place = start + "<Encrypt><![CDATA[".len();
                let other = if body[place..].starts_with('A') { "B" } else { "A" };
                body.replace_range(place..=place, other);
            }
            None => body.truncate(body.len().saturating_sub("</xml>".len())),
        },
        _ => {}
    }
}

type Refused = (Option<i64>, String);

async fn post(
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_change_signature_or_body() {
        let spoiled = |kind: FaultKind, body: &str| {
            let mut query = "signature=a0&timestamp=1&msg_signature=b7".to_owned();
            let mut body = body.to_owned();
            spoil(&kind, &mut query, &mut body);
            (query, body)
        };
        let (query, body) = spoiled(FaultKind::CorruptSignature, "<xml></xml>");
        assert_eq!(
            (query.as_str(), body.as_str()),
            ("signature=a1&timestamp=1&msg_signature=b0", "<xml></xml>")
        );
        let (query, _) = spoiled(FaultKind::MissingSignature { header: None }, "");
        assert_eq!(query, "timestamp=1");
        assert_eq!(spoiled(FaultKind::CorruptBody, "<xml><A>1</A></xml>").1, "<xml><A>1</A>");
        let sealed = "<xml><Encrypt><![CDATA[Axy]]></Encrypt></xml>";
        assert_eq!(spoiled(FaultKind::CorruptBody, sealed).1, sealed.replace("Axy", "Bxy"));
    }
}
