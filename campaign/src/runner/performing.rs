//! Carries out what the core decides.

use std::sync::Arc;

use favor_coupon::DerivedNumbers;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::Shared;
use super::core::{Action, Event};
use crate::ledger::{Campaign, CampaignId, LimitKey};
use crate::manifest::Manifest;

/// What the calls of one run need.
pub(super) struct Performer {
    shared: Arc<Shared>,
    campaign: CampaignId,
    plan: Arc<Plan>,
}

struct Plan {
    manifest: Manifest,
    numbers: DerivedNumbers,
    limit: LimitKey,
}

impl Performer {
    pub(super) fn new(shared: &Arc<Shared>, campaign: &Campaign) -> Self {
        let manifest = campaign.manifest.clone();
        let limit = LimitKey { merchant_id: manifest.merchant_id.clone(), api: "coupon.send".to_owned() };
        let plan = Plan { numbers: manifest.numbers(), manifest, limit };
        Self { shared: shared.clone(), campaign: campaign.id, plan: Arc::new(plan) }
    }

    pub(super) fn perform(&self, action: Action) -> BoxFuture<'static, Event> {
        let (shared, plan, campaign) = (self.shared.clone(), self.plan.clone(), self.campaign);
        let lease_for = shared.lease;
        match action {
            Action::Send(job) => async move {
                let request = plan.manifest.request(&plan.numbers, &job.openid, job.slot);
                let answer = shared.sender.send(&job.openid, &request).await;
                Event::Answered(job, answer)
            }
            .boxed(),
            Action::Reserve(calls) => {
                async move { Event::Reserved(shared.ledger.reserve(&plan.limit, calls).await) }.boxed()
            }
            Action::Record(key, lease, batch) => async move {
                let recorded = shared.ledger.record(&lease, &batch, lease_for).await;
                Event::Recorded(key, batch, recorded)
            }
            .boxed(),
            Action::ReadStanding => {
                async move { Event::Standing(shared.ledger.standing(campaign).await) }.boxed()
            }
            Action::Claim => {
                async move { Event::Claimed(shared.ledger.claim(campaign, &shared.worker, lease_for).await) }
                    .boxed()
            }
            Action::Finish(key, lease, how) => {
                async move { Event::Finished(key, how, shared.ledger.finish(&lease, how).await) }.boxed()
            }
            Action::Order(order) => {
                async move { Event::Ordered(shared.ledger.order(campaign, order).await) }.boxed()
            }
            Action::SetRate(rate) => {
                async move { Event::RateSet(rate, shared.ledger.set_rate(&plan.limit, rate).await) }.boxed()
            }
            Action::SlowDown => {
                async move { Event::SlowedDown(shared.ledger.slow_down(&plan.limit).await) }.boxed()
            }
        }
    }
}
