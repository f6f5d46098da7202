//! A mirror with a client that signs and verifies on its own.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, FixedOffset};
use favor_mirror::{Merchant, Mirror, MirrorBuilder};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub(crate) const FAVOR: &str = "/v3/marketing/favor";
pub(crate) const USER: &str = "oTea0000000000000000000000001";
pub(crate) const START: &str = "2026-08-10T12:00:00+08:00";

pub(crate) fn time(text: &str) -> DateTime<FixedOffset> {
    DateTime::parse_from_rfc3339(text).unwrap()
}

/// A builder whose two clocks stand still at noon of the tenth of August 2026.
pub(crate) fn builder() -> MirrorBuilder {
    Mirror::builder().clock_at(time(START)).wire_clock_follows_test_clock(true)
}

/// A merchant's way of signing.
#[derive(Clone)]
pub(crate) struct Credentials {
    pub(crate) mchid: String,
    pub(crate) serial_no: String,
    pub(crate) private_key_pem: String,
}

impl From<&Merchant> for Credentials {
    fn from(merchant: &Merchant) -> Self {
        Self {
            mchid: merchant.mchid.clone(),
            serial_no: merchant.serial_no.clone(),
            private_key_pem: merchant.private_key_pem.clone(),
        }
    }
}

impl Credentials {
    pub(crate) fn sign(&self, message: &[u8]) -> String {
        let der = pem::parse(&self.private_key_pem).unwrap().into_contents();
        let key = RsaKeyPair::from_pkcs8(&der).unwrap();
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
        STANDARD.encode(signature)
    }

    /// The header for a request made at this second.
    pub(crate) fn authorization(&self, method: &str, target: &str, timestamp: i64, body: &str) -> String {
        let nonce = "Qw3Er5Ty7Ui9Op1As3Df5Gh7Jk9Lz1Xc";
        let signature = self.sign(format!("{method}\n{target}\n{timestamp}\n{nonce}\n{body}\n").as_bytes());
        format!(
            "WECHATPAY2-SHA256-RSA2048 mchid=\"{}\",nonce_str=\"{nonce}\",timestamp=\"{timestamp}\",\
             serial_no=\"{}\",signature=\"{signature}\"",
            self.mchid, self.serial_no
        )
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Status, code and message of an error.
    pub(crate) fn error(&self) -> (u16, String, String) {
        let body = self.json();
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        (self.status, text("code"), text("message"))
    }

    #[track_caller]
    pub(crate) fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }

    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str, message: &str) {
        assert_eq!(self.error(), (status, code.to_owned(), message.to_owned()));
    }

    /// The number at the end of the Request-ID.
    pub(crate) fn number(&self) -> u32 {
        self.header("request-id").unwrap().rsplit('-').next().unwrap().parse().unwrap()
    }

    /// Whether the signature is that of this key (PEM `PUBLIC KEY` or `CERTIFICATE`).
    pub(crate) fn is_signed_by(&self, pem: &str) -> bool {
        let header = |name: &str| self.header(name).unwrap_or_default().to_owned();
        let mut message = format!("{}\n{}\n", header("wechatpay-timestamp"), header("wechatpay-nonce"));
        message.push_str(&String::from_utf8_lossy(&self.body));
        message.push('\n');
        let signature = STANDARD.decode(header("wechatpay-signature")).unwrap_or_default();
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public_key(pem))
            .verify(message.as_bytes(), &signature)
            .is_ok()
    }
}

/// The key as SPKI or PKCS#1 bytes.
fn public_key(text: &str) -> Vec<u8> {
    use x509_parser::prelude::{FromDer as _, X509Certificate};
    let parsed = pem::parse(text).unwrap();
    match parsed.tag() {
        "CERTIFICATE" => {
            let (_, certificate) = X509Certificate::from_der(parsed.contents()).unwrap();
            certificate.public_key().raw.to_vec()
        }
        "PRIVATE KEY" => RsaKeyPair::from_pkcs8(parsed.contents()).unwrap().public_key().as_ref().to_vec(),
        _ => parsed.into_contents(),
    }
}

