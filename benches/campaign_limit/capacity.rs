//! How much a database does: the limit is far below it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use favor::campaign::{
    Books as _, CampaignId, Claimed, Fate, Finish, Ledger, LimitKey, Order, PostgresAddress, PostgresLedger,
};
use favor::campaign::{Recipient, Settlement, WorkerId};
use favor::core::{CouponId, MerchantId, OpenId, time};
use futures_util::future::try_join_all;

use crate::{Failed, ledger};

const WORKERS: u32 = 16;
const PEOPLE: u64 = 500_000;
const CHUNK: u32 = 1_000;
/// Coupons of one record.
const BATCH: usize = 100;
const LEASE: Duration = Duration::from_secs(30);

/// Prints reservations a second, and coupons recorded a second.
pub(crate) async fn measure(address: &str, time: Duration) -> Result<(), Failed> {
    let address = PostgresAddress::new(address)?.connections(usize::try_from(WORKERS)?);
    let ledger = Arc::new(PostgresLedger::connect(&address).await?);
    let limit = LimitKey { merchant_id: MerchantId::new("1900000001")?, api: "coupon.send".to_owned() };
    ledger.set_rate(&limit, 1_000_000).await?;
    let began = Instant::now();
    let reserving = (0..WORKERS).map(|_| reserve(&ledger, &limit, began + time));
    let reservations: u64 = try_join_all(reserving).await?.into_iter().sum();
    println!("{WORKERS} workers: {} reservations/s", per_second(reservations, began.elapsed()));

    let begun = Instant::now();
    let campaign = import(&ledger).await?;
    println!("{} people imported/s", per_second(PEOPLE, begun.elapsed()));
    let (began, recorded) = (Instant::now(), AtomicU64::new(0));
    try_join_all((0..WORKERS).map(|number| record(&ledger, campaign, number, began + time, &recorded)))
        .await?;
    println!("{WORKERS} workers: {} coupons recorded/s", per_second(recorded.into_inner(), began.elapsed()));
    Ok(())
}

fn per_second(number: u64, time: Duration) -> u128 {
    u128::from(number) * 1_000 / time.as_millis().max(1)
}

async fn reserve(ledger: &PostgresLedger, limit: &LimitKey, until: Instant) -> Result<u64, Failed> {
    let mut count = 0;
    while Instant::now() < until {
        ledger.reserve(limit, 1).await?;
        count += 1;
    }
    Ok(count)
}

async fn import(ledger: &PostgresLedger) -> Result<CampaignId, Failed> {
    let (campaign, _) = ledger.begin(&ledger::manifest(500)?).await?;
    let people = (0..PEOPLE)
        .map(|place| Ok(Recipient { place, line: place + 1, openid: OpenId::new(format!("o{place:010}"))? }));
    let people: Vec<Recipient> = people.collect::<Result<_, Failed>>()?;
    ledger.add_people(campaign, &people).await?;
    ledger.seal(campaign, PEOPLE, CHUNK).await?;
    ledger.order(campaign, Order::Start).await?;
    Ok(campaign)
}

async fn record(
    ledger: &PostgresLedger,
    campaign: CampaignId,
    number: u32,
    until: Instant,
    recorded: &AtomicU64,
) -> Result<(), Failed> {
    let (worker, at) = (WorkerId(format!("worker-{number}")), time::from_wire("2026-05-20T09:00:00+08:00")?);
    while Instant::now() < until {
        let Claimed::Chunk(claim) = ledger.claim(campaign, &worker, LEASE).await? else { return Ok(()) };
        for tasks in claim.tasks.chunks(BATCH) {
            let settled = tasks.iter().map(|task| {
                let coupon_id = CouponId::new(format!("C{}", task.place))?;
                Ok(Settlement {
                    place: task.place,
                    slot: 0,
                    fate: Fate::Sent { coupon_id },
                    attempts: 1,
                    code: None,
                    message: None,
                    request_id: Some(format!("08F0C5E2CB0610{}", task.place)),
                    first_tried_at: at,
                    settled_at: at,
                })
            });
            let settled: Vec<Settlement> = settled.collect::<Result<_, Failed>>()?;
            ledger.record(&claim.lease, &settled, LEASE).await?;
            recorded.fetch_add(u64::try_from(settled.len())?, Ordering::Relaxed);
        }
        ledger.finish(&claim.lease, Finish::Done).await?;
    }
    Ok(())
}
