//! `favor card create`, `get`, `list`, `update`, `delete` and `stock`.

use std::path::Path;

use anyhow::bail;
use favor_card::{Card, CardChanges, CardId, CardType, Cards};
use futures_util::{StreamExt as _, pin_mut};
use serde_json::{Value, json};

use super::{Desk, described, file};
use crate::args::{CardStock, CreateCard, ListCards, UpdateCard};
use crate::saved;

pub(crate) async fn create(desk: &Desk<'_>, args: &CreateCard) -> anyhow::Result<()> {
    let value = file::value(&args.file, "card")?;
    refuse_strays(&value, &args.file)?;
    let card: Card = file::typed(&value, &args.file, desk.output)?;
    let cards = Cards::new(&desk.client);
    // Before anybody is asked.
    cards.check(&card)?;
    let kind = card.card_type();
    if args.dry_run {
        if desk.output.is_json() {
            return desk.output.json(&json!({"checked": true, "card_type": kind.as_str()}));
        }
        return desk.output.line(&format!("a good card of type {kind}; nothing was sent"));
    }
    desk.confirm(&format!("create a card of type {kind}"))?;
    let created = cards.create(&card).await?;
    if desk.output.is_json() {
        return desk.output.json(&*created);
    }
    desk.output.facts([
        ("card", created.card_id.to_string()),
        ("next", format!("it is reviewed; favor card get {} shows how that went", created.card_id)),
    ])
}

/// A card is its type and the type's object. What stands beside them has no place in the call, so it would be lost.
fn refuse_strays(card: &Value, file: &Path) -> anyhow::Result<()> {
    let Some((fields, kind)) = card.as_object().zip(card["card_type"].as_str()) else { return Ok(()) };
    let key = CardType::from(kind.to_ascii_uppercase().as_str()).key();
    let strays: Vec<&str> =
        fields.keys().map(String::as_str).filter(|field| *field != "card_type" && *field != key).collect();
    if !strays.is_empty() {
        bail!(
            "{} holds what a card of type {kind} has no place for: {}; beside card_type there is {key} alone, and \
             what belongs to the card stands in it; nothing was sent",
            saved::name(Some(file)),
            strays.join(", ")
        );
    }
    Ok(())
}

pub(crate) async fn get(desk: &Desk<'_>, card_id: &CardId) -> anyhow::Result<()> {
    let answer = Cards::new(&desk.client).get(card_id).await?;
    if desk.output.is_json() {
        return desk.output.json(&answer.card);
    }
    desk.output.facts(described::facts(&answer.card))
}

pub(crate) async fn list(desk: &Desk<'_>, args: &ListCards) -> anyhow::Result<()> {
    let cards = Cards::new(&desk.client);
    let states = (!args.status.is_empty()).then(|| args.status.clone());
    let ids = cards.list_all(states);
    pin_mut!(ids);
    let (mut short, mut long) = (Vec::new(), Vec::new());
    while let Some(id) = ids.next().await {
        let id = id?;
        let card = if args.details { Some(cards.get(&id).await?.into_value().card) } else { None };
        match (desk.output.is_json(), card) {
            (true, Some(card)) => desk.output.json(&json!({"card_id": id, "card": card}))?,
            (true, None) => desk.output.json(&json!({"card_id": id}))?,
            (false, Some(card)) => long.push(row(&id, &card)),
            (false, None) => short.push([id.to_string()]),
        }
    }
    match (desk.output.is_json(), args.details) {
        (true, _) => Ok(()),
        (false, true) => desk.output.rows(["card", "type", "title", "status", "stock"], long, "no cards"),
        (false, false) => desk.output.rows(["card"], short, "no cards"),
    }
}

fn row(id: &CardId, card: &Card) -> [String; 5] {
    let info = card.base_info();
    [
        id.to_string(),
        card.card_type().to_string(),
        info.map(|info| info.title.clone()).unwrap_or_default(),
        info.map(described::status).unwrap_or_default(),
        info.map(described::stock).unwrap_or_default(),
    ]
}

pub(crate) async fn update(desk: &Desk<'_>, args: &UpdateCard) -> anyhow::Result<()> {
    let mut value = file::value(&args.file, "card")?;
    let name = saved::name(Some(&args.file));
    if let Some(object) = value.as_object_mut() {
        // The file that the card was made from says its type beside it, which this call does not take.
        object.remove("card_type");
        if object.len() != 1 {
            bail!(
                "{name} has to hold one object under the key of the card's type, such as [cash.base_info], and holds {}",
                object.len()
            );
        }
    }
    let changes: CardChanges = file::typed(&value, &args.file, desk.output)?;
    desk.confirm(&format!("change card {}", args.card_id))?;
    let updated = Cards::new(&desk.client).update(&args.card_id, &changes).await?;
    if desk.output.is_json() {
        return desk.output.json(&*updated);
    }
    let review = if updated.send_check { "it goes back to review first" } else { "without a new review" };
    desk.output.facts([("card", args.card_id.to_string()), ("changed", review.to_owned())])
}

pub(crate) async fn delete(desk: &Desk<'_>, card_id: &CardId) -> anyhow::Result<()> {
    desk.confirm(&format!("delete card {card_id}"))?;
    Cards::new(&desk.client).delete(card_id).await?;
    if desk.output.is_json() {
        return desk.output.json(&json!({"card_id": card_id, "deleted": true}));
    }
    desk.output.line(&format!("{card_id} is deleted; what users hold stays valid"))
}

pub(crate) async fn stock(desk: &Desk<'_>, args: &CardStock) -> anyhow::Result<()> {
    let (cards, id) = (Cards::new(&desk.client), &args.card_id);
    let (word, by) = match (args.increase, args.reduce) {
        (Some(by), _) => ("more", by),
        (None, by) => ("fewer", by.unwrap_or_default()),
    };
    desk.confirm(&format!("put {by} {word} of card {id} on sale"))?;
    if word == "more" {
        cards.increase_stock(id, by).await?;
    } else {
        cards.reduce_stock(id, by).await?;
    }
    if desk.output.is_json() {
        return desk.output.json(&json!({"card_id": id, "increased": args.increase, "reduced": args.reduce}));
    }
    desk.output.line(&format!("{by} {word} of {id}"))
}
