//! The platform's side: every notification once, over connections that are kept.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::try_join_all;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::Failed;
use crate::notifications::Request;

const ACCEPTED: &[u8] = br#"{"code":"SUCCESS"}"#;

/// Sends them all and sees each accepted.
pub(crate) async fn send(server: SocketAddr, requests: &[Request], connections: usize) -> Result<(), Failed> {
    let next = AtomicUsize::new(0);
    let connection = || async {
        let mut stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        let (mut out, mut answer) = (Vec::new(), Vec::new());
        while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
            write(&mut out, request);
            stream.write_all(&out).await?;
            answer.clear();
            while !answer.ends_with(ACCEPTED) {
                if stream.read_buf(&mut answer).await? == 0
                    || answer.ends_with(b"\"}") && !answer.ends_with(ACCEPTED)
                {
                    return Err(String::from_utf8_lossy(&answer).into_owned().into());
                }
            }
        }
        Ok::<_, Failed>(())
    };
    try_join_all((0..connections).map(|_| connection())).await?;
    Ok(())
}

fn write(out: &mut Vec<u8>, request: &Request) {
    out.clear();
    out.extend_from_slice(b"POST /coupons HTTP/1.1\r\nhost: shop.example.com\r\n");
    for (name, value) in &request.headers {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            out.extend_from_slice(part);
        }
    }
    out.extend_from_slice(format!("content-length: {}\r\n\r\n", request.body.len()).as_bytes());
    out.extend_from_slice(&request.body);
}
