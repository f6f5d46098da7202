//! `favor callback trigger`: a mirror made to send notifications.

use std::collections::BTreeSet;

use anyhow::{Context as _, bail};
use favor_callback::CallbackAddress;
use favor_core::{
    AppId, Client, Clock as _, CouponId, OpenId, OutRequestNo, StockId, SystemClock, Timestamp, time,
};
use favor_coupon::{Coupons, SendCoupon};
use favor_mirror::Mirror;
use favor_stock::Stocks;
use reqwest::Method;
use serde_json::{Value, json};

use crate::args::{Event, Global, Trigger};
use crate::exit::Exit;
use crate::mirror::control::Remote;
use crate::output::Output;
use crate::sample_stock;
use crate::settings::Settings;

/// A stock can be started about a minute after its creation.
const SECONDS_BEFORE_START: u64 = 61;
/// What follows a refused delivery follows after this.
const SECONDS_TO_REPEAT: u64 = 15;
/// Most notifications looked at for those that were triggered.
const LOG_PAGE: u32 = 2_000;

pub(crate) async fn run(args: &Trigger, global: &Global, output: &Output) -> anyhow::Result<Exit> {
    let settings = Settings::load(global)?;
    refuse_production(&settings)?;
    let client = settings.client()?;
    let mirror = Remote::at(settings.host(), settings.ca_file().as_deref())?;
    // Before anything is changed.
    let now = mirror.call(Method::GET, "clock", None).await?;
    address(&client).await?;
    let event = match args.event {
        Event::Use => "COUPON.USE",
        Event::Send => "COUPON.SEND",
    };
    let coupons = match (&args.coupon, args.event) {
        (Some(coupon), _) => vec![coupon.clone()],
        (None, Event::Use) => {
            let appid = settings.appid(None)?;
            let stock = running_stock(&client, &mirror, args.times, &now).await?;
            output.talk(format!("stock {stock} created and started"));
            send(&client, &stock, &appid, args.times).await?
        }
        (None, Event::Send) => {
            let appid = settings.appid(None)?;
            let stock = running_stock(&client, &mirror, args.times, &now).await?;
            let fault = plan(args, &mirror).await?;
            let sent = send(&client, &stock, &appid, args.times).await;
            // Returns when the deliveries that are due have been tried.
            mirror.call(Method::POST, "clock", Some(json!({ "advance_seconds": 1 }))).await?;
            withdraw(fault, &mirror).await?;
            sent?
        }
    };
    if args.event == Event::Use {
        let fault = plan(args, &mirror).await?;
        let redeemed = redeem(&coupons, &mirror).await;
        withdraw(fault, &mirror).await?;
        redeemed?;
    }
    if args.probe {
        mirror.call(Method::POST, "clock", Some(json!({ "advance_seconds": SECONDS_TO_REPEAT }))).await?;
    }
    show(&coupons, event, &mirror, output).await
}

/// Stocks and coupons are made up here: never where money moves.
fn refuse_production(settings: &Settings) -> anyhow::Result<()> {
    let host = settings.host();
    let uri: Option<http::Uri> = host.parse().ok();
    let name = uri.as_ref().and_then(http::Uri::host).unwrap_or_default();
    let wechats = Mirror::HOSTS.iter().any(|host| host.eq_ignore_ascii_case(name));
    if wechats || settings.is_production() {
        bail!("{host} is no mirror: start one with favor mirror, and give its address with --base-url");
    }
    Ok(())
}

async fn address(client: &Client) -> anyhow::Result<()> {
    match CallbackAddress::new(client).get().await {
        Ok(set) if !set.notify_url.is_empty() => Ok(()),
        Err(error) if error.api().is_none_or(|api| api.status() != 404) => Err(error.into()),
        _ => bail!(
            "no callback address is set, so there is nowhere to send to: favor callback set http://127.0.0.1:PORT/PATH"
        ),
    }
}

async fn running_stock(
    client: &Client,
    mirror: &Remote,
    coupons: u32,
    clock: &Value,
) -> anyhow::Result<StockId> {
    let begin: Timestamp = clock["now"]
        .as_str()
        .and_then(|now| time::from_wire(now).ok())
        .context("the mirror does not say what its clock shows")?;
    let request = sample_stock::request(client, "Trigger 5 off 30", begin, coupons, fresh_number(client)?)?;
    let stocks = Stocks::new(client);
    let created = stocks.create(&request).await?;
    let minute = json!({ "advance_seconds": SECONDS_BEFORE_START });
    mirror.call(Method::POST, "clock", Some(minute)).await?;
    stocks.start(&created.stock_id).await?;
    Ok(created.stock_id.clone())
}

/// Another one each time: each run is to make a stock of its own.
fn fresh_number(client: &Client) -> anyhow::Result<OutRequestNo> {
    let now = SystemClock::new().now();
    let (seconds, part) = (now.timestamp(), now.timestamp_subsec_nanos());
    let process = std::process::id();
    Ok(OutRequestNo::new(format!("{}-trigger-{seconds}-{part}-{process}", client.merchant_id()))?)
}

