//! A ledger with points at which the process that works with it ends.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use favor::prelude::OpenId;
use favor_campaign::*;
use futures_util::future::BoxFuture;

use crate::point::{Point, Points};
use crate::world::{self, CHUNK};

/// A line for each time that a worker was told its lease is lost.
pub const FENCED: &str = "fenced.log";

type Result<T> = std::result::Result<T, LedgerError>;

#[derive(Debug)]
pub struct Watched {
    inner: Arc<dyn Books>,
    points: Arc<Points>,
    folder: PathBuf,
}

impl Watched {
    pub fn new(inner: Arc<dyn Books>, points: Arc<Points>, folder: PathBuf) -> Self {
        Self { inner, points, folder }
    }

    fn note(&self, recorded: &Result<Recorded>) {
        if matches!(recorded, Ok(Recorded::Lost)) {
            note(&self.folder.join(FENCED));
        }
    }

    async fn record_watched(
        &self,
        lease: &Lease,
        settled: &[Settlement],
        extend: Duration,
    ) -> Result<Recorded> {
        if settled.is_empty() {
            let recorded = self.inner.record(lease, settled, extend).await;
            self.note(&recorded);
            return recorded;
        }
        self.points.pass(Point::BeforeRecord);
        let recording = self.inner.record(lease, settled, extend);
        let recorded = self.points.pass_while(Point::InsideRecord, recording).await;
        self.note(&recorded);
        self.points.pass(Point::AfterRecord);
        recorded
    }
}

/// One write, so that a kill leaves a whole line or none.
fn note(file: &std::path::Path) {
    use std::io::Write as _;
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(file).unwrap();
    file.write_all(b"lost\n").unwrap();
}

impl Ledger for Watched {
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
            let claimed = self.inner.claim(campaign, worker, lease).await;
            if matches!(claimed, Ok(Claimed::Chunk(_))) {
                self.points.pass(Point::AfterClaim);
            }
            claimed
        })
    }

    fn record<'a>(
        &'a self,
        lease: &'a Lease,
        settled: &'a [Settlement],
        extend: Duration,
    ) -> BoxFuture<'a, Result<Recorded>> {
        Box::pin(self.record_watched(lease, settled, extend))
    }

    fn finish<'a>(&'a self, lease: &'a Lease, how: Finish) -> BoxFuture<'a, Result<Recorded>> {
        Box::pin(async move {
            if how == Finish::Done {
                self.points.pass(Point::BeforeFinish);
            }
            let recorded = self.inner.finish(lease, how).await;
            self.note(&recorded);
            recorded
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
        if order == Order::Finish {
            self.points.pass(Point::BeforeEnd);
        }
        self.inner.order(campaign, order)
    }
}

impl Books for Watched {
    fn begin<'a>(&'a self, manifest: &'a Manifest) -> BoxFuture<'a, Result<(CampaignId, u64)>> {
        self.inner.begin(manifest)
    }

    fn add_people<'a>(&'a self, campaign: CampaignId, people: &'a [Recipient]) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.points.pass_while(Point::WhileImporting, self.inner.add_people(campaign, people)))
    }

    /// In chunks of the run's own size: those of an import are meant for longer lists.
    fn seal(&self, campaign: CampaignId, people: u64, _: u32) -> BoxFuture<'_, Result<()>> {
        self.points.pass(Point::BeforeSeal);
        let chunk = world::read(&self.folder, CHUNK).parse().unwrap();
        Box::pin(self.points.pass_while(Point::WhileSealing, self.inner.seal(campaign, people, chunk)))
    }

    fn discard(&self, campaign: CampaignId) -> BoxFuture<'_, Result<()>> {
        self.inner.discard(campaign)
    }

    fn campaigns(&self) -> BoxFuture<'_, Result<Vec<Campaign>>> {
        self.inner.campaigns()
    }

    fn rows(&self, campaign: CampaignId, after: Option<u64>, most: usize) -> BoxFuture<'_, Result<Vec<Row>>> {
        self.inner.rows(campaign, after, most)
    }

    fn find<'a>(&'a self, campaign: CampaignId, openid: &'a OpenId) -> BoxFuture<'a, Result<Option<Row>>> {
        self.inner.find(campaign, openid)
    }

    fn reopen<'a>(&'a self, campaign: CampaignId, which: &'a Reopen) -> BoxFuture<'a, Result<u64>> {
        self.inner.reopen(campaign, which)
    }

    fn history(&self, campaign: CampaignId) -> BoxFuture<'_, Result<Vec<HistoryEntry>>> {
        self.inner.history(campaign)
    }

    fn purge(&self, campaign: CampaignId) -> BoxFuture<'_, Result<u64>> {
        self.inner.purge(campaign)
    }
}
