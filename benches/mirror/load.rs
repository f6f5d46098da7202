//! Sends, signed beforehand and written as raw bytes, so that asking costs next to nothing.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

use crate::Failure;

const FAVOR: &str = "/v3/marketing/favor";
const NONCE: &str = "593BEC0C930BF1AFEB40B4A08C8FB242";

/// A request as it goes over the wire.
type Request = Vec<u8>;

/// A client with a running stock.
pub(crate) struct Load {
    key: RsaKeyPair,
    random: SystemRandom,
    address: Arc<str>,
    mchid: String,
    serial_no: String,
    appid: String,
    stock_id: String,
    /// How many sends have been signed.
    signed: usize,
}

impl Load {
    /// Creates and starts a stock of `coupons` or a few more.
    pub(crate) fn prepare(runtime: &Runtime, ready: &Value, coupons: usize) -> Result<Self, Failure> {
        let text =
            |field: &str| ready[field].as_str().map(str::to_owned).ok_or("the ready line lacks a field");
        let pem = std::fs::read_to_string(text("private_key_file")?)?;
        let key =
            RsaKeyPair::from_pkcs8(pem::parse(pem)?.contents()).map_err(|_| "the key cannot be read")?;
        let mut load = Self {
            key,
            random: SystemRandom::new(),
            address: text("base_url")?.trim_start_matches("http://").into(),
            mchid: text("mchid")?,
            serial_no: text("serial_no")?,
            appid: text("appid")?,
            stock_id: String::new(),
            signed: 0,
        };
        let mchid = &load.mchid;
        let now =
            now().with_timezone(&chrono::FixedOffset::east_opt(8 * 3_600).ok_or("there is no such zone")?);
        let time = |time: chrono::DateTime<_>| time.to_rfc3339_opts(chrono::SecondsFormat::Secs, false);
        let coupons = coupons.max(5);
        let stock = json!({
            "stock_name": "Load", "belong_merchant": mchid,
            "available_begin_time": time(now), "available_end_time": time(now + chrono::Duration::days(30)),
            "stock_use_rule": {"max_coupons": coupons, "max_amount": coupons * 100, "max_coupons_per_user": 1,
                "natural_person_limit": false, "prevent_api_abuse": false},
            "coupon_use_rule": {"fixed_normal_coupon": {"coupon_amount": 100, "transaction_minimum": 101},
                "available_merchants": [mchid]},
            "no_cash": true, "stock_type": "NORMAL", "out_request_no": "load"
        });
        let create = load.request(&format!("{FAVOR}/coupon-stocks"), &stock)?;
        let created = runtime.block_on(exchange(Arc::clone(&load.address), VecDeque::from([create])))?;
        let created: Value = serde_json::from_slice(&created)?;
        load.stock_id = created["stock_id"].as_str().ok_or("the mirror created no stock")?.to_owned();
        let creator = json!({ "stock_creator_mchid": load.mchid });
        let start = load.request(&format!("{FAVOR}/stocks/{}/start", load.stock_id), &creator)?;
        runtime.block_on(exchange(Arc::clone(&load.address), VecDeque::from([start])))?;
        Ok(load)
    }

    /// The next sends, each to another user.
    pub(crate) fn sign(&mut self, sends: usize) -> Result<Vec<Request>, Failure> {
        let first = self.signed;
        self.signed += sends;
        (first..self.signed)
            .map(|number| {
                let body = json!({
                    "stock_id": self.stock_id, "out_request_no": format!("{}_{number}", self.mchid),
                    "appid": self.appid, "stock_creator_mchid": self.mchid
                });
                self.request(&format!("{FAVOR}/users/oLoad{number:024}/coupons"), &body)
            })
            .collect()
    }

    /// Sends all requests over so many connections; returns how long that took.
    pub(crate) async fn run(&self, requests: Vec<Request>, connections: usize) -> Result<Duration, Failure> {
        let mut queues = vec![VecDeque::new(); connections];
        for (number, request) in requests.into_iter().enumerate() {
            queues[number % connections].push_back(request);
        }
        let began = Instant::now();
        let mut tasks = tokio::task::JoinSet::new();
        for queue in queues {
            tasks.spawn(exchange(Arc::clone(&self.address), queue));
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        Ok(began.elapsed())
    }

    fn request(&self, target: &str, body: &Value) -> Result<Request, Failure> {
        let (body, timestamp) = (body.to_string(), now().timestamp());
        let message = format!("POST\n{target}\n{timestamp}\n{NONCE}\n{body}\n");
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &self.random, message.as_bytes(), &mut signature)
            .map_err(|_| "the key does not sign")?;
        Ok(format!(
            "POST {target} HTTP/1.1\r\nHost: {}\r\nUser-Agent: bench\r\nAccept: application/json\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\
             Authorization: WECHATPAY2-SHA256-RSA2048 mchid=\"{}\",nonce_str=\"{NONCE}\",\
             timestamp=\"{timestamp}\",serial_no=\"{}\",signature=\"{}\"\r\n\r\n{body}",
            self.address,
            body.len(),
            self.mchid,
            self.serial_no,
            STANDARD.encode(signature),
        )
        .into_bytes())
    }
}

#[expect(clippy::disallowed_methods, reason = "the mirror judges timestamps by the machine's clock")]
fn now() -> chrono::DateTime<chrono::Utc> {
    chrono::Utc::now()
}

/// Sends requests one after another over one connection; each must be answered with 200. Returns the last body.
async fn exchange(address: Arc<str>, requests: VecDeque<Request>) -> Result<Vec<u8>, Failure> {
    let mut stream = TcpStream::connect(&*address).await?;
    stream.set_nodelay(true)?;
    let mut answer = vec![0; 8_192];
    let mut last = Vec::new();
    for request in requests {
        stream.write_all(&request).await?;
        let mut length = 0;
        let body = loop {
            match stream.read(&mut answer[length..]).await? {
                0 => return Err("the mirror closed the connection".into()),
                read => length += read,
            }
            if let Some(start) = body_of(&answer[..length]) {
                break start;
            }
        };
        if !answer.starts_with(b"HTTP/1.1 200") {
            return Err(String::from_utf8_lossy(&answer[..length]).into_owned().into());
        }
        last = answer[body..length].to_vec();
    }
    Ok(last)
}

/// Where the body begins, once the answer is whole.
fn body_of(answer: &[u8]) -> Option<usize> {
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&answer[..head]).ok()?;
    let length: usize =
        text.lines().find_map(|line| line.strip_prefix("Content-Length: "))?.trim().parse().ok()?;
    (answer.len() >= head + length).then_some(head)
}
