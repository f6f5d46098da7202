//! HTTP/1.1 by hand, so that a test says exactly what is on the wire.

use http::HeaderMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub(crate) struct Server {
    address: std::net::SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(app: axum::Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, task }
    }

    /// Sends it on a connection of its own; status and body of the answer.
    pub(crate) async fn send(&self, request: &Request) -> (u16, String) {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut read, mut write) = stream.into_split();
        let bytes = request.bytes();
        // The server may answer and close before it read everything.
        let writing = tokio::spawn(async move {
            drop(write.write_all(&bytes).await);
            write
        });
        let mut answer = Vec::new();
        let mut piece = [0; 4096];
        let (head, length) = loop {
            let count = read.read(&mut piece).await.unwrap();
            assert!(count > 0, "closed without an answer");
            answer.extend_from_slice(&piece[..count]);
            let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
            let head = String::from_utf8(answer[..end].to_vec()).unwrap().to_ascii_lowercase();
            let (_, length) = head.split_once("content-length: ").unwrap();
            let length: usize = length.lines().next().unwrap().parse().unwrap();
            if answer.len() >= end + 4 + length {
                break (head, length);
            }
        };
        writing.abort();
        let status = head[9..12].parse().unwrap();
        (status, String::from_utf8(answer[answer.len() - length..].to_vec()).unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) chunked: bool,
}

impl Request {
    pub(crate) fn post(body: &str, headers: HeaderMap) -> Self {
        Self { method: "POST", headers, body: body.as_bytes().to_vec(), chunked: false }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{} /coupons HTTP/1.1\r\nhost: shop\r\n", self.method).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend_from_slice(format!("{name}: ").as_bytes());
            bytes.extend_from_slice(value.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        if self.chunked {
            bytes.extend_from_slice(b"transfer-encoding: chunked\r\n\r\n");
            for piece in self.body.chunks(10_000) {
                bytes.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
                bytes.extend_from_slice(piece);
                bytes.extend_from_slice(b"\r\n");
            }
            bytes.extend_from_slice(b"0\r\n\r\n");
        } else {
            bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", self.body.len()).as_bytes());
            bytes.extend_from_slice(&self.body);
        }
        bytes
    }
}
