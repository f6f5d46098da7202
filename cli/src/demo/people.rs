//! Asking for each coupon that was sent, by many at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use favor_core::{AppId, Client, CouponId, Error, OpenId};
use favor_coupon::{CouponStatus, Coupons};
use indicatif::ProgressBar;
use tokio::task::JoinSet;

use crate::output::Output;
use crate::progress;

/// Asks for each coupon again and counts those that are there and usable.
pub(crate) async fn query_back(
    client: &Client,
    appid: &AppId,
    coupons: Vec<(OpenId, CouponId)>,
    in_flight: u16,
    output: &Output,
) -> anyhow::Result<u64> {
    let bar = progress::bar(output, "querying", u64::try_from(coupons.len())?);
    let asking = Asking {
        client: Coupons::new(client),
        appid: appid.clone(),
        coupons: Arc::new(coupons),
        next: Arc::default(),
        bar: bar.clone(),
    };
    let mut workers = JoinSet::new();
    for _ in 0..in_flight {
        workers.spawn(asking.clone().run());
    }
    let mut usable = 0;
    while let Some(part) = workers.join_next().await {
        usable += part??;
    }
    bar.finish_and_clear();
    Ok(usable)
}

#[derive(Clone)]
struct Asking {
    client: Coupons,
    appid: AppId,
    coupons: Arc<Vec<(OpenId, CouponId)>>,
    next: Arc<AtomicUsize>,
    bar: ProgressBar,
}

impl Asking {
    async fn run(self) -> Result<u64, Error> {
        let mut usable = 0;
        while let Some((openid, coupon_id)) = self.coupons.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            let coupon = self.client.get(openid, coupon_id, &self.appid).await?;
            usable += u64::from(coupon.status == CouponStatus::Sent && coupon.coupon_id == *coupon_id);
            self.bar.inc(1);
        }
        Ok(usable)
    }
}
