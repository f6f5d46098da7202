//! How many coupons a second the mirror sends when its API runs on one thread.
//!
//! `cargo run --release -p favor-mirror --example throughput -- [sends] [connections] [data file]`
//!
//! The requests are signed beforehand and sent as raw bytes, so that the client costs next to nothing.

#![expect(clippy::print_stdout, reason = "this program's output is its result")]

use std::collections::VecDeque;
use std::error::Error;
use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use favor_mirror::{Merchant, Mirror};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

type Failure = Box<dyn Error + Send + Sync>;

const FAVOR: &str = "/v3/marketing/favor";
const NOW: &str = "2026-08-10T12:00:00+08:00";

struct Client {
    merchant: Merchant,
    key: RsaKeyPair,
    timestamp: i64,
    address: String,
}

impl Client {
    fn request(&self, target: &str, body: &Value) -> Result<Vec<u8>, Failure> {
        let body = body.to_string();
        let message = format!("POST\n{target}\n{}\nNONCE0123456789A\n{body}\n", self.timestamp);
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature)
            .map_err(|_| "the key does not sign")?;
        Ok(format!(
            "POST {target} HTTP/1.1\r\nHost: mirror\r\nUser-Agent: throughput\r\nAccept: application/json\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\
             Authorization: WECHATPAY2-SHA256-RSA2048 mchid=\"{}\",nonce_str=\"NONCE0123456789A\",\
             timestamp=\"{}\",serial_no=\"{}\",signature=\"{}\"\r\n\r\n{body}",
            body.len(),
            self.merchant.mchid,
            self.timestamp,
            self.merchant.serial_no,
            STANDARD.encode(signature),
        )
        .into_bytes())
    }

    /// Sends requests one after another over one connection; returns how long each took.
    async fn exchange(&self, requests: VecDeque<Vec<u8>>) -> Result<Vec<Duration>, Failure> {
        let mut stream = TcpStream::connect(&self.address).await?;
        stream.set_nodelay(true)?;
        let mut times = Vec::with_capacity(requests.len());
        let mut answer = vec![0; 8_192];
        for request in requests {
            let began = Instant::now();
            stream.write_all(&request).await?;
            let mut length = 0;
            while !is_whole(&answer[..length]) {
                match stream.read(&mut answer[length..]).await? {
                    0 => return Err("the mirror closed the connection".into()),
                    read => length += read,
                }
            }
            if !answer.starts_with(b"HTTP/1.1 200") {
                return Err(String::from_utf8_lossy(&answer[..length]).into_owned().into());
            }
            times.push(began.elapsed());
        }
        Ok(times)
    }
}

fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
    length.and_then(|length| length.parse().ok()) == Some(body.len())
}

/// Nanoseconds this thread has run, where the system tells.
fn busy() -> Option<u128> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok()
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().collect();
    let number =
        |place: usize, default: i64| arguments.get(place).map_or(Ok(default), |text| text.parse::<i64>());
    let (sends, connections) = (number(1, 20_000)?, number(2, 64)?);
    let data = arguments.get(3).cloned();

    // The mirror has a thread of its own, and its API runs on no other.
    let (ready, is_ready) = oneshot::channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = std::thread::spawn(move || -> Result<(), Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async move {
            let mut builder = Mirror::builder()
                .clock_at(NOW.parse()?)
                .wire_clock_follows_test_clock(true)
                .start_delay(Duration::ZERO);
            if let Some(file) = data {
                builder = builder.data(file);
            }
            let mirror = builder.start().await?;
            ready.send((mirror.base_url().to_owned(), mirror.merchant().clone())).ok();
            let before = busy();
            stopped.await.ok();
            if let (Some(before), Some(after)) = (before, busy()) {
                // Counts only this thread, so other work on the machine does not blur it.
                let each = (after - before) / u128::try_from(sends)?;
                println!(
                    "the API's thread was busy {each} ns for each send, so a core does {}/s",
                    1_000_000_000 / each.max(1)
                );
            }
            let audit = mirror.audit().await;
            println!("audit: ok {}, coupons {}", audit.ok, audit.stocks[0].coupons);
            mirror.shutdown().await;
            Ok(())
        })
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(load(is_ready, sends, connections))?;
    stop.send(()).ok();
    server.join().map_err(|_| "the mirror panicked")?
}

async fn load(
    is_ready: oneshot::Receiver<(String, Merchant)>,
    sends: i64,
    connections: i64,
) -> Result<(), Failure> {
    let (base_url, merchant) = is_ready.await?;
    let der = pem::parse(&merchant.private_key_pem)?.into_contents();
    let client = std::sync::Arc::new(Client {
        key: RsaKeyPair::from_pkcs8(&der).map_err(|_| "the key cannot be read")?,
        timestamp: chrono::DateTime::parse_from_rfc3339(NOW)?.timestamp(),
        address: base_url.trim_start_matches("http://").to_owned(),
        merchant,
    });
    let coupons = sends.max(5);
    let stock = json!({
        "stock_name": "Load", "belong_merchant": client.merchant.mchid,
        "available_begin_time": NOW, "available_end_time": "2026-09-01T00:00:00+08:00",
        "stock_use_rule": {"max_coupons": coupons, "max_amount": coupons * 100, "max_coupons_per_user": 1,
            "natural_person_limit": false, "prevent_api_abuse": false},
        "coupon_use_rule": {"fixed_normal_coupon": {"coupon_amount": 100, "transaction_minimum": 101},
            "available_merchants": [client.merchant.mchid]},
        "no_cash": true, "stock_type": "NORMAL", "out_request_no": "load"
    });
    let creator = json!({ "stock_creator_mchid": client.merchant.mchid });
    let prepare = VecDeque::from([
        client.request(&format!("{FAVOR}/coupon-stocks"), &stock)?,
        client.request(&format!("{FAVOR}/stocks/15300001/start"), &creator)?,
    ]);
    client.exchange(prepare).await?;

    let mut queues: Vec<VecDeque<Vec<u8>>> = (0..connections).map(|_| VecDeque::new()).collect();
    for n in 0..sends {
        let body = json!({
            "stock_id": "15300001", "out_request_no": format!("{}_{n}", client.merchant.mchid),
            "appid": client.merchant.appid, "stock_creator_mchid": client.merchant.mchid
        });
        let target = format!("{FAVOR}/users/oLoad{n:024}/coupons");
        let queue = usize::try_from(n % connections)?;
        queues[queue].push_back(client.request(&target, &body)?);
    }

    let signed_for = busy();
    for _ in 0..1_000 {
        client.request("/v3/yardstick", &creator)?;
    }
    if let (Some(before), Some(after)) = (signed_for, busy()) {
        println!("one signature alone: {} ns", (after - before) / 1_000);
    }
    let began = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for queue in queues {
        let client = std::sync::Arc::clone(&client);
        tasks.spawn(async move { client.exchange(queue).await });
    }
    let mut times = Vec::new();
    while let Some(done) = tasks.join_next().await {
        times.extend(done??);
    }
    let took = began.elapsed();
    times.sort_unstable();
    let rate = u128::from(u64::try_from(sends)?) * 1_000_000 / took.as_micros().max(1);
    println!(
        "{sends} sends over {connections} connections in {took:.2?}: {rate}/s, p50 {:.2?}, p99 {:.2?}",
        times[times.len() / 2],
        times[times.len() * 99 / 100],
    );
    Ok(())
}
