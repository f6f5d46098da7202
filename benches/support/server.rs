//! A minimal platform: HTTP/1.1 with keep-alive, every request answered with the next coupon of a signed pool.
//!
//! It looks at nothing but where a request ends, so that it costs little beside the client. The pool is signed
//! anew every minute, well within the client's window of five.

use std::io;
use std::net::TcpListener as StdListener;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::answers::{Answer, Platform};
use crate::keys::PLATFORM_ID;

const POOL: usize = 256;
const RENEW: Duration = Duration::from_secs(60);

/// A free port of this machine.
pub(crate) fn listen() -> io::Result<StdListener> {
    let listener = StdListener::bind(("127.0.0.1", 0))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Serves until the listener breaks.
pub(crate) async fn serve(listener: StdListener) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let platform = Platform::new();
    let (renewed, pool) = watch::channel(sign_pool(&platform).await);
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(RENEW).await;
            let pool = sign_pool(&platform).await;
            renewed.send_replace(pool);
        }
    });
    let mut first = 0;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(connection(stream, pool.clone(), first));
        first += 17;
    }
}

async fn sign_pool(platform: &Platform) -> Vec<Bytes> {
    let mut pool = Vec::with_capacity(POOL);
    for number in 0..POOL {
        pool.push(wire(&platform.answer(number)));
        tokio::task::yield_now().await;
    }
    pool
}

async fn connection(
    mut stream: TcpStream,
    pool: watch::Receiver<Vec<Bytes>>,
    first: usize,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut received = BytesMut::with_capacity(4096);
    for turn in first.. {
        while !take_request(&mut received) {
            if stream.read_buf(&mut received).await? == 0 {
                return Ok(());
            }
        }
        let answer = pool.borrow()[turn % POOL].clone();
        stream.write_all(&answer).await?;
    }
    Ok(())
}

/// Takes one whole request off the front, if there is one.
fn take_request(received: &mut BytesMut) -> bool {
    let Some(head) = received.windows(4).position(|four| four == b"\r\n\r\n") else {
        return false;
    };
    let end = head + 4 + body_length(&received[..head]);
    let whole = received.len() >= end;
    if whole {
        received.advance(end);
    }
    whole
}

fn body_length(head: &[u8]) -> usize {
    let head = std::str::from_utf8(head).unwrap_or_default();
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    let length = fields.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    length.and_then(|(_, value)| value.trim().parse().ok()).unwrap_or(0)
}

/// An answer with the headers the platform sends.
fn wire(answer: &Answer) -> Bytes {
    let Answer { timestamp, nonce, body, signature } = answer;
    let (length, signature) = (body.len(), STANDARD.encode(signature));
    Bytes::from(format!(
        "HTTP/1.1 200 OK\r\n\
         Server: nginx\r\n\
         Date: Wed, 20 May 2026 05:20:00 GMT\r\n\
         Content-Type: application/json; charset=utf-8\r\n\
         Content-Length: {length}\r\n\
         Connection: keep-alive\r\n\
         Cache-Control: no-cache, must-revalidate\r\n\
         X-Content-Type-Options: nosniff\r\n\
         Request-ID: 08E4FCF4C50610AA0518C1EDDD1320B6A50428D2D202-268435462\r\n\
         Content-Language: zh-CN\r\n\
         Wechatpay-Nonce: {nonce}\r\n\
         Wechatpay-Signature: {signature}\r\n\
         Wechatpay-Timestamp: {timestamp}\r\n\
         Wechatpay-Serial: {PLATFORM_ID}\r\n\
         Wechatpay-Signature-Type: WECHATPAY2-SHA256-RSA2048\r\n\r\n{body}"
    ))
}
