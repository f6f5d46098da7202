//! A mirror whose clock stands, an account of it, and what its users do.

use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use favor::core::{
    Clock as _, HttpRequest, HttpResponse, HttpTransport, ManualClock, Transport, TransportError,
};
use favor_card::*;
use favor_mirror::{LoggedRequest, Mirror};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

pub const ANNA: &str = "oTESTopenid00000000000000001";
pub const BELA: &str = "oTESTopenid00000000000000002";
pub const PICTURE: &str = "http://mmbiz.qpic.cn/mmbiz_png/INVENTEDlogo/0";
pub const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";
/// Longer than anything takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(600);

/// The usual transport, with more patience than the client lets it have.
#[derive(Debug)]
struct Patient(HttpTransport);

impl Transport for Patient {
    fn send(&self, mut request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        request.timeout = PATIENCE;
        self.0.send(request)
    }
}

pub struct Desk {
    pub mirror: Mirror,
    pub clock: Arc<ManualClock>,
    pub client: Client,
    http: reqwest::Client,
}

impl Desk {
    pub async fn new() -> Self {
        let start = DateTime::parse_from_rfc3339("2026-08-10T10:00:00+08:00").unwrap();
        let clock = Arc::new(ManualClock::new(start.to_utc()));
        // Nor does the mirror close a connection at the moment when it is used again.
        let mirror = Mirror::builder().callback_timeout(PATIENCE).keep_alive_timeout(PATIENCE);
        let mirror = mirror.start().await.unwrap();
        mirror.set_clock(start).await.unwrap();
        mirror.freeze_clock().await.unwrap();
        let client = builder(&mirror).clock(clock.clone()).build().unwrap();
        Self { mirror, clock, client, http: reqwest::Client::new() }
    }

    /// Moves both clocks. Everything that falls due has happened when this returns.
    pub async fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.mirror.advance(by).await.unwrap();
    }

    pub fn in_days(&self, days: i64) -> Timestamp {
        (self.clock.now() + chrono::TimeDelta::days(days)).fixed_offset()
    }

    /// A control call: what has no API.
    pub async fn act(&self, what: &str, body: Value) -> Value {
        let url = format!("{}/_mirror/card/{what}", self.mirror.base_url());
        let request = self.http.post(url).header("content-type", "application/json").body(body.to_string());
        read(what, request).await
    }

    pub async fn look(&self, what: &str) -> Value {
        read(what, self.http.get(format!("{}/_mirror/card/{what}", self.mirror.base_url()))).await
    }

    /// Makes a card and lets it pass the review.
    pub async fn card(&self, card: impl Into<Card>) -> CardId {
        let card_id = Cards::new(&self.client).create(&card.into()).await.unwrap().card_id.clone();
        self.act(&format!("cards/{card_id}/review"), json!({})).await;
        card_id
    }

    /// Anna takes a card.
    pub async fn claim(&self, card_id: &CardId) -> Code {
        code_of(&self.act("claim", json!({"card_id": card_id, "openid": ANNA})).await)
    }

    /// Calls in the mirror's log.
    pub fn log(&self) -> Vec<LoggedRequest> {
        self.mirror.requests(1_000_000, 0)
    }

    /// How often the mirror was asked for this.
    pub fn asked(&self, operation: &str) -> usize {
        self.log().iter().filter(|request| request.operation == Some(operation)).count()
    }
}

async fn read(what: &str, request: reqwest::RequestBuilder) -> Value {
    let response = request.send().await.unwrap();
    let (status, text) = (response.status(), response.text().await.unwrap());
    assert_eq!(status, 200, "{what}: {text}");
    serde_json::from_str(&text).unwrap()
}

/// A client of the mirror's account.
pub fn builder(mirror: &Mirror) -> ClientBuilder {
    let merchant = mirror.merchant();
    let secret = AppSecret::new(&merchant.app_secret).unwrap();
    Client::builder(AppId::new(&merchant.appid).unwrap(), secret)
        .base_url(mirror.base_url())
        .transport(Patient(HttpTransport::new().unwrap()))
}

pub fn person(text: &str) -> OpenId {
    OpenId::new(text).unwrap()
}

pub fn code_of(told: &Value) -> Code {
    Code::new(told["code"].as_str().unwrap_or_else(|| panic!("{told}"))).unwrap()
}

pub fn base() -> BaseInfo {
    BaseInfo::new(CodeType::QrCode, Color::Color010, Sku::new(5), DateInfo::days(30, 0))
        .logo_url(PICTURE)
        .brand_name("茶角")
        .title("双人茶")
        .notice("请出示")
        .description("每桌一张")
        .location_id_list([300_001])
        .get_limit(9)
}

pub fn coupon() -> Groupon {
    Groupon::new(base(), "两壶茶")
}

pub fn member_card() -> MemberCard {
    let mut base = base().need_push_on_view(true);
    base.date_info = DateInfo::permanent();
    MemberCard::new(base).prerogative("5%返积分").supply_bonus(true).supply_balance(true).wx_activate(true)
}

/// A card of 100 yuan for 80.
pub fn gift_card() -> GeneralCard {
    let base = base().giftcard_info(GiftCardInfo::new(Fen::new(8_000).unwrap()));
    let card = GeneralCard::new(base, SubCardType::GiftCard).supply_balance(true).auto_activate(true);
    card.init_balance(Fen::new(10_000).unwrap())
}
