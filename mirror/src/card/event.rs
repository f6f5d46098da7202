//! Events: what is pushed, as XML.

use std::fmt::Write as _;

use rusqlite::Connection;

use crate::ledger::card::{accounts, events};
use crate::merchant::account_name;
use crate::moment::Moment;

/// A value of an element.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Field<'a> {
    /// In CDATA.
    Text(&'a str),
    /// Bare.
    Number(i64),
}

/// Who sends events that are about no user: reviews and stock. The platform's name for it is not known; it is no one of
/// interest, and there is always one.
const SENDER: &str = "oMirrorOfThePlatformItself00";

/// Keeps an event, to be delivered at once where the account has an address. `openid` is whom it is about, empty where
/// that is nobody.
pub(crate) fn raise(
    db: &Connection,
    appid: &str,
    openid: &str,
    event: &str,
    fields: &[(&str, Field<'_>)],
    now: Moment,
) -> rusqlite::Result<()> {
    let openid = if openid.is_empty() { SENDER } else { openid };
    let xml = xml(appid, openid, event, fields, now);
    let goes = accounts::find(db, appid)?.url.is_some();
    events::insert(db, (appid, openid), (event, &xml), goes, now)
}

fn xml(appid: &str, openid: &str, event: &str, fields: &[(&str, Field<'_>)], now: Moment) -> String {
    let mut xml = String::from("<xml>");
    let name = account_name(appid);
    let head = [
        ("ToUserName", Field::Text(&name)),
        ("FromUserName", Field::Text(openid)),
        ("CreateTime", Field::Number(now.seconds())),
        ("MsgType", Field::Text("event")),
        ("Event", Field::Text(event)),
    ];
    for (key, value) in head.iter().chain(fields) {
        match value {
            Field::Text(text) => push_text(&mut xml, key, text),
            // Writing into a text cannot fail.
            Field::Number(number) => write!(xml, "<{key}>{number}</{key}>").unwrap_or_default(),
        }
    }
    xml.push_str("</xml>");
    xml
}

/// CDATA, whatever the text: its end inside is split, and what XML cannot hold is left out.
pub(super) fn push_text(xml: &mut String, key: &str, text: &str) {
    let holds = |c: &char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..);
    let text: String = text.chars().filter(holds).collect();
    let text = text.replace("]]>", "]]]]><![CDATA[>");
    write!(xml, "<{key}><![CDATA[{text}]]></{key}>").unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_cannot_break_out() {
        let mut xml = String::new();
        push_text(&mut xml, "A", "x]]><B>\u{0}y");
        assert_eq!(xml, "<A><![CDATA[x]]]]><![CDATA[><B>y]]></A>");
    }
}
