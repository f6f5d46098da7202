//! The client as a campaign's sender, and whole runs over a SQLite ledger, against the mirror.

#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure with its place")]

use std::sync::Arc;
use std::time::Duration;

use favor_campaign::{
    Books as _, CampaignId, CampaignName, Claimed, ClientSender, Ended, Ledger, ListFacts, Manifest, Order,
    OutcomeState, Recipient, Runner, Sender as _, SqliteLedger, WorkerId,
};
use favor_core::{
    ApiV3Key, AppId, Certificate, Client, MerchantId, MerchantSigner, OpenId, Outcome, PlatformKeys,
    PrivateKey, Rate, StockId,
};
use favor_mirror::{FaultKind, FaultPlace, FaultRule, Mirror, Seed};

struct Place {
    mirror: Mirror,
    client: Client,
    manifest: Manifest,
    ledger: Arc<SqliteLedger>,
    campaign: CampaignId,
    _folder: tempfile::TempDir,
}

fn person(number: u64) -> OpenId {
    OpenId::new(format!("oTea{number:04}")).unwrap()
}

/// A mirror with a stock, and a campaign that was started.
async fn place(people: u64, chunk: u32) -> Place {
    let seed = Seed::parse(
        "[[stocks]]\nname = 'Tea'\ncoupon_amount_fen = 500\nthreshold_fen = 3000\ncoupons = 1000\nend = '+60d'\n",
    );
    let mirror = Mirror::builder().seed(seed.unwrap()).start().await.unwrap();
    let merchant = mirror.merchant();
    let mchid = MerchantId::new(&merchant.mchid).unwrap();
    let key = PrivateKey::from_pem(&merchant.private_key_pem).unwrap();
    let certificate = Certificate::from_pem(&merchant.certificate_pem).unwrap();
    let signer = MerchantSigner::from_certificate(mchid.clone(), &certificate, key).unwrap();
    let keys = PlatformKeys::download(ApiV3Key::new(&merchant.api_v3_key).unwrap());
    let client = Client::builder(signer, keys)
        .base_url(mirror.base_url())
        .rate("coupon.send", Rate::per_minute(1))
        .language("en")
        .build()
        .unwrap();
    let manifest = Manifest::new(
        CampaignName::new("tea").unwrap(),
        mchid.clone(),
        StockId::new(&mirror.audit().await.stocks[0].stock_id).unwrap(),
        mchid,
        AppId::new(&merchant.appid).unwrap(),
        ListFacts { people, ..ListFacts::default() },
        client.now(),
    );
    let folder = tempfile::tempdir().unwrap();
    let ledger = Arc::new(SqliteLedger::open(folder.path().join("campaign.db")).await.unwrap());
    let (campaign, _) = ledger.begin(&manifest).await.unwrap();
    let recipients: Vec<_> = (0..people)
        .map(|number| Recipient { place: number, line: number + 1, openid: person(number) })
        .collect();
    ledger.add_people(campaign, &recipients).await.unwrap();
    ledger.seal(campaign, people, chunk).await.unwrap();
    ledger.order(campaign, Order::Start).await.unwrap();
    Place { mirror, client, manifest, ledger, campaign, _folder: folder }
}

impl Place {
    fn runner(&self) -> Runner {
        let sender = Arc::new(ClientSender::new(&self.client));
        Runner::builder(self.ledger.clone(), sender, self.manifest.name.clone()).build()
    }

    fn plan(&self, kind: FaultKind, place: FaultPlace) {
        self.mirror.plan(FaultRule::new(kind).operation("coupon.send").place(place)).unwrap();
    }
}

#[tokio::test]
async fn only_an_answer_whose_signature_holds_is_a_coupon() {
    let place = place(1, 10).await;
    let sender = ClientSender::new(&place.client);
    let (person, numbers) = (person(0), place.manifest.numbers());
    let request = place.manifest.request(&numbers, &person, 0);
    for kind in [FaultKind::CorruptSignature, FaultKind::CorruptBody, FaultKind::NotJson] {
        place.plan(kind, FaultPlace::AfterCommit);
        let answer = sender.send(&person, &request).await;
        let trouble = answer.result.unwrap_err();
        assert_eq!(trouble.outcome, Outcome::Unknown, "{trouble:?}");
    }
    place.plan(FaultKind::Cut, FaultPlace::AfterCommit);
    let trouble = sender.send(&person, &request).await.result.unwrap_err();
    assert_eq!(
        (trouble.outcome, trouble.status, trouble.code.as_str()),
        (Outcome::Unknown, None, "interrupted")
    );
    // One attempt each, and no waiting for the client's own rate: five requests came, and one coupon was given.
    let first = sender.send(&person, &request).await;
    assert_eq!(first.result, sender.send(&person, &request).await.result);
    assert!(first.result.is_ok() && first.request_id.is_some());
    assert_eq!(place.mirror.audit().await.stocks[0].coupons, 1);
    place.mirror.shutdown().await;
}

