//! A mirror, a client of its merchant, a ledger, and campaigns that are sent without a runner.

use std::path::PathBuf;
use std::time::Duration;

use chrono::TimeDelta;
use favor_campaign::list::{ListSource, read};
use favor_campaign::{
    Books as _, Campaign, CampaignName, Claimed, Fate, Finish, Ledger as _, ListFacts, Manifest, Order,
    Recorded, Settlement, SortedList, SqliteLedger, WorkerId, import,
};
use favor_core::{
    ApiV3Key, AppId, Certificate, Client, CouponId, Fen, FixedNormalCoupon, MerchantSigner, OpenId,
    PlatformKeys, PrivateKey, RetryPolicy, StockId, Timestamp,
};
use favor_coupon::{Coupons, SendCoupon};
use favor_mirror::Mirror;
use favor_stock::{CouponRule, CreateStock, StockRule, Stocks};
use tempfile::TempDir;

pub const FACE: i64 = 500;

pub struct World {
    pub mirror: Mirror,
    pub client: Client,
    pub stocks: Stocks,
    pub coupons: Coupons,
    pub appid: AppId,
    pub ledger: SqliteLedger,
    pub folder: TempDir,
}

/// Without the pauses a production client makes.
pub fn quick(attempts: u32) -> RetryPolicy {
    let mut policy = RetryPolicy::DEFAULT.attempts(attempts);
    policy.first_pause = Duration::ZERO;
    policy
}

pub fn fen(fen: i64) -> Fen {
    Fen::new(fen).unwrap()
}

pub fn person(number: usize) -> OpenId {
    format!("oTea{number:05}").parse().unwrap()
}

impl World {
    pub async fn new() -> Self {
        let mirror = Mirror::builder().start().await.unwrap();
        let merchant = mirror.merchant();
        let key = PrivateKey::from_pem(&merchant.private_key_pem).unwrap();
        let certificate = Certificate::from_pem(&merchant.certificate_pem).unwrap();
        let signer =
            MerchantSigner::from_certificate(merchant.mchid.parse().unwrap(), &certificate, key).unwrap();
        let keys = PlatformKeys::download(ApiV3Key::new(&merchant.api_v3_key).unwrap());
        let client =
            Client::builder(signer, keys).base_url(mirror.base_url()).retry(quick(1)).build().unwrap();
        let appid = merchant.appid.parse().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let ledger = SqliteLedger::open(folder.path().join("ledger.db")).await.unwrap();
        let (stocks, coupons) = (Stocks::new(&client), Coupons::new(&client));
        Self { mirror, client, stocks, coupons, appid, ledger, folder }
    }

    /// By the mirror's clock, which moves.
    pub fn now(&self) -> Timestamp {
        self.mirror.now()
    }

    pub fn stock_request(&self, coupons: u64, per_user: u32) -> CreateStock {
        let merchant = self.client.merchant_id().clone();
        let begin = self.now();
        CreateStock::no_cash(
            "Tea 5 off 30",
            merchant.clone(),
            begin..begin + TimeDelta::days(30),
            StockRule::new(coupons, fen(FACE).checked_mul(coupons).unwrap(), per_user),
            CouponRule::normal(FixedNormalCoupon::new(fen(FACE), fen(3_000)), [merchant]),
            format!("stock-{coupons}-{per_user}").parse().unwrap(),
        )
    }

    pub async fn running_stock(&self, coupons: u64, per_user: u32) -> StockId {
        let [stock] = self.running_stocks([(coupons, per_user)]).await;
        stock
    }

    /// All of them begin before the mirror's clock leaves the client's behind.
    pub async fn running_stocks<const N: usize>(&self, wanted: [(u64, u32); N]) -> [StockId; N] {
        let mut ids = Vec::new();
        for (at, (coupons, per_user)) in wanted.into_iter().enumerate() {
            let mut request = self.stock_request(coupons, per_user);
            request.out_request_no = format!("stock-{at}").parse().unwrap();
            let created = self.stocks.create(&request).await.unwrap();
            ids.push(created.stock_id.clone());
        }
        self.mirror.advance(Duration::from_secs(61)).await.unwrap();
        for stock in &ids {
            self.stocks.start(stock).await.unwrap();
        }
        ids.try_into().unwrap()
    }

