//! Cards that a seed holds, made by the same rules as those of the API.

use rusqlite::Connection;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::ask::{Ask, Failed};
use super::body::Body;
use super::{create, due, templates};
use crate::ledger::card::cards::NOT_VERIFY;
use crate::moment::Moment;

/// What has been done to a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Stage {
    /// Made, and in review as its account has it.
    Review,
    #[default]
    Passed,
    Refused,
    Deleted,
}

/// What the review says of a card that is to be refused.
const REASON: &str = "the seed has it refused";

/// Makes a card and brings it to its stage.
pub(crate) fn put(
    db: &Connection,
    appid: &str,
    now: Moment,
    body: &Map<String, Value>,
    stage: Stage,
) -> Result<(), Failed> {
    let made = create::create(&Ask { db, appid, now, body: Body(body) })?;
    let ask = Ask { db, appid, now, body: Body(&made) };
    let mut card = ask.any_card()?;
    debug_assert_eq!(card.status, NOT_VERIFY, "a new card waits for its review");
    match stage {
        Stage::Review => Ok(()),
        Stage::Passed => Ok(due::review(db, &mut card, None, now)?),
        Stage::Refused => Ok(due::review(db, &mut card, Some(REASON), now)?),
        Stage::Deleted => templates::delete(&ask).map(drop),
    }
}