#[tokio::test]
async fn a_refusal_keeps_its_code_and_words_and_no_openid() {
    let place = place(1, 10).await;
    let sender = ClientSender::new(&place.client);
    let mut manifest = place.manifest.clone();
    manifest.stock_id = StockId::new("1").unwrap();
    let (person, numbers) = (person(0), manifest.numbers());
    let answer = sender.send(&person, &manifest.request(&numbers, &person, 0)).await;
    let trouble = answer.result.unwrap_err();
    assert_eq!((trouble.outcome, trouble.status), (Outcome::Refused, Some(404)));
    assert_eq!((trouble.code.as_str(), trouble.message.as_str()), ("RESOURCE_NOT_EXISTS", "批次不存在"));
    assert!(answer.request_id.is_some());
    assert!(!format!("{trouble:?}").contains(person.as_str()));
    place.mirror.shutdown().await;
}

#[tokio::test]
async fn a_campaign_with_faults_comes_to_its_end() {
    let place = place(60, 10).await;
    let often = |kind, at| FaultRule::new(kind).operation("coupon.send").place(at).times(0);
    place.mirror.plan(often(FaultKind::Cut, FaultPlace::AfterCommit).every(7)).unwrap();
    place.mirror.plan(often(FaultKind::CorruptSignature, FaultPlace::AfterCommit).every(11)).unwrap();
    let ended = place.runner().run(std::future::pending()).await.unwrap();
    assert_eq!(ended, Ended::Finished);
    let standing = place.ledger.standing(place.campaign).await.unwrap();
    assert_eq!(standing.count(OutcomeState::Sent), 60);
    let stock = &place.mirror.audit().await.stocks[0];
    assert_eq!((stock.coupons, stock.distinct_users, stock.distinct_out_request_nos), (60, 60, 60));
    place.mirror.shutdown().await;
}

#[tokio::test]
async fn one_chunk_can_be_run_by_itself() {
    let place = place(30, 10).await;
    let worker = WorkerId("elsewhere".to_owned());
    let claimed = place.ledger.claim(place.campaign, &worker, Duration::from_secs(30)).await.unwrap();
    let Claimed::Chunk(claim) = claimed else {
        panic!("{claimed:?}");
    };
    let report = place.runner().run_chunk(claim, std::future::pending()).await.unwrap();
    assert_eq!((report.settled, report.left_open, report.lost), (10, 0, false));
    let standing = place.ledger.standing(place.campaign).await.unwrap();
    assert_eq!((standing.count(OutcomeState::Sent), standing.count(OutcomeState::Open)), (10, 20));
    // Told to stop at the beginning, a chunk goes back as it is, and another can have it at once.
    let again = || place.ledger.claim(place.campaign, &worker, Duration::from_secs(30));
    let Claimed::Chunk(claim) = again().await.unwrap() else {
        panic!("there is another chunk");
    };
    let report = place.runner().run_chunk(claim, std::future::ready(())).await.unwrap();
    assert_eq!(report.settled + report.left_open, 10);
    let mut left = Vec::new();
    while let Claimed::Chunk(next) = again().await.unwrap() {
        left.push(next.lease.chunk);
    }
    left.sort_unstable();
    assert_eq!(left, [1, 2], "it was given back at once");
    place.mirror.shutdown().await;
}

#[tokio::test]
async fn a_refused_signature_pauses_with_the_diagnosis() {
    let place = place(5, 10).await;
    let other = PrivateKey::from_pem(include_str!("../../../mirror/keys/merchant-4.pem"));
    let certificate = Certificate::from_pem(&place.mirror.merchant().certificate_pem).unwrap();
    let mchid = place.manifest.merchant_id.clone();
    let signer = MerchantSigner::new(mchid, certificate.serial().as_str(), other.unwrap()).unwrap();
    let client = Client::builder(signer, PlatformKeys::store(Shared(place.client.key_store())))
        .base_url(place.mirror.base_url())
        .build()
        .unwrap();
    // Its keys have to be there before, since the download would be refused, too.
    let sender = ClientSender::new(&place.client);
    let numbers = place.manifest.numbers();
    assert!(sender.send(&person(0), &place.manifest.request(&numbers, &person(0), 0)).await.result.is_ok());
    let wrong = Arc::new(ClientSender::new(&client));
    let runner = Runner::builder(place.ledger.clone(), wrong, place.manifest.name.clone()).build();
    let paused = async {
        while place.ledger.standing(place.campaign).await.unwrap().reason.is_none() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(60), runner.run(paused)).await.expect("it pauses");
    assert_eq!(ended.unwrap(), Ended::Interrupted);
    let reason = place.ledger.standing(place.campaign).await.unwrap().reason.unwrap();
    assert!(reason.contains("SIGN_ERROR (401)"), "{reason}");
    assert!(reason.contains("the private key does not belong to the certificate"), "{reason}");
    place.mirror.shutdown().await;
}

/// The keys of another client.
#[derive(Debug)]
struct Shared(Arc<dyn favor_core::KeyStore>);

impl favor_core::KeyStore for Shared {
    fn keys(&self) -> Arc<favor_core::KeySet> {
        self.0.keys()
    }

    fn refresh(
        &self,
        why: favor_core::Refresh,
    ) -> futures_util::future::BoxFuture<'_, Result<(), favor_core::Error>> {
        self.0.refresh(why)
    }
}
