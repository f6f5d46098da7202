//! `favor stock …`

use std::io::Read as _;

use anyhow::Context as _;
use chrono::TimeDelta;
use favor_core::{Client, FixedNormalCoupon, OutRequestNo, Reply, StockId, Timestamp, time};
use favor_stock::{
    CouponRule, CreateStock, ListStocks, ModifyItems, PatternInfo, Stock, StockRule, StockStatus, Stocks,
};
use sha2::{Digest as _, Sha256};

use crate::args::{self, Begin, Global, OneStock};
use crate::confirm::confirm;
use crate::exit::Exit;
use crate::flow;
use crate::output::Output;
use crate::settings::Settings;

pub(crate) async fn run(command: args::Stock, global: &Global, output: &Output) -> anyhow::Result<Exit> {
    let settings = Settings::load(global)?;
    let client = settings.client()?;
    match command {
        args::Stock::Create(create) => self::create(&client, &create, output).await?,
        args::Stock::Start(stock) => {
            confirm(&settings, global.yes, &format!("start stock {}", stock.stock_id))?;
            start(&client, &stock, output).await?;
        }
        args::Stock::Pause(stock) => {
            let paused = stocks(&client, &stock).pause(&stock.stock_id).await?;
            said(output, &paused, &paused.stock_id, "paused since", &paused.pause_time)?;
        }
        args::Stock::Restart(stock) => {
            confirm(&settings, global.yes, &format!("restart stock {}", stock.stock_id))?;
            let restarted = stocks(&client, &stock).restart(&stock.stock_id).await?;
            said(output, &restarted, &restarted.stock_id, "running again since", &restarted.restart_time)?;
        }
        args::Stock::Stop(stock) => {
            let stopped = stocks(&client, &stock).stop(&stock.stock_id).await?;
            said(output, &stopped, &stopped.stock_id, "ended for ever", &stopped.stop_time)?;
        }
        args::Stock::Get(stock) => get(&client, &stock, output).await?,
        args::Stock::List(list) => self::list(&client, &list, output).await?,
        args::Stock::Merchants(stock) => merchants(&client, &stock, output).await?,
        args::Stock::Items(stock) => items(&client, &stock, output).await?,
        args::Stock::Goods(goods) => self::goods(&client, &goods, output).await?,
        args::Stock::UseFlow(file) => flow::download(&client, flow::Kind::Use, &file, output).await?,
        args::Stock::RefundFlow(file) => flow::download(&client, flow::Kind::Refund, &file, output).await?,
    }
    Ok(Exit::Done)
}

fn said<T>(
    output: &Output,
    reply: &Reply<T>,
    stock_id: &StockId,
    what: &str,
    when: &Timestamp,
) -> anyhow::Result<()> {
    if output.is_json() {
        return output.raw_json(reply.raw());
    }
    output.facts([("stock", stock_id.to_string()), (what, local(when))])
}

async fn list(client: &Client, args: &args::ListStocks, output: &Output) -> anyhow::Result<()> {
    let mut request = ListStocks::all();
    if let Some(status) = &args.status {
        request = request.status(status.clone());
    }
    if let (Some(from), Some(until)) = (args.from, args.until) {
        request = request.created(from, until);
    }
    let (stocks, now) = (Stocks::new(client), client.now());
    let mut rows = Vec::new();
    let mut next = Some(args.page.unwrap_or(0));
    while let Some(page) = next {
        let listed = stocks.list(&request, page).await?;
        if output.is_json() {
            output.raw_json(listed.raw())?;
        }
        rows.extend(listed.data.iter().map(|stock| row(stock, now)));
        next = listed.next().filter(|_| args.page.is_none());
    }
    if output.is_json() {
        return Ok(());
    }
    output.rows(["stock", "name", "status", "given out", "from", "until"], rows, "no stocks")
}

fn row(stock: &Stock, now: Timestamp) -> [String; 6] {
    let max = stock.stock_use_rule.as_ref().and_then(|rule| rule.max_coupons);
    let given = match max {
        Some(max) => format!("{} of {max}", stock.distributed_coupons),
        None => stock.distributed_coupons.to_string(),
    };
    [
        stock.stock_id.to_string(),
        stock.stock_name.clone(),
        status(stock, now),
        given,
        local(&stock.available_begin_time),
        local(&stock.available_end_time),
    ]
}

