//! `favor demo`: the whole life of a stock on an embedded mirror, over real HTTP with real signatures both ways.

mod flows;
mod matched;
mod people;
mod sending;
mod summary;
mod told;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use favor_core::{
    ApiV3Key, AppId, Certificate, Client, Fen, MerchantId, MerchantSigner, OutRequestNo, PlatformKeys,
    PrivateKey, StockId,
};
use favor_mirror::Mirror;
use favor_stock::Stocks;

use crate::args;
use crate::demo::sending::Sending;
use crate::demo::summary::Summary;
use crate::demo::told::Listener;
use crate::exit::Exit;
use crate::output::Output;
use crate::sample_stock::{self, FACE_VALUE_FEN};

/// A stock can be started about a minute after its creation; the mirror's clock is advanced over it.
const BEFORE_START: Duration = Duration::from_secs(61);

pub(crate) async fn run(args: args::Demo, output: &Output) -> anyhow::Result<Exit> {
    let mirror = Mirror::builder().start().await.context("the mirror cannot start")?;
    let exit = tokio::select! {
        result = live(&args, &mirror, output) => result,
        _ = tokio::signal::ctrl_c() => {
            output.talk("stopped; the mirror kept everything in memory, so nothing is left behind");
            Ok(Exit::Interrupted)
        }
    };
    mirror.shutdown().await;
    exit
}

async fn live(args: &args::Demo, mirror: &Mirror, output: &Output) -> anyhow::Result<Exit> {
    let started = Instant::now();
    let verified = Arc::new(AtomicU64::new(0));
    let client = client(mirror, verified.clone())?;
    output.talk(format!("mirror on {}, merchant {}", mirror.base_url(), client.merchant_id()));

    let stock_id = running_stock(&client, mirror, args.people).await?;
    output.talk(format!("stock {stock_id} created and started"));

    let appid = AppId::new(&*mirror.merchant().appid)?;
    let sending =
        Sending::plan(&client, stock_id.clone(), appid.clone(), args.people, args.in_flight, output).await?;
    let sent = sending.run(&client, output).await?;
    let seen = people::query_back(&client, &appid, sent.coupons.clone(), args.in_flight, output).await?;
    let stocks = Stocks::new(&client);
    let stock = stocks.get(&stock_id).await?;
    let coupons: Vec<_> = sent.coupons.iter().map(|(_, coupon)| coupon.clone()).collect();
    let listener = Listener::start(&client, mirror).await?;
    let used = flows::pay(mirror, &coupons, args.in_flight, output).await?;
    // On the way to the flow files the mirror's clock passes all repeats.
    let flows = flows::settle(mirror, &stocks, &stock_id, used).await?;
    let (notifications, kept) = listener.finish(mirror, flows::redeemed(&coupons)).await?;
    let reconcile = matched::reconcile(&sending, &kept.inbox, &flows, &stock, mirror.now()).await?;
    kept.inbox.close().await;
    sending.close().await;
    let audit = mirror.audit().await;

    let summary = Summary {
        stock_id,
        people: u64::from(args.people),
        sent: sent.sent,
        refused: sent.refused,
        not_sent: sent.not_sent,
        unknown: sent.unknown,
        distinct_coupons: sent.distinct(),
        queried_back: seen,
        mirror_distributed: stock.distributed_coupons,
        used,
        use_flow: flows.uses,
        refund_flow: flows.refunds,
        notifications,
        reconcile,
        audit_ok: audit.ok,
        verified_responses: verified.load(Ordering::Relaxed),
        face_value: Fen::new(FACE_VALUE_FEN)?,
        took: started.elapsed(),
        refusals: sent.refusals,
    };
    summary.print(output)?;
    Ok(summary.exit())
}

fn client(mirror: &Mirror, verified: Arc<AtomicU64>) -> anyhow::Result<Client> {
    let merchant = mirror.merchant();
    let key = PrivateKey::from_pem(&merchant.private_key_pem)?;
    let certificate = Certificate::from_pem(&merchant.certificate_pem)?;
    let signer = MerchantSigner::from_certificate(MerchantId::new(&*merchant.mchid)?, &certificate, key)?;
    let keys = PlatformKeys::download(ApiV3Key::new(&merchant.api_v3_key)?);
    let client = Client::builder(signer, keys)
        .base_url(mirror.base_url())
        .user_agent(concat!("favor-demo/", env!("CARGO_PKG_VERSION")))
        .observe(move |attempt| {
            verified.fetch_add(u64::from(attempt.verified), Ordering::Relaxed);
        })
        .build()?;
    Ok(client)
}

async fn running_stock(client: &Client, mirror: &Mirror, people: u32) -> anyhow::Result<StockId> {
    let number = OutRequestNo::new(format!("{}-demo-stock", client.merchant_id()))?;
    let request = sample_stock::request(client, "Tea 5 off 30", client.now(), people, number)?;
    let stocks = Stocks::new(client);
    let created = stocks.create(&request).await?;
    mirror.advance(BEFORE_START).await.context("the mirror's clock cannot be advanced")?;
    stocks.start(&created.stock_id).await?;
    Ok(created.stock_id.clone())
}
