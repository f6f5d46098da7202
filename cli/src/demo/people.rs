//! Sending to many people at once, and asking for each coupon again.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use favor_core::{AppId, Client, CouponId, Error, MerchantId, OpenId, Outcome, StockId};
use favor_coupon::{CouponStatus, Coupons, DerivedNumbers, SendCoupon};
use indicatif::ProgressBar;
use tokio::task::JoinSet;

use crate::output::Output;
use crate::progress;

/// One stock on its way to many people.
#[derive(Clone)]
pub(crate) struct Campaign {
    coupons: Coupons,
    creator: MerchantId,
    stock_id: StockId,
    appid: AppId,
    numbers: DerivedNumbers,
}

/// What became of the sends.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) sent: u64,
    pub(crate) refused: u64,
    pub(crate) not_sent: u64,
    pub(crate) unknown: u64,
    pub(crate) coupons: Vec<(OpenId, CouponId)>,
    pub(crate) refusals: BTreeMap<String, u64>,
}

impl Tally {
    fn add(&mut self, openid: OpenId, result: Result<CouponId, Error>) {
        match result {
            Ok(coupon_id) => {
                self.sent += 1;
                self.coupons.push((openid, coupon_id));
            }
            Err(error) => {
                match error.outcome() {
                    Outcome::Refused => self.refused += 1,
                    Outcome::NotSent => self.not_sent += 1,
                    Outcome::Unknown => self.unknown += 1,
                }
                let code = error.api().and_then(|api| api.code());
                let reason = code.map_or_else(|| format!("{:?}", error.kind()), ToString::to_string);
                *self.refusals.entry(reason).or_default() += 1;
            }
        }
    }

    fn merge(&mut self, other: Tally) {
        self.sent += other.sent;
        self.refused += other.refused;
        self.not_sent += other.not_sent;
        self.unknown += other.unknown;
        self.coupons.extend(other.coupons);
        for (reason, count) in other.refusals {
            *self.refusals.entry(reason).or_default() += count;
        }
    }

    /// How many different coupons were given out.
    pub(crate) fn distinct(&self) -> u64 {
        let distinct: HashSet<_> = self.coupons.iter().map(|(_, coupon)| coupon).collect();
        u64::try_from(distinct.len()).unwrap_or(u64::MAX)
    }
}

impl Campaign {
    pub(crate) fn new(client: &Client, stock_id: StockId, appid: AppId) -> Self {
        let creator = client.merchant_id().clone();
        let numbers = DerivedNumbers::new(creator.clone(), "favor demo", stock_id.clone(), appid.clone());
        Self { coupons: Coupons::new(client), creator, stock_id, appid, numbers }
    }

    /// Sends one coupon to each of `people`, `in_flight` at a time.
    pub(crate) async fn send(&self, people: u32, in_flight: u16, output: &Output) -> anyhow::Result<Tally> {
        let bar = progress::bar(output, "sending", u64::from(people));
        let next = Arc::new(AtomicU32::new(0));
        let mut workers = JoinSet::new();
        for _ in 0..in_flight {
            workers.spawn(self.clone().send_next(next.clone(), people, bar.clone()));
        }
        let mut tally = Tally::default();
        while let Some(part) = workers.join_next().await {
            tally.merge(part??);
        }
        bar.finish_and_clear();
        Ok(tally)
    }

    async fn send_next(self, next: Arc<AtomicU32>, people: u32, bar: ProgressBar) -> anyhow::Result<Tally> {
        let mut tally = Tally::default();
        loop {
            let person = next.fetch_add(1, Ordering::Relaxed);
            if person >= people {
                return Ok(tally);
            }
            let openid = OpenId::new(format!("oDemo{person:023}"))?;
            let number = self.numbers.of(&openid, 0);
            let request =
                SendCoupon::new(self.stock_id.clone(), number, self.appid.clone(), self.creator.clone());
            let result = self.coupons.send(&openid, &request).await;
            tally.add(openid, result.map(|sent| sent.coupon_id.clone()));
            bar.inc(1);
        }
    }

    /// Asks for each coupon again and counts those that are there and usable.
    pub(crate) async fn query_back(
        &self,
        coupons: Vec<(OpenId, CouponId)>,
        in_flight: u16,
        output: &Output,
    ) -> anyhow::Result<u64> {
        let bar = progress::bar(output, "querying", u64::try_from(coupons.len())?);
        let coupons = Arc::new(coupons);
        let next = Arc::new(AtomicUsize::new(0));
        let mut workers = JoinSet::new();
        for _ in 0..in_flight {
            workers.spawn(self.clone().query_next(coupons.clone(), next.clone(), bar.clone()));
        }
        let mut usable = 0;
        while let Some(part) = workers.join_next().await {
            usable += part??;
        }
        bar.finish_and_clear();
        Ok(usable)
    }

    async fn query_next(
        self,
        coupons: Arc<Vec<(OpenId, CouponId)>>,
        next: Arc<AtomicUsize>,
        bar: ProgressBar,
    ) -> Result<u64, Error> {
        let mut usable = 0;
        while let Some((openid, coupon_id)) = coupons.get(next.fetch_add(1, Ordering::Relaxed)) {
            let coupon = self.coupons.get(openid, coupon_id, &self.appid).await?;
            usable += u64::from(coupon.status == CouponStatus::Sent && coupon.coupon_id == *coupon_id);
            bar.inc(1);
        }
        Ok(usable)
    }
}
