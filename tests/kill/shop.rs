//! The mirror's side: a merchant, a stock, coupons given and redeemed.

use std::path::Path;
use std::time::Duration;

use chrono::TimeDelta;
use favor::prelude::*;
use favor_mirror::{FaultKind, FaultRule, Mirror, NotificationRecord, NotificationState, Redeem};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

const AT_ONCE: usize = 24;

pub struct Shop {
    pub mirror: Mirror,
    client: Client,
    stock_id: StockId,
    folder: tempfile::TempDir,
}

impl Shop {
    /// A mirror with a running stock, and the files that the receiver needs.
    pub async fn open(coupons: usize) -> Self {
        let mirror = Mirror::builder().start().await.unwrap();
        let merchant = mirror.merchant();
        let folder = tempfile::tempdir().unwrap();
        let public = mirror.public_key();
        for (name, text) in [
            ("key.pem", &merchant.private_key_pem),
            ("certificate.pem", &merchant.certificate_pem),
            ("api_v3_key", &merchant.api_v3_key),
            ("mchid", &merchant.mchid),
            ("public_key.pem", &public.pem),
            ("public_key_id", &public.id),
            ("base_url", &mirror.base_url().to_owned()),
        ] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let client = client(folder.path());
        let stocks = Stocks::new(&client);
        let coupons = u64::try_from(coupons).unwrap();
        let (begin, face) = (client.now(), Fen::new(500).unwrap());
        let creator = client.merchant_id().clone();
        let request = CreateStock::no_cash(
            "Tea 5 off 30",
            creator.clone(),
            begin..begin + TimeDelta::days(30),
            StockRule::new(coupons, face.checked_mul(coupons).unwrap(), 1),
            CouponRule::normal(FixedNormalCoupon::new(face, Fen::new(3000).unwrap()), [creator]),
            "kill-stock".parse().unwrap(),
        );
        let stock_id = stocks.create(&request).await.unwrap().stock_id.clone();
        mirror.advance(Duration::from_secs(61)).await.unwrap();
        stocks.start(&stock_id).await.unwrap();
        Self { mirror, client, stock_id, folder }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Notifications go to this address from now on, repeats too.
    pub async fn notify(&self, url: &str) {
        CallbackAddress::new(&self.client).set(&NotifyUrl::new(url).unwrap()).await.unwrap();
    }

    /// Gives a coupon to each of so many people.
    pub async fn give(&self, people: usize) -> Vec<CouponId> {
        let coupons = Coupons::new(&self.client);
        let appid: AppId = self.mirror.merchant().appid.parse().unwrap();
        let creator = self.client.merchant_id();
        stream::iter(0..people)
            .map(|number| {
                let (coupons, creator) = (coupons.clone(), creator.clone());
                let number_of_request = format!("k{number}").parse().unwrap();
                let request =
                    SendCoupon::new(self.stock_id.clone(), number_of_request, appid.clone(), creator);
                async move {
                    let openid: OpenId = format!("oUser{number}").parse().unwrap();
                    coupons.send(&openid, &request).await.map(|sent| sent.coupon_id.clone())
                }
            })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await
            .unwrap()
    }

    /// 5 % of the notifications arrive twice or three times at once, 2 % as a probe first, 3 % after later ones.
    pub fn plan_faults(&self) {
        for (kind, millionths) in [
            (FaultKind::Duplicate { copies: 2 }, 40_000),
            (FaultKind::Duplicate { copies: 3 }, 10_000),
            (FaultKind::Probe, 20_000),
            (FaultKind::Hold { seconds: 40 }, 30_000),
        ] {
            let rule = FaultRule::new(kind).operation("callback.notify").probability_ppm(millionths);
            self.mirror.plan(rule).unwrap();
        }
    }

    /// Pays with each of them.
    pub async fn redeem_all(&self, coupons: &[CouponId]) {
        let redeem = |coupon: &CouponId| {
            let coupon = coupon.as_str().to_owned();
            async move { self.mirror.redeem(&coupon, Redeem::default()).await }
        };
        let paying: Result<Vec<_>, _> =
            stream::iter(coupons).map(redeem).buffer_unordered(AT_ONCE).try_collect().await;
        paying.unwrap();
    }

    /// Lets time pass until the mirror has nothing more to tell.
    pub async fn deliver_the_rest(&self) {
        while self.notifications().await.iter().any(|one| one.state == NotificationState::Pending) {
            self.mirror.advance(Duration::from_secs(600)).await.unwrap();
        }
    }

    /// All of them.
    pub async fn notifications(&self) -> Vec<NotificationRecord> {
        self.mirror.notifications(10_000, 0).await.unwrap()
    }
}

/// A client of the merchant whose files are in the folder; it trusts certificates and the public key.
pub fn client(folder: &Path) -> Client {
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let key = PrivateKey::from_pem(read("key.pem")).unwrap();
    let certificate = Certificate::from_pem(read("certificate.pem")).unwrap();
    let signer = MerchantSigner::from_certificate(read("mchid").parse().unwrap(), &certificate, key).unwrap();
    let public = PublicKey::from_pem(read("public_key.pem")).unwrap();
    let keys = PlatformKeys::download_and_public_key(api_v3_key(folder), read("public_key_id"), public);
    Client::builder(signer, keys.unwrap()).base_url(read("base_url")).build().unwrap()
}

pub fn api_v3_key(folder: &Path) -> ApiV3Key {
    ApiV3Key::new(std::fs::read_to_string(folder.join("api_v3_key")).unwrap()).unwrap()
}