    pub fn list(&self, people: usize) -> SortedList {
        let text: String =
            (0..people).rev().map(|number| person(number).as_str().to_owned() + "\n").collect();
        read(&ListSource::new(self.list_file(&text))).unwrap()
    }

    pub fn list_file(&self, text: &str) -> PathBuf {
        let file = self.folder.path().join("list.csv");
        std::fs::write(&file, text).unwrap();
        file
    }

    pub fn manifest(&self, name: &str, stock_id: &StockId, list: &ListFacts) -> Manifest {
        let merchant = self.client.merchant_id().clone();
        let name = CampaignName::new(name).unwrap();
        let mut manifest = Manifest::new(
            name,
            merchant.clone(),
            stock_id.clone(),
            merchant,
            self.appid.clone(),
            list.clone(),
            self.now(),
        );
        manifest.face_value = Some(fen(FACE));
        manifest
    }

    /// A campaign for so many people, with its list imported.
    pub async fn campaign(
        &self,
        name: &str,
        stock_id: &StockId,
        people: usize,
        coupons_each: u32,
    ) -> Campaign {
        let mut list = self.list(people);
        let mut manifest = self.manifest(name, stock_id, list.facts());
        manifest.coupons_per_person = coupons_each;
        import(&self.ledger, &manifest, &mut list).await.unwrap();
        self.again(&manifest.name).await
    }

    pub async fn again(&self, name: &CampaignName) -> Campaign {
        self.ledger.campaign(name).await.unwrap()
    }

    /// Sends what is open, one coupon after the other, and records what `told` makes of each answer; with none the
    /// coupon stays open.
    pub async fn send(
        &self,
        campaign: &Campaign,
        told: impl Fn(&OpenId, u32, Result<CouponId, String>) -> Option<Told>,
    ) {
        self.ledger.order(campaign.id, Order::Start).await.unwrap();
        let (manifest, lease) = (&campaign.manifest, Duration::from_secs(600));
        let numbers = manifest.numbers();
        let worker = WorkerId("test".into());
        loop {
            let claim = match self.ledger.claim(campaign.id, &worker, lease).await.unwrap() {
                Claimed::Chunk(claim) => claim,
                Claimed::AllDone | Claimed::Later { .. } => return,
            };
            for task in &claim.tasks {
                for open in &task.open {
                    let request: SendCoupon = manifest.request(&numbers, &task.openid, open.slot);
                    let answer = self.coupons.send(&task.openid, &request).await;
                    let answer = answer.map(|sent| sent.into_value().coupon_id).map_err(|error| {
                        let code = error.api().and_then(|api| api.code()).map(ToString::to_string);
                        code.unwrap_or_else(|| "unknown".into())
                    });
                    let Some(told) = told(&task.openid, open.slot, answer) else { continue };
                    let (fate, code) = match told {
                        Told::Sent(coupon_id) => (Fate::Sent { coupon_id }, None),
                        Told::Refused(code) => (Fate::Refused, Some(code)),
                        Told::Unknown => (Fate::Unknown, Some("timeout".to_owned())),
                    };
                    let settlement = Settlement {
                        place: task.place,
                        slot: open.slot,
                        fate,
                        attempts: 2,
                        message: code.as_ref().map(|code| format!("said, \"{code}\"")),
                        code,
                        request_id: Some("req-1".into()),
                        first_tried_at: self.now(),
                        settled_at: self.now() + TimeDelta::seconds(2),
                    };
                    let recorded = self.ledger.record(&claim.lease, &[settlement], lease).await.unwrap();
                    assert_eq!(recorded, Recorded::Done);
                }
            }
            let rest = Finish::GiveBack { after: Duration::from_secs(3_600) };
            self.ledger.finish(&claim.lease, rest).await.unwrap();
        }
    }

    /// Sends everything and records it as it was.
    pub async fn send_all(&self, campaign: &Campaign) -> Campaign {
        self.send(campaign, |_, _, answer| Some(answer.map_or_else(Told::Refused, Told::Sent))).await;
        self.again(&campaign.manifest.name).await
    }

    /// The coupon of a person.
    pub async fn coupon_of(&self, campaign: &Campaign, openid: &OpenId) -> CouponId {
        let row = self.ledger.find(campaign.id, openid).await.unwrap().unwrap();
        row.outcomes[0].coupon_id.clone().unwrap()
    }
}

/// What is recorded of an answer.
pub enum Told {
    Sent(CouponId),
    Refused(String),
    Unknown,
}
