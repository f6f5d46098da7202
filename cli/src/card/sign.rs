//! `favor card sign …`: what pages hand to WeChat.

use favor_card::{CardExt, ChooseCard};
use serde::Serialize;
use serde_json::Value;

use super::Desk;
use crate::args::{CardSign, Private};

pub(crate) async fn run(desk: &Desk<'_>, command: &CardSign) -> anyhow::Result<()> {
    match command {
        CardSign::CardExt(args) => {
            let mut card = CardExt::new(args.card_id.clone());
            card.code = args.code.as_ref().map(Private::code).transpose()?;
            card.openid = args.openid.as_ref().map(Private::openid).transpose()?;
            card.outer_str = args.channel.clone();
            for signed in desk.client.sign_cards(&[card]).await? {
                show(desk, &signed.entry())?;
            }
            Ok(())
        }
        CardSign::Choose(args) => {
            let mut choice = ChooseCard::new();
            choice.shop_id = args.shop.clone();
            choice.card_type = args.card_type.clone();
            choice.card_id = args.card.clone();
            show(desk, &desk.client.sign_choice(&choice).await?)
        }
        CardSign::Page { url } => show(desk, &desk.client.sign_page(url).await?),
    }
}

/// Under the names that the page uses.
fn show(desk: &Desk<'_>, signed: &impl Serialize) -> anyhow::Result<()> {
    if desk.output.is_json() {
        return desk.output.json(signed);
    }
    let object = serde_json::to_value(signed)?;
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let facts = object.as_object().into_iter().flatten();
    desk.output.facts(facts.map(|(name, value)| (name.as_str(), text(value))))
}