async fn merchants(client: &Client, stock: &OneStock, output: &Output) -> anyhow::Result<()> {
    let stocks = stocks(client, stock);
    let mut rows = Vec::new();
    let mut next = Some(0);
    while let Some(page) = next {
        let listed = stocks.merchants(&stock.stock_id, page).await?;
        if output.is_json() {
            output.raw_json(listed.raw())?;
        }
        rows.extend(listed.data.iter().map(|merchant| [merchant.to_string()]));
        next = listed.next();
    }
    if output.is_json() { Ok(()) } else { output.rows(["merchant"], rows, "no merchants") }
}

async fn items(client: &Client, stock: &OneStock, output: &Output) -> anyhow::Result<()> {
    let stocks = stocks(client, stock);
    let mut rows = Vec::new();
    let mut next = Some(0);
    while let Some(page) = next {
        let listed = stocks.items(&stock.stock_id, page).await?;
        if output.is_json() {
            output.raw_json(listed.raw())?;
        }
        rows.extend(listed.data.iter().map(|item| [item.clone()]));
        next = listed.next();
    }
    if output.is_json() { Ok(()) } else { output.rows(["goods id"], rows, "no goods: a whole-order stock") }
}

async fn goods(client: &Client, args: &args::Goods, output: &Output) -> anyhow::Result<()> {
    let request = ModifyItems::new(args.add.iter().cloned(), args.delete.iter().cloned());
    let modified = Stocks::new(client).modify_items(&args.stock_id, &request).await?;
    if output.is_json() {
        return output.raw_json(modified.raw());
    }
    let since = modified.effect_time.as_ref().map_or_else(|| "not said".to_owned(), local);
    output.facts([("stock", modified.stock_id.to_string()), ("changed since", since)])
}

fn stocks(client: &Client, stock: &OneStock) -> Stocks {
    match &stock.creator {
        Some(creator) => Stocks::created_by(client, creator.clone()),
        None => Stocks::new(client),
    }
}

async fn create(client: &Client, args: &args::CreateStock, output: &Output) -> anyhow::Result<()> {
    let request = match &args.from {
        Some(file) => read_request(file)?,
        None => request_of_flags(client, args)?,
    };
    // Said before the first attempt, so that a lost answer can be settled with the same number.
    output.talk(format!("out_request_no {}", request.out_request_no));
    let created = Stocks::new(client).create(&request).await?;
    if output.is_json() {
        return output.raw_json(created.raw());
    }
    output.facts([
        ("stock", created.stock_id.to_string()),
        ("created", local(&created.create_time)),
        ("next", format!("favor stock start {} (from about a minute after the creation)", created.stock_id)),
    ])
}

fn read_request(file: &std::path::Path) -> anyhow::Result<CreateStock> {
    let mut json = String::new();
    if file.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut json).context("cannot read stdin")?;
    } else {
        json = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    }
    serde_json::from_str(&json).with_context(|| format!("{} is not a create request", file.display()))
}

fn request_of_flags(client: &Client, args: &args::CreateStock) -> anyhow::Result<CreateStock> {
    let needed = "clap demands it unless --from is given";
    let (face, threshold) = (args.face_value.context(needed)?, args.threshold.context(needed)?);
    let coupons = args.coupons.context(needed)?;
    let begin = match args.begin {
        Begin::Now => client.now(),
        Begin::At(moment) => moment,
    };
    let end = args.end.unwrap_or(begin + TimeDelta::days(30));
    let mut rule = StockRule::new(coupons, face.checked_mul(coupons)?, args.per_user);
    if let Some(by_day) = args.by_day {
        rule = rule.max_amount_by_day(by_day);
    }
    let merchants =
        if args.merchant.is_empty() { vec![client.merchant_id().clone()] } else { args.merchant.clone() };
    let coupon = CouponRule::normal(FixedNormalCoupon::new(face, threshold), merchants);
    let name = args.name.clone().context(needed)?;
    let make = if args.prefunded { CreateStock::prefunded } else { CreateStock::no_cash };
    let placeholder = OutRequestNo::new("0")?;
    let mut request = make(name, client.merchant_id().clone(), begin..end, rule, coupon, placeholder);
    if let Some(description) = &args.description {
        request = request.pattern_info(PatternInfo::new(description));
    }
    if let Some(comment) = &args.comment {
        request = request.comment(comment);
    }
    request.out_request_no = match &args.out_request_no {
        Some(number) => number.clone(),
        None => number_of(client, &request)?,
    };
    Ok(request)
}

