//! The card API over real sockets.

mod audits;
mod codes;
mod coins;
mod desk;
mod events;
mod extremes;
mod faults;
mod gift_orders;
pub(crate) mod gift_pages;
mod gifts;
mod invoices;
mod marks;
mod members;
mod messages;
mod pictures;
mod pushes;
mod seeds;
mod shops;
mod shown;
mod statistics;
mod templates;
mod tickets;
mod tokens;
mod views;

use serde_json::{Value, json};

use crate::harness::{Reply, World, builder, fetch};

pub(crate) const ANNA: &str = "oTESTopenid00000000000000001";
pub(crate) const BELA: &str = "oTESTopenid00000000000000002";
pub(crate) const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";
pub(crate) const PICTURE: &str = "http://mmbiz.qpic.cn/mmbiz_png/INVENTEDlogo/0";

/// A world with an access token.
pub(crate) struct Cards {
    pub(crate) world: World,
    pub(crate) token: String,
}

impl Cards {
    pub(crate) async fn new() -> Self {
        Self::around(World::with(builder()).await).await
    }

    pub(crate) async fn around(world: World) -> Self {
        let token = plain_token(&world).await;
        Self { world, token }
    }

    /// A call with the token; answers whatever comes, with HTTP 200.
    pub(crate) async fn call(&self, path: &str, body: &Value) -> Value {
        let target = format!("{path}?access_token={}", self.token);
        let reply = fetch(self.world.request("POST", &target, &body.to_string())).await.unwrap();
        assert_eq!(reply.status, 200, "{path}");
        reply.json()
    }

    #[track_caller]
    fn check(path: &str, told: Value) -> Value {
        assert!(told["errcode"] == 0 || told.get("errcode").is_none(), "{path}: {told}");
        told
    }

    pub(crate) async fn ok(&self, path: &str, body: &Value) -> Value {
        Self::check(path, self.call(path, body).await)
    }

    /// The errcode of a call that is refused.
    pub(crate) async fn errcode(&self, path: &str, body: &Value) -> i64 {
        self.call(path, body).await["errcode"].as_i64().unwrap_or(0)
    }

    pub(crate) async fn act(&self, what: &str, body: &Value) -> Reply {
        self.world.control("POST", &format!("/_mirror/card/{what}"), body).await
    }

    /// Makes a card and lets it pass the review.
    pub(crate) async fn card(&self, body: &Value) -> String {
        let told = self.ok("/card/create", body).await;
        let id = told["card_id"].as_str().unwrap().to_owned();
        self.act(&format!("cards/{id}/review"), &Value::Null).await.ok();
        id
    }

    /// A user takes a card; answers the code.
    pub(crate) async fn claim(&self, card_id: &str, openid: &str) -> String {
        let told = self.act("claim", &json!({ "card_id": card_id, "openid": openid })).await.ok();
        told["code"].as_str().unwrap().to_owned()
    }

    /// Uploads a picture; answers what came.
    pub(crate) async fn upload(&self, path: &str, content: &[u8]) -> Value {
        let mut body =
            b"--XyZ\r\nContent-Disposition: form-data; name=\"buffer\"; filename=\"a.png\"\r\n\r\n".to_vec();
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n--XyZ--\r\n");
        let url = format!("{}{path}access_token={}", self.world.mirror.base_url(), self.token);
        let request = self.world.http.post(url).header("Content-Type", "multipart/form-data; boundary=XyZ");
        fetch(request.body(body)).await.unwrap().ok()
    }

    /// Sends a sub-merchant in; answers its number.
    pub(crate) async fn sub_merchant(&self) -> String {
        let paper = self.upload("/cgi-bin/media/upload?type=image&", PNG).await["media_id"].clone();
        let info = json!({"brand_name": "Tea Nook", "logo_url": PICTURE, "protocol": paper,
            "agreement_media_id": paper, "end_time": 1_893_456_000, "primary_category_id": 1,
            "secondary_category_id": 101});
        let told = self.ok("/card/submerchant/submit", &json!({ "info": info })).await;
        assert_eq!(told["info"]["status"], "CHECKING");
        told["info"]["merchant_id"].to_string()
    }

    pub(crate) async fn status(&self, code: &str) -> Value {
        self.ok("/card/code/get", &json!({ "code": code, "check_consume": false })).await
    }
}

pub(crate) async fn plain_token(world: &World) -> String {
    let merchant = world.mirror.merchant();
    let target = format!(
        "/cgi-bin/token?grant_type=client_credential&appid={}&secret={}",
        merchant.appid, merchant.app_secret
    );
    let told = fetch(world.request("GET", &target, "")).await.unwrap().ok();
    assert_eq!(told["expires_in"], 7200, "{told}");
    told["access_token"].as_str().unwrap().to_owned()
}

/// The `base_info` of a coupon for a month.
pub(crate) fn base() -> Value {
    json!({
        "logo_url": PICTURE, "brand_name": "Tea Nook", "code_type": "CODE_TYPE_QRCODE",
        "title": "Tea for two", "color": "Color010", "notice": "Show this at the bar",
        "description": "One per table.",
        "date_info": {"type": "DATE_TYPE_FIX_TERM", "fixed_term": 30, "fixed_begin_term": 0},
        "sku": {"quantity": 5}, "get_limit": 2, "location_id_list": [300001]
    })
}

pub(crate) fn coupon(base: Value) -> Value {
    json!({"card": {"card_type": "GROUPON", "groupon": {"base_info": base, "deal_detail": "2 pots of tea"}}})
}

pub(crate) fn member_card() -> Value {
    let mut base = base();
    base["date_info"] = json!({"type": "DATE_TYPE_PERMANENT"});
    json!({"card": {"card_type": "MEMBER_CARD", "member_card": {
        "base_info": base, "prerogative": "5% back in points", "supply_bonus": true, "supply_balance": true,
        "wx_activate": true
    }}})
}
