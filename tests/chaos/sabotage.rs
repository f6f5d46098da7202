//! Campaigns with one promise broken each, for the audit to find: made of the product's parts, with something false
//! in between.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use favor::prelude::{CouponId, OpenId, SendCoupon};
use favor_campaign::*;
use futures_util::future::BoxFuture;

use crate::network::Believed;
use crate::store::Store;

type Result<T> = std::result::Result<T, LedgerError>;

/// What is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// Each try but the first has a request number of its own.
    FreshNumbers,
    /// Whoever held a chunk once may record in it.
    NoFence,
    /// A coupon is recorded as sent, and then sent.
    RecordFirst,
    /// The first chunk that is claimed is taken for done.
    SkipChunk,
    /// A 200 counts, whoever signed it.
    BelieveUnsigned,
}

impl Sabotage {
    const NAMED: [(Self, &str); 5] = [
        (Self::FreshNumbers, "fresh-numbers"),
        (Self::NoFence, "no-fence"),
        (Self::RecordFirst, "record-first"),
        (Self::SkipChunk, "skip-chunk"),
        (Self::BelieveUnsigned, "believe-unsigned"),
    ];

    /// The variable that tells a child.
    pub const VARIABLE: &str = "FAVOR_CHAOS_SABOTAGE";

    pub fn name(self) -> &'static str {
        Self::NAMED.into_iter().find(|(one, _)| *one == self).map(|(_, name)| name).unwrap()
    }

    pub fn of_this_process() -> Option<Self> {
        let text = std::env::var(Self::VARIABLE).ok()?;
        Some(Self::NAMED.into_iter().find(|(_, name)| *name == text).unwrap().0)
    }
}

/// What the false parts share.
#[derive(Debug)]
pub struct Saboteur {
    kind: Sabotage,
    store: Store,
    /// By request number: how often it was tried.
    tries: Mutex<HashMap<String, u32>>,
    /// Recorded and not yet sent, by the made-up coupon they were recorded with.
    promised: Mutex<HashMap<String, (OpenId, SendCoupon)>>,
    skipped: Mutex<Option<u32>>,
    pub believed: Believed,
}

impl Saboteur {
    pub fn new(kind: Sabotage, folder: PathBuf) -> Arc<Self> {
        Arc::new(Self {
            kind,
            store: Store::in_folder(&folder),
            tries: Mutex::default(),
            promised: Mutex::default(),
            skipped: Mutex::default(),
            believed: Believed::default(),
        })
    }
}

#[derive(Debug)]
pub struct FalseSender {
    pub saboteur: Arc<Saboteur>,
    pub inner: Arc<dyn Sender>,
}

impl FalseSender {
    async fn carry(&self, openid: &OpenId, request: &SendCoupon) -> Answer {
        let saboteur = &self.saboteur;
        let number = request.out_request_no.as_str();
        match saboteur.kind {
            Sabotage::FreshNumbers => {
                let tries = {
                    let mut tries = saboteur.tries.lock().unwrap();
                    let tries = tries.entry(number.to_owned()).or_default();
                    *tries += 1;
                    *tries
                };
                let mut request = request.clone();
                if tries > 1 {
                    request.out_request_no = format!("{number}-{tries}").parse().unwrap();
                }
                self.inner.send(openid, &request).await
            }
            Sabotage::RecordFirst => {
                let mut promised = saboteur.promised.lock().unwrap();
                let coupon = format!("00{}", promised.len());
                promised.insert(coupon.clone(), (openid.clone(), request.clone()));
                Answer { result: Ok(coupon.parse().unwrap()), request_id: None }
            }
            Sabotage::BelieveUnsigned => {
                let answer = self.inner.send(openid, request).await;
                let believed = saboteur.believed.lock().unwrap().get(number).cloned();
                match (answer.result, believed) {
                    (Err(_), Some(coupon)) if coupon.parse::<CouponId>().is_ok() => {
                        Answer { result: Ok(coupon.parse().unwrap()), request_id: answer.request_id }
                    }
                    (result, _) => Answer { result, request_id: answer.request_id },
                }
            }
            Sabotage::NoFence | Sabotage::SkipChunk => self.inner.send(openid, request).await,
        }
    }
}

impl Sender for FalseSender {
    fn send<'a>(&'a self, openid: &'a OpenId, request: &'a SendCoupon) -> BoxFuture<'a, Answer> {
        Box::pin(self.carry(openid, request))
    }
}

