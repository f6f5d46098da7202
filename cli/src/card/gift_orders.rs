//! `favor card gift order …`

use favor_card::{Fen, GiftOrder as Order, GiftOrders, ListGiftOrders, SortType};
use serde_json::json;

use super::Desk;
use crate::args::{self, GiftOrder};
use crate::stock::local;

/// As many as one call gives.
const PAGE: i64 = 100;

pub(crate) async fn run(desk: &Desk<'_>, command: &GiftOrder) -> anyhow::Result<()> {
    let orders = GiftOrders::new(&desk.client);
    match command {
        GiftOrder::Get(args) => {
            let answer = orders.get(&args.order_id).await?;
            if desk.output.is_json() {
                return desk.output.json(&answer.order);
            }
            desk.output.facts(facts(&answer.order))
        }
        GiftOrder::List(args) => list(desk, &orders, args).await,
        GiftOrder::Refund(args) => {
            let id = &args.order_id;
            desk.confirm(&format!(
                "give the money of gift order {id} back and make its cards invalid, which cannot be undone,"
            ))?;
            orders.refund(id).await?;
            desk.done(
                &json!({"order_id": id, "refunded": true}),
                &format!("the money of {id} goes back; its cards are invalid"),
            )
        }
    }
}

async fn list(desk: &Desk<'_>, orders: &GiftOrders, args: &args::ListGiftOrders) -> anyhow::Result<()> {
    let sort = if args.newest { SortType::Descending } else { SortType::Ascending };
    let mut all = Vec::new();
    loop {
        let offset = i64::try_from(all.len())?;
        let request = ListGiftOrders::new(args.from, args.to, sort.clone(), offset, PAGE);
        let page = orders.list(&request).await?.into_value();
        let is_last = page.order_list.is_empty();
        all.extend(page.order_list);
        if is_last || i64::try_from(all.len())? >= page.total_count {
            break;
        }
    }
    if desk.output.is_json() {
        return all.iter().try_for_each(|order| desk.output.json(order));
    }
    let rows = all.iter().map(row).collect();
    desk.output.rows(["order", "made", "paid", "price", "cards"], rows, "no orders in this time")
}

fn row(order: &Order) -> [String; 5] {
    [
        order.order_id.clone(),
        order.create_time.as_ref().map(local).unwrap_or_default(),
        order.pay_finish_time.as_ref().map(local).unwrap_or_default(),
        price(order.total_price),
        order.card_list.len().to_string(),
    ]
}

fn price(price: Option<Fen>) -> String {
    price.map(|price| price.to_string()).unwrap_or_default()
}

fn facts(order: &Order) -> Vec<(&'static str, String)> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let mut facts = vec![
        ("order", order.order_id.clone()),
        ("page", text(&order.page_id)),
        ("transaction", text(&order.trans_id)),
        ("made", order.create_time.as_ref().map(local).unwrap_or_default()),
        ("paid", order.pay_finish_time.as_ref().map(local).unwrap_or_default()),
        ("price", price(order.total_price)),
        ("buyer", order.buyer.as_ref().map(|openid| openid.as_str().to_owned()).unwrap_or_default()),
        ("receiver", order.receiver.as_ref().map(|openid| openid.as_str().to_owned()).unwrap_or_default()),
        ("channel", text(&order.outer_str)),
    ];
    if order.is_chat_room == Some(true) {
        facts.push(("went to", "a group".to_owned()));
    }
    for card in &order.card_list {
        let code = card.code.as_ref().map(|code| format!(", code {code}")).unwrap_or_default();
        let price = card.price.map(|price| format!(", {price}")).unwrap_or_default();
        facts.push(("card", format!("{}{price}{code}", card.card_id)));
    }
    facts.retain(|(_, value)| !value.is_empty());
    facts
}
