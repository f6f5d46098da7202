//! A server that notifications and forwards go to: it keeps each request as it came.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// Longer than anything takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Debug, Default)]
struct Seen {
    requests: Vec<Vec<u8>>,
    /// What to answer from now on; 200 when empty, and 0 hangs up.
    status: Option<u16>,
    stopped: bool,
}

/// The server; it stops taking requests when it is dropped.
#[derive(Debug)]
pub struct Target {
    pub address: std::net::SocketAddr,
    seen: Arc<(Mutex<Seen>, Condvar)>,
}

impl Target {
    pub fn start() -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    pub fn on(listener: TcpListener) -> Self {
        let address = listener.local_addr().unwrap();
        let seen = Arc::new((Mutex::new(Seen::default()), Condvar::new()));
        let shared = seen.clone();
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                if shared.0.lock().unwrap().stopped {
                    return;
                }
                let shared = shared.clone();
                std::thread::spawn(move || socket.map(|socket| serve(socket, &shared)));
            }
        });
        Self { address, seen }
    }

    pub fn url(&self) -> String {
        format!("http://{}/coupons", self.address)
    }

    /// Answers with this from now on.
    pub fn answer(&self, status: u16) {
        self.seen.0.lock().unwrap().status = Some(status);
    }

    /// Hangs up on whoever comes, from now on, without having read anything.
    pub fn hang_up(&self) {
        self.answer(0);
    }

    /// The requests so far, head and body.
    pub fn requests(&self) -> Vec<Vec<u8>> {
        self.seen.0.lock().unwrap().requests.clone()
    }

    /// The same, once there are so many.
    pub fn wait_for(&self, count: usize) -> Vec<Vec<u8>> {
        let (lock, changed) = &*self.seen;
        let started = Instant::now();
        let mut seen = lock.lock().unwrap();
        while seen.requests.len() < count {
            let left = PATIENCE.checked_sub(started.elapsed());
            let left = left.unwrap_or_else(|| panic!("{} of {count} requests came", seen.requests.len()));
            seen = changed.wait_timeout(seen, left).unwrap().0;
        }
        seen.requests.clone()
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.seen.0.lock().unwrap().stopped = true;
        // The thread waits for a connection.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(socket: TcpStream, seen: &(Mutex<Seen>, Condvar)) -> std::io::Result<()> {
    if seen.0.lock().unwrap().status == Some(0) {
        return Ok(());
    }
    let mut reader = BufReader::new(socket.try_clone()?);
    let mut request = Vec::new();
    let mut length = 0;
    loop {
        let mut line = Vec::new();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&line).to_ascii_lowercase();
        if let Some(value) = text.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        request.extend(&line);
        if line == b"\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    request.extend(body);
    let status = {
        let mut seen = seen.0.lock().unwrap();
        seen.requests.push(request);
        seen.status.unwrap_or(200)
    };
    seen.1.notify_all();
    let mut socket = socket;
    write!(socket, "HTTP/1.1 {status} Said\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

/// Head and body of a request.
pub fn split(request: &[u8]) -> (String, Vec<u8>) {
    let at = request.windows(4).position(|part| part == b"\r\n\r\n").unwrap() + 4;
    (String::from_utf8(request[..at].to_vec()).unwrap(), request[at..].to_vec())
}

/// A header of a request.
pub fn header(request: &[u8], name: &str) -> Option<String> {
    let (head, _) = split(request);
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}
