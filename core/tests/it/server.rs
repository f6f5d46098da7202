//! A small HTTP/1.1 server on this machine that does to each request what a test says.
#![cfg(feature = "http-transport")]

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::platform::Platform;

/// What happens to one request.
pub(crate) enum Deed {
    /// These bytes are the whole answer; the connection stays open.
    Answer(Vec<u8>),
    /// These bytes are sent and the connection is closed.
    AnswerAndClose(Vec<u8>),
    /// The connection is closed after the request was read.
    Close,
    /// The connection is closed before anything is read.
    CloseUnread,
    /// Nothing, for as long as the client holds the connection.
    Silence,
}

impl Deed {
    /// A signed answer with a good frame.
    pub(crate) fn signed(now: i64, body: &str) -> Self {
        Self::Answer(frame(200, &signature(now, body), body))
    }
}

/// The signature headers of `body` as header lines.
pub(crate) fn signature(now: i64, body: &str) -> String {
    let headers = Platform::by_public_key().headers(now, body.as_bytes());
    headers.iter().map(|(name, value)| format!("{name}: {}\r\n", value.to_str().unwrap())).collect()
}

/// An answer with its length announced.
pub(crate) fn frame(status: u16, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// The server. It ends with the test's runtime.
pub(crate) struct Server {
    address: SocketAddr,
    log: Arc<Mutex<Log>>,
}

#[derive(Default)]
struct Log {
    connections: usize,
    requests: Vec<String>,
}

impl Server {
    /// Listens on a port of the system's choice and does these deeds in order, over all connections.
    pub(crate) async fn start(deeds: impl IntoIterator<Item = Deed>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::new(Mutex::new(Log::default()));
        let deeds = Arc::new(Mutex::new(deeds.into_iter().collect::<VecDeque<_>>()));
        tokio::spawn({
            let log = log.clone();
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    log.lock().unwrap().connections += 1;
                    tokio::spawn(serve(stream, log.clone(), deeds.clone()));
                }
            }
        });
        Self { address, log }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn connections(&self) -> usize {
        self.log.lock().unwrap().connections
    }

    /// The heads of the requests read so far, as they came.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.log.lock().unwrap().requests.clone()
    }
}

async fn serve(mut stream: TcpStream, log: Arc<Mutex<Log>>, deeds: Arc<Mutex<VecDeque<Deed>>>) {
    let next = || deeds.lock().unwrap().pop_front();
    if matches!(deeds.lock().unwrap().front(), Some(Deed::CloseUnread)) {
        next();
        return;
    }
    while let Some(request) = read(&mut stream).await {
        log.lock().unwrap().requests.push(request);
        let (answer, goes_on) = match next() {
            Some(Deed::Answer(answer)) => (answer, true),
            Some(Deed::AnswerAndClose(answer)) => (answer, false),
            Some(Deed::Silence) => {
                // Ends when the client gives up.
                let _ = stream.read(&mut [0]).await;
                return;
            }
            Some(Deed::Close | Deed::CloseUnread) | None => return,
        };
        if stream.write_all(&answer).await.is_err() || !goes_on {
            return;
        }
    }
}

/// One request with its body, or none when the client is done.
async fn read(stream: &mut TcpStream) -> Option<String> {
    let mut request = Vec::new();
    let mut length = None;
    loop {
        if length.is_some_and(|length| request.len() >= length) {
            return Some(String::from_utf8(request).unwrap());
        }
        if stream.read_buf(&mut request).await.ok()? == 0 {
            return None;
        }
        if let (None, Some(end)) = (length, request.windows(4).position(|bytes| bytes == b"\r\n\r\n")) {
            let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
            let announced = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            length = Some(end + 4 + announced.map_or(0, |digits| digits.parse::<usize>().unwrap()));
        }
    }
}

/// An address where nobody listens. The socket keeps the port from being given to anybody else.
pub(crate) fn closed_port() -> (tokio::net::TcpSocket, String) {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    (socket, url)
}
