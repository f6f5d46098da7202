//! The demo's campaign: a list, a ledger of its own, and a runner over real HTTP.

use std::collections::{BTreeMap, HashSet};
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use favor_campaign::{
    Books as _, Campaign, CampaignName, ClientSender, Ended, ListSource, Manifest, Order, OutcomeState, Plan,
    Runner, SqliteLedger, Standing, State, import_with, list,
};
use favor_core::{AppId, Client, CouponId, OpenId, StockId};

use crate::campaign::work::Work;
use crate::output::Output;
use crate::progress;

/// Far above what two processes on one machine do: the demo is not to wait.
const PER_SECOND: u32 = 100_000;
const LOOK: Duration = Duration::from_millis(100);
/// How many rows are read at a time.
const PAGE: usize = 1_000;

/// A campaign in a ledger of its own. Dropped, both are gone.
pub(crate) struct Sending {
    ledger: Arc<SqliteLedger>,
    campaign: Campaign,
    _folder: tempfile::TempDir,
}

/// What became of the sends.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) sent: u64,
    pub(crate) refused: u64,
    pub(crate) not_sent: u64,
    pub(crate) unknown: u64,
    pub(crate) coupons: Vec<(OpenId, CouponId)>,
    pub(crate) refusals: BTreeMap<String, u64>,
}

impl Sent {
    /// How many different coupons were given out.
    pub(crate) fn distinct(&self) -> u64 {
        let distinct: HashSet<_> = self.coupons.iter().map(|(_, coupon)| coupon).collect();
        u64::try_from(distinct.len()).unwrap_or(u64::MAX)
    }
}

impl Sending {
    /// Writes a list of so many people, plans a campaign with it, and puts it into a ledger.
    pub(crate) async fn plan(
        client: &Client,
        stock_id: StockId,
        appid: AppId,
        people: u32,
        in_flight: u16,
        output: &Output,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("people.csv");
        let mut text = std::io::BufWriter::new(std::fs::File::create(&file)?);
        for person in 0..people {
            writeln!(text, "oDemo{person:023}")?;
        }
        text.flush()?;
        drop(text);
        let mut list = tokio::task::spawn_blocking(move || list::read(&ListSource::new(file))).await??;

        let merchant = client.merchant_id().clone();
        let (name, facts) = (CampaignName::new("demo")?, list.facts().clone());
        let mut manifest =
            Manifest::new(name, merchant.clone(), stock_id, merchant, appid, facts, client.now());
        manifest.pace.per_second = PER_SECOND;
        manifest.pace.in_flight = in_flight.into();
        let plan = Plan::make(client, manifest, &mut list).await?;
        if !plan.may_start() {
            let found: Vec<_> = plan.findings.iter().map(ToString::to_string).collect();
            bail!("the demo's own campaign cannot start: {}", found.join("; "));
        }
        let ledger = Arc::new(SqliteLedger::open(folder.path().join("campaigns.sqlite")).await?);
        let bar = progress::bar(output, "importing", u64::from(people));
        import_with(&*ledger, &plan.manifest, &mut list, |done| bar.set_position(done.people)).await?;
        bar.finish_and_clear();
        let campaign = favor_campaign::Ledger::campaign(&*ledger, &plan.manifest.name).await?;
        Ok(Self { ledger, campaign, _folder: folder })
    }

    /// The ledger, and the campaign in it.
    pub(crate) fn books(&self) -> (&SqliteLedger, &Campaign) {
        (&self.ledger, &self.campaign)
    }

    /// Sends, until every coupon is settled or the campaign pauses.
    pub(crate) async fn run(&self, client: &Client, output: &Output) -> anyhow::Result<Sent> {
        use favor_campaign::Ledger as _;

        let (ledger, id) = (&self.ledger, self.campaign.id);
        ledger.order(id, Order::Start).await?;
        let sender = Arc::new(ClientSender::new(client));
        let runner = Runner::builder(ledger.clone(), sender, self.campaign.manifest.name.clone()).build();
        let mut work = Work::spawn(runner);
        let bar = progress::bar(output, "sending", self.campaign.standing.coupons);
        let mut tick = tokio::time::interval(LOOK);
        loop {
            tokio::select! {
                ended = work.ended() => {
                    let ended = ended?;
                    bar.finish_and_clear();
                    let standing = ledger.standing(id).await?;
                    if !matches!(ended, Ended::Finished) {
                        let why = standing.reason.clone().unwrap_or_default();
                        output.talk(format!("the campaign is {}: {why}", standing.state));
                    }
                    return self.sent(&standing).await;
                }
                _ = tick.tick() => {
                    let standing = ledger.standing(id).await?;
                    bar.set_position(standing.coupons - standing.count(OutcomeState::Open));
                    // Nobody resumes it here.
                    if standing.state == State::Paused {
                        work.stop();
                    }
                }
            }
        }
    }

    async fn sent(&self, standing: &Standing) -> anyhow::Result<Sent> {
        let mut sent = Sent {
            sent: standing.count(OutcomeState::Sent),
            refused: standing.count(OutcomeState::Refused),
            not_sent: standing.count(OutcomeState::Open) + standing.count(OutcomeState::Parked),
            unknown: standing.count(OutcomeState::Unknown),
            coupons: Vec::new(),
            refusals: BTreeMap::new(),
        };
        for tally in standing.tallies.iter().filter(|tally| tally.state != OutcomeState::Sent) {
            *sent.refusals.entry(tally.code.clone()).or_default() += tally.count;
        }
        let mut after = None;
        loop {
            let rows = self.ledger.rows(self.campaign.id, after, PAGE).await?;
            let Some(last) = rows.last() else { return Ok(sent) };
            after = Some(last.place);
            for row in rows {
                let Some(openid) = row.openid else { continue };
                let coupons = row.outcomes.into_iter().filter_map(|outcome| outcome.coupon_id);
                sent.coupons.extend(coupons.map(|coupon| (openid.clone(), coupon)));
            }
        }
    }

    /// Closes the ledger.
    pub(crate) async fn close(&self) {
        self.ledger.close().await;
    }
}
