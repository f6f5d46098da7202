//! A code gets a holder, who is told of in `user_get_card`.

use super::ask::{Ask, Failed};
use super::event::{self, Field};
use crate::ledger::card::cards::Card;
use crate::ledger::card::codes::{Code, State};
use crate::random;

/// A code is in this user's hands from now on, under a new encrypted form.
pub(super) fn hand_over(code: &mut Code, openid: &str) {
    use base64::Engine as _;
    code.state = State::Normal;
    openid.clone_into(&mut code.openid);
    let secret = random::alphanumeric(60);
    code.encrypted = Some(base64::engine::general_purpose::STANDARD.encode(format!("{secret}\u{fb}\u{ff}")));
}

/// What the event of a new holder says.
#[derive(Default)]
pub(super) struct Received<'a> {
    pub(super) giver: &'a str,
    pub(super) old_code: &'a str,
    pub(super) restored: bool,
    pub(super) recommended: bool,
    pub(super) union_id: Option<&'a str>,
}

pub(super) fn received(ask: &Ask<'_>, card: &Card, code: &Code, told: &Received<'_>) -> Result<(), Failed> {
    let mut fields = vec![
        ("CardId", Field::Text(&card.card_id)),
        ("IsGiveByFriend", Field::Number(i64::from(!told.giver.is_empty()))),
        ("UserCardCode", Field::Text(&code.code)),
        ("FriendUserName", Field::Text(told.giver)),
        ("OuterId", Field::Number(code.outer_id)),
        ("OldUserCardCode", Field::Text(told.old_code)),
        ("OuterStr", Field::Text(&code.outer_str)),
        ("IsRestoreMemberCard", Field::Number(i64::from(told.restored))),
        ("IsRecommendByFriend", Field::Number(i64::from(told.recommended))),
    ];
    fields.extend(told.union_id.map(|id| ("UnionId", Field::Text(id))));
    event::raise(ask.db, ask.appid, &code.openid, "user_get_card", &fields, ask.now)?;
    Ok(())
}
