//! How long an in-memory mirror takes from its start to its first signed answer.
//!
//! `cargo run --release -p favor-mirror --example start -- [--check]`
//!
//! Prints the median of 21 starts. With `--check` it fails when that is 50 ms or more.

#![expect(clippy::print_stdout, reason = "this program's output is its result")]

use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use favor_mirror::Mirror;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

type Failure = Box<dyn Error + Send + Sync>;

const STARTS: usize = 21;
const BAR: Duration = Duration::from_millis(50);
const TARGET: &str = "/v3/certificates";

/// From nothing to the last byte of an answer. The client's own signature is in it: a call needs one.
async fn start() -> Result<Duration, Failure> {
    let began = Instant::now();
    let mirror = Mirror::builder().start().await?;
    let merchant = mirror.merchant();
    let key = RsaKeyPair::from_pkcs8(pem::parse(&merchant.private_key_pem)?.contents())?;
    let timestamp = mirror.now().timestamp();
    let message = format!("GET\n{TARGET}\n{timestamp}\nNONCE0123456789A\n\n");
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature)
        .map_err(|_| "the key does not sign")?;
    let request = format!(
        "GET {TARGET} HTTP/1.1\r\nHost: mirror\r\nUser-Agent: start\r\nConnection: close\r\n\
         Authorization: WECHATPAY2-SHA256-RSA2048 mchid=\"{}\",nonce_str=\"NONCE0123456789A\",\
         timestamp=\"{timestamp}\",serial_no=\"{}\",signature=\"{}\"\r\n\r\n",
        merchant.mchid,
        merchant.serial_no,
        STANDARD.encode(signature),
    );
    let mut stream = TcpStream::connect(mirror.base_url().trim_start_matches("http://")).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let took = began.elapsed();
    let text = String::from_utf8(answer)?;
    if !text.starts_with("HTTP/1.1 200") || !text.contains("Wechatpay-Signature: ") {
        return Err(text.into());
    }
    mirror.shutdown().await;
    Ok(took)
}

#[tokio::main]
async fn main() -> Result<ExitCode, Failure> {
    let check = std::env::args().any(|argument| argument == "--check");
    let mut times = Vec::with_capacity(STARTS);
    for _ in 0..STARTS {
        times.push(start().await?);
    }
    let first = times[0];
    times.sort_unstable();
    let median = times[STARTS / 2];
    println!(
        "start to first answer: median {median:.2?} of {STARTS} starts, the first {first:.2?}, the slowest {:.2?}; \
         bar {BAR:?}",
        times[STARTS - 1]
    );
    Ok(if check && median >= BAR { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