/// Opens what a certificate list seals.
pub(crate) fn open(api_v3_key: &str, sealed: &Value) -> Option<String> {
    assert_eq!(sealed["algorithm"], "AEAD_AES_256_GCM");
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, api_v3_key.as_bytes()).ok()?);
    let nonce = Nonce::try_assume_unique_for_key(sealed["nonce"].as_str()?.as_bytes()).ok()?;
    let aad = Aad::from(sealed["associated_data"].as_str()?.as_bytes());
    let mut text = STANDARD.decode(sealed["ciphertext"].as_str()?).ok()?;
    let plain = key.open_in_place(nonce, aad, &mut text).ok()?;
    Some(String::from_utf8(plain.to_vec()).unwrap())
}

/// A mirror and a client of its default merchant.
pub(crate) struct World {
    pub(crate) mirror: Mirror,
    pub(crate) http: reqwest::Client,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(builder()).await
    }

    pub(crate) async fn with(builder: MirrorBuilder) -> Self {
        Self::around(builder.start().await.unwrap())
    }

    pub(crate) fn around(mirror: Mirror) -> Self {
        Self { mirror, http: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    pub(crate) fn credentials(&self) -> Credentials {
        self.mirror.merchant().into()
    }

    /// The credentials of any merchant.
    pub(crate) fn credentials_of(&self, mchid: &str) -> Credentials {
        self.mirror.merchants().iter().find(|merchant| merchant.mchid == mchid).unwrap().into()
    }

    /// An unsigned request, ready for more headers.
    pub(crate) fn request(&self, method: &str, target: &str, body: &str) -> reqwest::RequestBuilder {
        let method = method.parse().unwrap();
        let request = self
            .http
            .request(method, format!("{}{target}", self.mirror.base_url()))
            .header("Accept", "application/json")
            .header("User-Agent", "favor-mirror-tests/1");
        if body.is_empty() {
            request
        } else {
            request.header("Content-Type", "application/json").body(body.to_owned())
        }
    }

    pub(crate) async fn send_as(
        &self,
        credentials: &Credentials,
        method: &str,
        target: &str,
        body: &str,
    ) -> Result<Reply, reqwest::Error> {
        let timestamp = self.mirror.now().timestamp();
        let authorization = credentials.authorization(method, target, timestamp, body);
        fetch(self.request(method, target, body).header("Authorization", authorization)).await
    }

    /// A signed call of the default merchant.
    pub(crate) async fn call(&self, method: &str, target: &str, body: &Value) -> Reply {
        self.call_as(&self.credentials(), method, target, body).await
    }

    pub(crate) async fn call_as(
        &self,
        credentials: &Credentials,
        method: &str,
        target: &str,
        body: &Value,
    ) -> Reply {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send_as(credentials, method, target, &body).await.unwrap()
    }

    pub(crate) async fn get(&self, target: &str) -> Reply {
        self.call("GET", target, &Value::Null).await
    }

    /// A control call.
    pub(crate) async fn control(&self, method: &str, target: &str, body: &Value) -> Reply {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        fetch(self.request(method, target, &body)).await.unwrap()
    }

    /// Creates a stock and starts it after its first minute; answers its id.
    pub(crate) async fn running_stock(&self, body: &Value) -> String {
        let id = self.created_stock(body).await;
        self.mirror.advance(std::time::Duration::from_secs(61)).await.unwrap();
        self.start(&id).await.ok();
        id
    }

    pub(crate) async fn created_stock(&self, body: &Value) -> String {
        let created = self.call("POST", &format!("{FAVOR}/coupon-stocks"), body).await.ok();
        created["stock_id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn start(&self, id: &str) -> Reply {
        self.act(id, "start").await
    }

    /// `POST …/stocks/{id}/{action}` with the default merchant as creator.
    pub(crate) async fn act(&self, id: &str, action: &str) -> Reply {
        let body = json!({ "stock_creator_mchid": self.mirror.merchant().mchid });
        self.call("POST", &format!("{FAVOR}/stocks/{id}/{action}"), &body).await
    }

    /// Sets the test clock.
    pub(crate) async fn clock(&self, text: &str) {
        self.mirror.set_clock(time(text)).await.unwrap();
    }

    /// Gives a coupon and answers its id.
    pub(crate) async fn coupon(&self, stock_id: &str, openid: &str, number: &str) -> String {
        let given = self.give(stock_id, openid, number).await.ok();
        given["coupon_id"].as_str().unwrap().to_owned()
    }

    /// Fetches the file behind a link, with a signed request.
    pub(crate) async fn fetch_link(&self, url: &Value) -> Reply {
        let target = url.as_str().unwrap().strip_prefix(self.mirror.base_url()).unwrap();
        self.get(target).await
    }

    pub(crate) async fn stock(&self, id: &str) -> Value {
        let creator = &self.mirror.merchant().mchid;
        self.get(&format!("{FAVOR}/stocks/{id}?stock_creator_mchid={creator}")).await.ok()
    }

    pub(crate) fn send_body(&self, stock_id: &str, number: &str) -> Value {
        let merchant = self.mirror.merchant();
        json!({
            "stock_id": stock_id, "out_request_no": number, "appid": merchant.appid,
            "stock_creator_mchid": merchant.mchid
        })
    }

    pub(crate) async fn give(&self, stock_id: &str, openid: &str, number: &str) -> Reply {
        self.call("POST", &coupons_of(openid), &self.send_body(stock_id, number)).await
    }

    #[track_caller]
    pub(crate) fn assert_sound(&self, audit: &favor_mirror::Audit) {
        assert!(audit.ok, "{:?}", audit.findings);
    }

    /// Sends bytes as they are and reads until the server closes; the request must ask for that.
    pub(crate) async fn raw(&self, request: &[u8]) -> Vec<u8> {
        let mut stream =
            TcpStream::connect(self.mirror.base_url().trim_start_matches("http://")).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.ok();
        answer
    }
}

pub(crate) async fn fetch(request: reqwest::RequestBuilder) -> Result<Reply, reqwest::Error> {
    let response = request.send().await?;
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let body = response.bytes().await?.to_vec();
    Ok(Reply { status, headers, body })
}

/// Changes a data file behind the mirror's back.
pub(crate) fn damage(file: &std::path::Path, sql: &str) {
    let db = rusqlite::Connection::open(file).unwrap();
    db.execute_batch(sql).unwrap();
}

pub(crate) fn coupons_of(openid: &str) -> String {
    format!("{FAVOR}/users/{openid}/coupons")
}

/// A stock of `coupons` coupons of 5 yuan in the month after [`START`].
pub(crate) fn stock_body(number: &str, coupons: i64, per_user: i64) -> Value {
    json!({
        "stock_name": "Tea 5 off 30", "belong_merchant": "1900000109",
        "available_begin_time": START, "available_end_time": "2026-09-09T23:59:59+08:00",
        "stock_use_rule": {
            "max_coupons": coupons, "max_amount": coupons * 500, "max_coupons_per_user": per_user,
            "natural_person_limit": false, "prevent_api_abuse": false
        },
        "coupon_use_rule": {
            "fixed_normal_coupon": {"coupon_amount": 500, "transaction_minimum": 3000},
            "available_merchants": ["1900000109"]
        },
        "no_cash": true, "stock_type": "NORMAL", "out_request_no": number
    })
}

/// The body with one value replaced, by JSON pointer.
pub(crate) fn with(mut body: Value, pointer: &str, value: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    body.pointer_mut(parent).unwrap()[key] = value;
    body
}
