//! Access tokens and tickets.
//!
//! A plain token takes the place of the one before, which stays valid for five minutes. The stable token is the same
//! for everybody until the last five minutes of its life. The two know nothing of each other.

use rusqlite::Connection;
use serde_json::{Map, Value};

use super::ask::{Failed, Told, ensure, told};
use super::body::Body;
use super::record::TokensIssued;
use crate::directory::Directory;
use crate::ledger::card::tokens::{self, Kind, Latest};
use crate::merchant::app_secret;
use crate::moment::Moment;
use crate::random;
use crate::rules::card::{
    APPID, CREDENTIAL, DAILY_LIMIT, EXPIRED, GRANT_TYPE, NO_APPID, NO_SECRET, NO_TOKEN, PARAMETER, SECRET,
    TOKEN, TOO_FREQUENT,
};

/// Life of a token and of a ticket, in seconds.
pub(crate) const LIFE: i64 = 7_200;
/// How long a token is valid beside its successor, in seconds.
pub(crate) const OVERLAP: i64 = 300;
const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const DAY: i64 = 24 * 60 * MINUTE;
/// Calls for the stable token, in a minute and in a day.
const STABLE_A_MINUTE: i64 = 10_000;
const STABLE_A_DAY: i64 = 500_000;
/// Forced refreshes in a day, and the pause between two, in milliseconds.
const FORCED_A_DAY: i64 = 20;
const FORCED_PAUSE: i64 = 30 * SECOND;

/// Who asks for a token.
pub(crate) fn credentials(
    merchants: &Directory,
    given: (Option<&str>, Option<&str>, Option<&str>),
) -> Result<String, Failed> {
    let (grant_type, appid, secret) = given;
    ensure(grant_type == Some("client_credential"), &GRANT_TYPE)?;
    let appid = appid.filter(|appid| !appid.is_empty()).ok_or(&NO_APPID)?;
    let secret = secret.filter(|secret| !secret.is_empty()).ok_or(&NO_SECRET)?;
    ensure(merchants.owner_of(appid).is_some(), &APPID)?;
    ensure(app_secret(appid) == secret, &SECRET)?;
    Ok(appid.to_owned())
}

/// `GET /cgi-bin/token`: always a new one.
pub(crate) fn plain(db: &Connection, appid: &str, now: Moment) -> Told {
    let ends = now.plus_millis(OVERLAP * SECOND);
    tokens::replace(db, appid, Kind::Plain, ends)?;
    let token = new_token();
    tokens::insert(db, appid, Kind::Plain, &token, now, now.plus_millis(LIFE * SECOND))?;
    Ok(told! {"access_token": token, "expires_in": LIFE})
}

/// `POST /cgi-bin/stable_token`
pub(crate) fn stable(db: &Connection, appid: &str, body: &Map<String, Value>, now: Moment) -> Told {
    let forced = Body(body).flag("force_refresh")?.unwrap_or(false);
    let calls = tokens::count(db, appid, "stable by minute", now, MINUTE)?;
    ensure(calls <= STABLE_A_MINUTE, &TOO_FREQUENT)?;
    let calls = tokens::count(db, appid, "stable by day", now, DAY)?;
    ensure(calls <= STABLE_A_DAY, &DAILY_LIMIT)?;
    let latest = tokens::latest(db, appid, Kind::Stable)?.filter(|latest| latest.expires > now);
    let left = latest.as_ref().map_or(0, |latest| (latest.expires.millis() - now.millis()) / SECOND);
    if let Some(Latest { token, .. }) = latest {
        let refreshes = forced && may_force(db, appid, now)?;
        if !refreshes && left >= OVERLAP {
            return Ok(told! {"access_token": token, "expires_in": left});
        }
        let ends = if refreshes { now } else { now.plus_millis(OVERLAP * SECOND) };
        tokens::replace(db, appid, Kind::Stable, ends)?;
    }
    let token = new_token();
    tokens::insert(db, appid, Kind::Stable, &token, now, now.plus_millis(LIFE * SECOND))?;
    Ok(told! {"access_token": token, "expires_in": LIFE})
}

/// Whether a forced refresh happens; one too many is answered with the token there is.
fn may_force(db: &Connection, appid: &str, now: Moment) -> Result<bool, Failed> {
    let held = tokens::quota(db, appid, "forced", now, DAY)?;
    let early = held.last.is_some_and(|last| now.millis() - last.millis() < FORCED_PAUSE);
    if held.calls >= FORCED_A_DAY || early {
        return Ok(false);
    }
    tokens::count(db, appid, "forced", now, DAY)?;
    Ok(true)
}

fn new_token() -> String {
    format!("68_{}", random::alphanumeric(133))
}

/// The account that a token is for.
pub(crate) fn check(db: &Connection, token: Option<&str>, now: Moment) -> Result<String, Failed> {
    let token = token.filter(|token| !token.is_empty()).ok_or(&NO_TOKEN)?;
    let held = tokens::find(db, token)?.ok_or(&TOKEN)?;
    ensure(held.ends.is_none_or(|ends| now < ends), &CREDENTIAL)?;
    ensure(now < held.expires, &EXPIRED)?;
    Ok(held.appid)
}

/// `GET /cgi-bin/ticket/getticket`: the same until the last five minutes of its life.
pub(crate) fn ticket(db: &Connection, appid: &str, kind: Option<&str>, now: Moment) -> Told {
    let kind = kind.filter(|kind| matches!(*kind, "wx_card" | "jsapi")).ok_or(&PARAMETER)?;
    let held = tokens::ticket(db, appid, kind)?;
    let left = held.as_ref().map_or(0, |held| (held.expires.millis() - now.millis()) / SECOND);
    let (ticket, left) = match held {
        Some(held) if left >= OVERLAP => (held.ticket, left),
        _ => {
            let ticket = random::alphanumeric(86);
            tokens::save_ticket(db, appid, kind, &ticket, now.plus_millis(LIFE * SECOND))?;
            (ticket, LIFE)
        }
    };
    Ok(told! {"ticket": ticket, "expires_in": left})
}

/// What the control page shows: how many were issued, and none of them.
pub(crate) fn counts(db: &Connection, appid: &str) -> rusqlite::Result<TokensIssued> {
    let issued = |kind| tokens::issued(db, appid, kind);
    Ok(TokensIssued { plain: issued(Kind::Plain)?, stable: issued(Kind::Stable)? })
}
