//! What is compared: sends by the client, and a campaign over a SQLite ledger on disk, each to new people.

use std::sync::Arc;

use favor::campaign::{
    Books as _, CampaignName, ClientSender, Ended, Ledger as _, ListFacts, Manifest, Order, OutcomeState,
    Recipient, Runner, SqliteLedger,
};
use favor::core::{
    ApiV3Key, AppId, Certificate, Client, MerchantId, MerchantSigner, OpenId, PlatformKeys, PrivateKey,
    StockId,
};
use favor::coupon::Coupons;
use tokio::task::JoinSet;

use crate::platform::Platform;
use crate::{Failed, processor};

const IN_FLIGHT: u32 = 50;
/// Far more than it comes to: nothing waits for the limit, which is asked all the same.
const PER_SECOND: u32 = 100_000;

pub(crate) struct Cells {
    client: Client,
    stock: StockId,
    appid: AppId,
    /// People who have a coupon.
    served: u64,
}

impl Cells {
    pub(crate) fn new(platform: &Platform) -> Result<Self, Failed> {
        let merchant = MerchantId::new(platform.text("mchid")?)?;
        let key = PrivateKey::from_pem(platform.text("private_key")?)?;
        let certificate = Certificate::from_pem(platform.text("certificate")?)?;
        let signer = MerchantSigner::from_certificate(merchant, &certificate, key)?;
        let keys = PlatformKeys::download(ApiV3Key::new(platform.text("api_v3_key")?)?);
        let client = Client::builder(signer, keys).base_url(platform.text("base_url")?).build()?;
        Ok(Self {
            client,
            stock: StockId::new(platform.text("stock_id")?)?,
            appid: AppId::new(platform.text("appid")?)?,
            served: 0,
        })
    }

    /// CPU time per send of the client alone, in microseconds.
    pub(crate) async fn client(&mut self, people: u64) -> Result<f64, Failed> {
        let manifest = self.manifest(people)?;
        let people: Vec<OpenId> = self.people(people)?;
        let (count, coupons) = (people.len(), Coupons::new(&self.client));
        let shared = Arc::new((manifest.numbers(), manifest, std::sync::Mutex::new(people.into_iter())));
        let before = processor::cpu_time();
        let mut tasks = JoinSet::new();
        for _ in 0..IN_FLIGHT {
            let (shared, coupons) = (Arc::clone(&shared), coupons.clone());
            tasks.spawn(async move {
                let (numbers, manifest, people) = &*shared;
                loop {
                    let next = people.lock().ok().and_then(|mut people| people.next());
                    let Some(openid) = next else { return Ok(()) };
                    coupons.send(&openid, &manifest.request(numbers, &openid, 0)).await?;
                }
            });
        }
        while let Some(done) = tasks.join_next().await {
            done?.map_err(|error: favor::core::Error| error)?;
        }
        micros_each(processor::cpu_time().saturating_sub(before), count)
    }

    /// CPU time per coupon of a campaign, from its start to its end, in microseconds.
    pub(crate) async fn campaign(&mut self, people: u64) -> Result<f64, Failed> {
        let folder = tempfile::tempdir()?;
        let ledger = Arc::new(SqliteLedger::open(folder.path().join("campaigns.sqlite")).await?);
        let manifest = self.manifest(people)?;
        let people: Vec<Recipient> = (0..)
            .zip(self.people(people)?)
            .map(|(place, openid)| Recipient { place, line: place + 1, openid })
            .collect();
        let (campaign, _) = ledger.begin(&manifest).await?;
        ledger.add_people(campaign, &people).await?;
        ledger.seal(campaign, manifest.list.people, 1_000).await?;
        let sender = Arc::new(ClientSender::new(&self.client));

        let before = processor::cpu_time();
        ledger.order(campaign, Order::Start).await?;
        let runner = Runner::builder(ledger.clone(), sender, manifest.name.clone()).build();
        let ended = runner.run(std::future::pending()).await?;
        let taken = processor::cpu_time().saturating_sub(before);

        let sent = ledger.standing(campaign).await?.count(OutcomeState::Sent);
        ledger.close().await;
        if ended != Ended::Finished || sent != manifest.list.people {
            return Err(format!("the campaign sent {sent} of {}", manifest.list.people).into());
        }
        micros_each(taken, people.len())
    }

    fn manifest(&self, people: u64) -> Result<Manifest, Failed> {
        let merchant = self.client.merchant_id().clone();
        let mut manifest = Manifest::new(
            CampaignName::new("send")?,
            merchant.clone(),
            self.stock.clone(),
            merchant,
            self.appid.clone(),
            ListFacts { people, ..ListFacts::default() },
            self.client.now(),
        );
        (manifest.pace.per_second, manifest.pace.in_flight) = (PER_SECOND, IN_FLIGHT);
        Ok(manifest)
    }

    /// So many who have none.
    fn people(&mut self, people: u64) -> Result<Vec<OpenId>, Failed> {
        let first = self.served;
        self.served += people;
        Ok((first..self.served)
            .map(|number| OpenId::new(format!("oTea{number:024}")))
            .collect::<Result<_, _>>()?)
    }
}

fn micros_each(taken: std::time::Duration, count: usize) -> Result<f64, Failed> {
    Ok(taken.as_secs_f64() * 1e6 / f64::from(u32::try_from(count)?))
}
