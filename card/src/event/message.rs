//! One pushed message.

use std::fmt;

use favor_core::{OpenId, Timestamp};
use sha1::{Digest, Sha1};

use super::model::Event;
use super::rejection::Rejection;
use super::xml::Fields;
use crate::sign::hex;
use crate::wire;

/// A message whose signature holds. Debug shows its event without openids, and none of the other fields.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Message {
    /// The account, as `gh_…`.
    pub to_user_name: String,
    /// The user it is about; for reviews the sender.
    pub from_user_name: OpenId,
    /// When it happened.
    pub create_time: Timestamp,
    /// `event`, or the kind of a user's message.
    pub msg_type: String,
    /// The event's name as it came; empty for what is no event.
    pub name: String,
    /// What it says.
    pub event: Event,
    fields: Fields,
    is_encrypted: bool,
}

impl Message {
    pub(crate) fn read(fields: Fields, is_encrypted: bool) -> Result<Self, Rejection> {
        let missing = |name| Rejection::Incomplete { field: name };
        let text = |name: &'static str| fields.get(name).filter(|text| !text.is_empty()).ok_or(missing(name));
        let create_time = wire::integer(text("CreateTime")?).and_then(wire::moment);
        let msg_type = text("MsgType")?.to_owned();
        let name = fields.get("Event").unwrap_or_default().to_owned();
        let event =
            if msg_type.eq_ignore_ascii_case("event") { Event::read(&name, &fields) } else { Event::Unknown };
        Ok(Self {
            to_user_name: text("ToUserName")?.to_owned(),
            from_user_name: OpenId::new(text("FromUserName")?).map_err(|_| missing("FromUserName"))?,
            create_time: create_time.ok_or(missing("CreateTime"))?,
            msg_type,
            name,
            event,
            fields,
            is_encrypted,
        })
    }

    /// Every element by its name and text, those that this version does not know too. They may hold personal data.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter()
    }

    /// The text of one element.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name)
    }

    /// Whether it came encrypted, so that it surely came from the platform: a plain message is not covered by its
    /// signature.
    pub fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }

    /// What it is told apart by: repeats have the same key. Put it under a unique index to do nothing twice, also
    /// after a restart.
    pub fn key(&self) -> String {
        let mut hash = Sha1::new();
        // Sealed anew for each delivery, so no part of what it says; it stands beside the plain form in compatible mode.
        for (name, text) in self.fields.iter().filter(|(name, _)| *name != "Encrypt") {
            for part in [name, text] {
                hash.update(part.len().to_be_bytes());
                hash.update(part);
            }
        }
        hex(&hash.finalize())
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("name", &self.name)
            .field("create_time", &self.create_time)
            .field("event", &self.event)
            .field("is_encrypted", &self.is_encrypted)
            .finish_non_exhaustive()
    }
}
