//! One pushed event, as it is printed and handed on.

use favor_card::event::{Event, Message};
use favor_core::time;
use serde_json::{Map, Value, json};

/// Everything an event says. Elements that come more than once are a list.
pub(crate) fn json_of(message: &Message) -> Value {
    let mut fields = Map::new();
    for (name, text) in message.fields() {
        match fields.get_mut(name) {
            None => drop(fields.insert(name.to_owned(), text.into())),
            Some(Value::Array(all)) => all.push(text.into()),
            Some(one) => *one = json!([one.take(), text]),
        }
    }
    json!({
        "key": message.key(),
        "event": if message.name.is_empty() { &message.msg_type } else { &message.name },
        "known": !matches!(message.event, Event::Unknown),
        "create_time": time::to_wire(&message.create_time),
        "account": message.to_user_name,
        "openid": message.from_user_name.as_str(),
        "encrypted": message.is_encrypted(),
        "fields": fields,
    })
}

/// The same on one line, for people: without openid and code.
pub(crate) fn line_of(message: &Message) -> String {
    let name = if message.name.is_empty() { &message.msg_type } else { &message.name };
    let card = message.field("CardId").or_else(|| message.field("OrderId")).unwrap_or_default();
    format!("{}  {name}  {card}", crate::stock::local(&message.create_time)).trim_end().to_owned()
}