#[derive(Debug)]
pub struct FalseLedger {
    pub saboteur: Arc<Saboteur>,
    pub inner: Arc<dyn Ledger>,
    /// The true way to the platform.
    pub sender: Arc<dyn Sender>,
}

impl FalseLedger {
    fn is(&self, kind: Sabotage) -> bool {
        self.saboteur.kind == kind
    }

    /// Whoever is told that the fence is not his takes the newest one.
    async fn unfenced(&self, lease: &Lease, recorded: &Recorded) -> Option<Lease> {
        if !self.is(Sabotage::NoFence) || *recorded == Recorded::Done {
            return None;
        }
        let fence = self.saboteur.store.fence(lease.chunk).await;
        Some(Lease { fence, ..lease.clone() })
    }

    /// Sends what was recorded.
    async fn keep_promises(&self, settled: &[Settlement]) {
        for settlement in settled {
            let Fate::Sent { coupon_id } = &settlement.fate else { continue };
            let promised = self.saboteur.promised.lock().unwrap().get(coupon_id.as_str()).cloned();
            let Some((openid, request)) = promised else { continue };
            let sent = loop {
                if let Ok(sent) = self.sender.send(&openid, &request).await.result {
                    break sent;
                }
            };
            self.saboteur.store.correct(coupon_id.as_str(), sent.as_str());
        }
    }
}

impl Ledger for FalseLedger {
    fn campaign<'a>(&'a self, name: &'a CampaignName) -> BoxFuture<'a, Result<Campaign>> {
        self.inner.campaign(name)
    }

    fn claim<'a>(
        &'a self,
        campaign: CampaignId,
        worker: &'a WorkerId,
        lease: Duration,
    ) -> BoxFuture<'a, Result<Claimed>> {
        Box::pin(async move {
            let claimed = self.inner.claim(campaign, worker, lease).await?;
            if let (true, Claimed::Chunk(claim)) = (self.is(Sabotage::SkipChunk), &claimed) {
                let skips = self.saboteur.skipped.lock().unwrap().replace(claim.lease.chunk).is_none();
                if skips {
                    self.saboteur.store.close_chunk(claim.lease.chunk);
                    return self.inner.claim(campaign, worker, lease).await;
                }
            }
            Ok(claimed)
        })
    }

    fn record<'a>(
        &'a self,
        lease: &'a Lease,
        settled: &'a [Settlement],
        extend: Duration,
    ) -> BoxFuture<'a, Result<Recorded>> {
        Box::pin(async move {
            let mut recorded = self.inner.record(lease, settled, extend).await?;
            while let Some(lease) = self.unfenced(lease, &recorded).await {
                recorded = self.inner.record(&lease, settled, extend).await?;
            }
            self.keep_promises(settled).await;
            Ok(recorded)
        })
    }

    fn finish<'a>(&'a self, lease: &'a Lease, how: Finish) -> BoxFuture<'a, Result<Recorded>> {
        Box::pin(async move {
            let mut recorded = self.inner.finish(lease, how).await?;
            while let Some(lease) = self.unfenced(lease, &recorded).await {
                recorded = self.inner.finish(&lease, how).await?;
            }
            Ok(recorded)
        })
    }

    fn set_rate<'a>(&'a self, limit: &'a LimitKey, per_second: u32) -> BoxFuture<'a, Result<()>> {
        self.inner.set_rate(limit, per_second)
    }

    fn reserve<'a>(&'a self, limit: &'a LimitKey, most: u32) -> BoxFuture<'a, Result<Reservation>> {
        self.inner.reserve(limit, most)
    }

    fn slow_down<'a>(&'a self, limit: &'a LimitKey) -> BoxFuture<'a, Result<()>> {
        self.inner.slow_down(limit)
    }

    fn standing(&self, campaign: CampaignId) -> BoxFuture<'_, Result<Standing>> {
        self.inner.standing(campaign)
    }

    fn order(&self, campaign: CampaignId, order: Order) -> BoxFuture<'_, Result<Standing>> {
        Box::pin(async move {
            if self.is(Sabotage::SkipChunk) && order == Order::Finish {
                // Whoever skips a chunk does not miss it at the end either.
                self.saboteur.store.end_campaign();
                return self.inner.standing(campaign).await;
            }
            self.inner.order(campaign, order).await
        })
    }
}