/// A number that follows from the content: the same command gives the same stock.
fn number_of(client: &Client, request: &CreateStock) -> anyhow::Result<OutRequestNo> {
    let digest = Sha256::digest(serde_json::to_vec(request)?);
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    Ok(OutRequestNo::new(format!("{}-{hex}", client.merchant_id()))?)
}

async fn start(client: &Client, stock: &OneStock, output: &Output) -> anyhow::Result<()> {
    let started = stocks(client, stock).start(&stock.stock_id).await?;
    said(output, &started, &started.stock_id, "running since", &started.start_time)
}

async fn get(client: &Client, args: &OneStock, output: &Output) -> anyhow::Result<()> {
    let stock = stocks(client, args).get(&args.stock_id).await?;
    if output.is_json() {
        return output.raw_json(stock.raw());
    }
    output.facts(facts(&stock, client.now()))
}

fn facts(stock: &Stock, now: Timestamp) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("stock", stock.stock_id.to_string()),
        ("name", stock.stock_name.clone()),
        ("status", status(stock, now)),
        ("creator", stock.stock_creator_mchid.to_string()),
        ("window", format!("{} to {}", local(&stock.available_begin_time), local(&stock.available_end_time))),
    ];
    let rule = stock.stock_use_rule.as_ref();
    if let Some(coupon) = rule.and_then(|rule| rule.fixed_normal_coupon.as_ref()) {
        facts.push(("coupon", format!("{} off from {}", coupon.coupon_amount, coupon.transaction_minimum)));
    }
    match rule.and_then(|rule| rule.max_coupons) {
        Some(max) => facts.push(("given out", format!("{} of {max}", stock.distributed_coupons))),
        None => facts.push(("given out", stock.distributed_coupons.to_string())),
    }
    if let Some(budget) = rule.and_then(|rule| rule.max_amount) {
        facts.push(("budget", budget.to_string()));
    }
    if let Some(by_day) = rule.and_then(|rule| rule.max_amount_by_day).filter(|amount| amount.get() > 0) {
        facts.push(("daily budget", by_day.to_string()));
    }
    if let Some(per_user) = rule.and_then(|rule| rule.max_coupons_per_user) {
        facts.push(("per user", per_user.to_string()));
    }
    let funding = match stock.no_cash {
        Some(true) => "no-cash",
        Some(false) => "prefunded",
        None => "not said",
    };
    facts.push(("funding", funding.to_owned()));
    facts.push(("created", local(&stock.create_time)));
    if let Some(start) = &stock.start_time {
        facts.push(("started", local(start)));
    }
    if let Some(stop) = &stock.stop_time {
        facts.push(("stopped", local(stop)));
    }
    facts
}

fn status(stock: &Stock, now: Timestamp) -> String {
    let words = match &stock.status {
        StockStatus::Unactivated => "created, not started",
        StockStatus::Audit => "under review",
        StockStatus::Running if stock.has_ended(now) => "ended",
        StockStatus::Running if now < stock.available_begin_time => "running, its window has not begun",
        StockStatus::Running => "running",
        StockStatus::Paused => "paused",
        StockStatus::Stopped => "ended for ever",
        other => return other.to_string(),
    };
    format!("{words} ({})", stock.status)
}

/// A time as people in Beijing read it.
pub(crate) fn local(moment: &Timestamp) -> String {
    time::beijing(moment).format("%Y-%m-%d %H:%M:%S").to_string()
}
