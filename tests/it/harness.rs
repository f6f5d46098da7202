//! A mirror and a client of its merchant.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use favor::core::{ClientBuilder, RetryPolicy};
use favor::prelude::*;
use favor_mirror::{MerchantSeed, Mirror, MirrorBuilder};

/// Operation, status, whether verified.
pub type SeenAttempt = (&'static str, Option<u16>, bool);

pub struct World {
    pub mirror: Mirror,
    pub client: Client,
    pub stocks: Stocks,
    pub coupons: Coupons,
    pub appid: AppId,
    pub attempts: Arc<Mutex<Vec<SeenAttempt>>>,
}

pub fn signer(mirror: &Mirror) -> MerchantSigner {
    let merchant = mirror.merchant();
    let key = PrivateKey::from_pem(&merchant.private_key_pem).unwrap();
    let certificate = Certificate::from_pem(&merchant.certificate_pem).unwrap();
    MerchantSigner::from_certificate(merchant.mchid.parse().unwrap(), &certificate, key).unwrap()
}

pub fn api_v3_key(mirror: &Mirror) -> ApiV3Key {
    ApiV3Key::new(&mirror.merchant().api_v3_key).unwrap()
}

pub fn client_of(mirror: &Mirror) -> ClientBuilder {
    Client::builder(signer(mirror), PlatformKeys::download(api_v3_key(mirror))).base_url(mirror.base_url())
}

/// Repeats without the pauses a production client makes.
pub fn quick(attempts: u32) -> RetryPolicy {
    let mut policy = RetryPolicy::DEFAULT.attempts(attempts);
    policy.first_pause = Duration::ZERO;
    policy
}

impl World {
    pub async fn new() -> Self {
        Self::with(Mirror::builder(), |client| client.retry(quick(1))).await
    }

    pub async fn with(mirror: MirrorBuilder, options: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Self {
        let mirror = mirror.start().await.unwrap();
        let attempts = Arc::new(Mutex::new(Vec::new()));
        let seen = attempts.clone();
        let client = options(client_of(&mirror))
            .observe(move |attempt| {
                seen.lock().unwrap().push((attempt.operation, attempt.status, attempt.verified))
            })
            .build()
            .unwrap();
        let appid = mirror.merchant().appid.parse().unwrap();
        let (stocks, coupons) = (Stocks::new(&client), Coupons::new(&client));
        Self { mirror, client, stocks, coupons, appid, attempts }
    }

    /// A request for a stock of `coupons` coupons of 5 yuan, `per_user` to one user.
    pub fn stock_request(&self, coupons: u64, per_user: u32, number: &str) -> CreateStock {
        let merchant = self.client.merchant_id().clone();
        let face = Fen::new(500).unwrap();
        let begin = self.client.now();
        CreateStock::no_cash(
            "Tea 5 off 30",
            merchant.clone(),
            begin..begin + TimeDelta::days(30),
            StockRule::new(coupons, face.checked_mul(coupons).unwrap(), per_user),
            CouponRule::normal(FixedNormalCoupon::new(face, Fen::new(3000).unwrap()), [merchant]),
            number.parse().unwrap(),
        )
    }

    /// Creates and starts a stock.
    pub async fn running(&self, request: &CreateStock) -> StockId {
        let created = self.stocks.create(request).await.unwrap();
        self.mirror.advance(Duration::from_secs(61)).await.unwrap();
        self.stocks.start(&created.stock_id).await.unwrap();
        created.stock_id.clone()
    }

    pub fn send_request(&self, stock_id: &StockId, number: &str) -> SendCoupon {
        let creator = self.client.merchant_id().clone();
        SendCoupon::new(stock_id.clone(), number.parse().unwrap(), self.appid.clone(), creator)
    }

    pub fn attempts_at(&self, operation: &str) -> usize {
        self.attempts.lock().unwrap().iter().filter(|(name, ..)| *name == operation).count()
    }
}

/// A further merchant of a mirror.
pub fn seed(mchid: &str, appid: &str, balance_fen: i64) -> MerchantSeed {
    let mut seed = MerchantSeed::new(mchid);
    seed.appids = vec![appid.to_owned()];
    seed.balance_fen = balance_fen;
    seed
}

/// A client of another merchant than the mirror's default one.
pub fn client_of_other(mirror: &Mirror, mchid: &str) -> (Client, AppId) {
    let other = mirror.merchants().into_iter().find(|one| one.mchid == mchid).unwrap();
    let key = PrivateKey::from_pem(&other.private_key_pem).unwrap();
    let signer = MerchantSigner::new(other.mchid.parse().unwrap(), &other.serial_no, key).unwrap();
    let keys = PlatformKeys::download(ApiV3Key::new(&other.api_v3_key).unwrap());
    let client = Client::builder(signer, keys).base_url(mirror.base_url()).retry(quick(1)).build().unwrap();
    (client, other.appid.parse().unwrap())
}

pub fn openid(text: &str) -> OpenId {
    text.parse().unwrap()
}

/// The platform's code in a refusal, and the outcome, for short assertions.
pub fn refusal(error: &Error) -> (u16, String, Outcome) {
    let api = error.api().unwrap_or_else(|| panic!("not an API error: {error:?}"));
    (api.status(), api.code().map(ToString::to_string).unwrap_or_default(), error.outcome())
}