async fn send(client: &Client, stock: &StockId, appid: &AppId, count: u32) -> anyhow::Result<Vec<CouponId>> {
    let (merchant, service) = (client.merchant_id().clone(), Coupons::new(client));
    let mut coupons = Vec::new();
    for person in 1..=count {
        let number = OutRequestNo::new(format!("{merchant}-trigger-{stock}-{person}"))?;
        let request = SendCoupon::new(stock.clone(), number, appid.clone(), merchant.clone());
        let openid = OpenId::new(format!("oTrigger{stock}x{person}"))?;
        coupons.push(service.send(&openid, &request).await?.coupon_id.clone());
    }
    Ok(coupons)
}

async fn redeem(coupons: &[CouponId], mirror: &Remote) -> anyhow::Result<()> {
    for coupon in coupons {
        mirror.call(Method::POST, &format!("coupons/{coupon}/redeem"), Some(json!({}))).await?;
    }
    Ok(())
}

/// Plans the fault that was asked for, and says its id.
async fn plan(args: &Trigger, mirror: &Remote) -> anyhow::Result<Option<u64>> {
    let mut rule = match (args.duplicate, args.probe) {
        (Some(copies), _) => json!({ "kind": "duplicate", "copies": copies }),
        (None, true) => json!({ "kind": "probe" }),
        (None, false) => return Ok(None),
    };
    rule["operation"] = json!("callback.notify");
    rule["count"] = json!(args.times);
    let planned = mirror.call(Method::POST, "faults", Some(rule)).await?;
    let ids = planned["faults"].as_array().into_iter().flatten().filter_map(|fault| fault["id"].as_u64());
    Ok(ids.max())
}

/// Takes back what is left of the fault, so that it does not strike a later notification.
async fn withdraw(fault: Option<u64>, mirror: &Remote) -> anyhow::Result<()> {
    let Some(fault) = fault else { return Ok(()) };
    let left = mirror.call(Method::GET, "faults", None).await?;
    let mut ids = left["faults"].as_array().into_iter().flatten().filter_map(|left| left["id"].as_u64());
    if ids.any(|id| id == fault) {
        mirror.call(Method::DELETE, &format!("faults/{fault}"), None).await?;
    }
    Ok(())
}

async fn show(coupons: &[CouponId], event: &str, mirror: &Remote, output: &Output) -> anyhow::Result<Exit> {
    let log = mirror.call(Method::GET, &format!("callbacks?limit={LOG_PAGE}"), None).await?;
    let wanted: BTreeSet<&str> = coupons.iter().map(CouponId::as_str).collect();
    let mut told: Vec<&Value> = log["callbacks"].as_array().into_iter().flatten().collect();
    told.retain(|one| {
        one["event_type"] == event && one["coupon_id"].as_str().is_some_and(|id| wanted.contains(id))
    });
    // The log begins with the newest.
    told.reverse();
    if told.is_empty() {
        bail!(
            "the mirror raised no notification{}",
            if event == "COUPON.SEND" {
                ": it tells of coupons sent only where that is switched on, by POST /_mirror/callbacks with \
                 {\"notify_sends\":true}"
            } else {
                ": the stock's creator is another merchant, or its pushes are switched off"
            }
        );
    }
    if output.is_json() {
        return told.into_iter().try_for_each(|one| output.json(one)).map(|()| Exit::Done);
    }
    let rows = told.iter().flat_map(|one| rows(one)).collect();
    let heading = ["notification", "event", "coupon", "state", "delivery", "at", "fault", "answer"];
    output.rows(heading, rows, "no delivery was tried")?;
    if told.iter().any(|one| one["state"] != "delivered") {
        output.talk("what is not delivered is repeated by the mirror's clock: favor mirror advance 15s");
    }
    Ok(Exit::Done)
}

/// A line for each delivery of a notification.
fn rows(notification: &Value) -> Vec<[String; 8]> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let deliveries = notification["deliveries"].as_array().map(Vec::as_slice).unwrap_or_default();
    let row = |delivery: &Value| {
        let faults: Vec<_> = delivery["faults"].as_array().into_iter().flatten().map(text).collect();
        let at = time::from_wire(delivery["time"].as_str().unwrap_or_default());
        let answer = match (delivery["status"].as_u64(), delivery["error"].as_str()) {
            (Some(status), _) => status.to_string(),
            (None, error) => error.unwrap_or("none").to_owned(),
        };
        [
            text(&notification["notification_id"]),
            text(&notification["event_type"]),
            text(&notification["coupon_id"]),
            text(&notification["state"]).replace('_', " "),
            delivery["attempt"].to_string(),
            at.map(|at| crate::stock::local(&at)).unwrap_or_default(),
            faults.join(", "),
            answer,
        ]
    };
    deliveries.iter().map(row).collect()
}
