//! `favor card coins …`

use favor_card::{CoinOrder, CoinOrderSort, CoinOrderStatus, CoinOrderType, Coins, ListCoinOrders};

use super::Desk;
use crate::args::{CardCoins, CoinOrders};
use crate::stock::local;

/// As many as are asked for at a time.
const PAGE: i64 = 50;

pub(crate) async fn run(desk: &Desk<'_>, command: &CardCoins) -> anyhow::Result<()> {
    let coins = Coins::new(&desk.client);
    match command {
        CardCoins::Balance => {
            let balance = coins.balance().await?;
            if desk.output.is_json() {
                return desk.output.json(&*balance);
            }
            let all = [("free", balance.free_coin), ("paid", balance.pay_coin), ("all", balance.total_coin)];
            desk.output
                .facts(all.into_iter().filter_map(|(name, coins)| Some((name, format!("{} coins", coins?)))))
        }
        CardCoins::Orders(args) => orders(desk, &coins, args).await,
        CardCoins::Order { order_id } => {
            let answer = coins.order(order_id).await?;
            if desk.output.is_json() {
                return desk.output.json(&answer.order_info);
            }
            desk.output.facts(facts(&answer.order_info))
        }
    }
}

async fn orders(desk: &Desk<'_>, coins: &Coins, args: &CoinOrders) -> anyhow::Result<()> {
    let mut all = Vec::new();
    loop {
        let offset = i64::try_from(all.len())?;
        let mut request = ListCoinOrders::new(offset, PAGE);
        request.order_type = args.kind.clone();
        request.begin_time = args.from;
        request.end_time = args.to;
        request.sort_info = Some(CoinOrderSort::newest_first());
        let page = coins.orders(&request).await?.into_value();
        let is_last = page.order_list.is_empty();
        all.extend(page.order_list);
        if is_last || i64::try_from(all.len())? >= page.total_num {
            break;
        }
    }
    if desk.output.is_json() {
        return all.iter().try_for_each(|order| desk.output.json(order));
    }
    let rows = all.iter().map(row).collect();
    desk.output.rows(["order", "made", "what", "state", "coins"], rows, "no orders")
}

fn row(order: &CoinOrder) -> [String; 5] {
    [
        order.order_id.clone(),
        order.create_time.as_ref().map(local).unwrap_or_default(),
        order.order_type.as_ref().map(kind).unwrap_or_default(),
        order.status.as_ref().map(state).unwrap_or_default(),
        used(order.free_coin_count, order.pay_coin_count),
    ]
}

/// Free and paid coins.
fn used(free: Option<i64>, paid: Option<i64>) -> String {
    match (free.unwrap_or(0), paid.unwrap_or(0)) {
        (0, 0) => String::new(),
        (free, 0) => format!("{free} free"),
        (0, paid) => format!("{paid} paid"),
        (free, paid) => format!("{free} free, {paid} paid"),
    }
}

fn kind(kind: &CoinOrderType) -> String {
    let words = match kind {
        CoinOrderType::SystemAdd => "given by the platform",
        CoinOrderType::WeChatPay => "bought",
        CoinOrderType::Refund => "given back",
        CoinOrderType::Reduce => "spent on stock",
        CoinOrderType::SystemReduce => "taken by the platform",
        other => return other.to_string(),
    };
    words.to_owned()
}

fn state(state: &CoinOrderStatus) -> String {
    let words = match state {
        CoinOrderStatus::Waiting => "waiting for payment",
        CoinOrderStatus::Succeeded => "paid",
        CoinOrderStatus::FinanceSucceeded => "coins booked",
        CoinOrderStatus::QuantitySucceeded => "stock booked",
        CoinOrderStatus::Refunded => "given back",
        CoinOrderStatus::RefundWaiting => "to be given back",
        CoinOrderStatus::RolledBack => "undone",
        CoinOrderStatus::HasReceipt => "receipt made",
        other => return other.to_string(),
    };
    words.to_owned()
}

fn facts(order: &CoinOrder) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("order", order.order_id.clone()),
        ("what", order.order_type.as_ref().map(kind).unwrap_or_default()),
        ("about", order.desc.clone().unwrap_or_default()),
        ("state", order.status.as_ref().map(state).unwrap_or_default()),
        ("made", order.create_time.as_ref().map(local).unwrap_or_default()),
        ("paid", order.pay_finish_time.as_ref().map(local).unwrap_or_default()),
        ("coins", used(order.free_coin_count, order.pay_coin_count)),
        ("given back", used(order.refund_free_coin_count, order.refund_pay_coin_count)),
        ("by", order.openid.as_ref().map(|openid| openid.as_str().to_owned()).unwrap_or_default()),
    ];
    facts.retain(|(_, value)| !value.is_empty());
    facts
}
