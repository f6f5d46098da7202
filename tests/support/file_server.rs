//! A server that gives a flow's link and its file, and can do both badly. It signs nothing: for flow links the
//! protocol allows that.

#![allow(dead_code, reason = "shared by test binaries that each use a part of it")]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use sha1::{Digest, Sha1};

/// What the server does when it is asked for the file.
#[derive(Clone, Default)]
pub struct FileReply {
    /// The status; 200 when not set.
    pub status: Option<u16>,
    /// Further header lines, each with its line end.
    pub headers: String,
    /// The body.
    pub body: Vec<u8>,
    /// Close the connection after this many bytes of it.
    pub cut_at: Option<usize>,
    /// Keep the connection open for ever after `cut_at` bytes instead of closing it.
    pub stall: bool,
}

impl FileReply {
    pub fn whole(body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..Self::default() }
    }
}

type Plan = dyn Fn(usize) -> (String, FileReply) + Send + Sync;

pub struct FileServer {
    address: std::net::SocketAddr,
    /// One line per request: method, target, and whether it carried an Authorization header.
    pub seen: Arc<Mutex<Vec<(String, bool)>>>,
    /// Told each time a stalling reply has been written as far as it goes.
    pub stalled: Mutex<Receiver<()>>,
}

/// The SHA-1 of a file, as links announce it.
pub fn sha1_of(file: &[u8]) -> String {
    Sha1::digest(file).iter().map(|byte| format!("{byte:02X}")).collect()
}

impl FileServer {
    /// Serves the same good file for ever.
    pub fn of(file: impl Into<Vec<u8>>) -> Self {
        let file = file.into();
        Self::planned(move |_| (sha1_of(&file), FileReply::whole(file.clone())))
    }

    /// `plan` gets the number of the attempt, from 0, and says the hash to announce and the reply to give.
    pub fn planned(plan: impl Fn(usize) -> (String, FileReply) + Send + Sync + 'static) -> Self {
        Self::with_link(|base| format!("{base}/v3/billdownload/file?token=a%2Bb~c"), plan)
    }

    /// As [`planned`](Self::planned), with a link of one's own making.
    pub fn with_link(
        link: impl Fn(&str) -> String + Send + Sync + 'static,
        plan: impl Fn(usize) -> (String, FileReply) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (stalled, receiver) = channel();
        let (log, plan, link): (_, Arc<Plan>, _) =
            (seen.clone(), Arc::new(plan), link(&format!("http://{address}")));
        let attempt = Arc::new(Mutex::new(0));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (log, plan, link, attempt, stalled) =
                    (log.clone(), plan.clone(), link.clone(), attempt.clone(), stalled.clone());
                std::thread::spawn(move || serve(stream, &log, &*plan, &link, &attempt, &stalled));
            }
        });
        Self { address, seen, stalled: Mutex::new(receiver) }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests for the file itself.
    pub fn file_requests(&self) -> usize {
        self.seen.lock().unwrap().iter().filter(|(line, _)| !line.contains("-flow")).count()
    }
}

fn serve(
    mut stream: TcpStream,
    log: &Mutex<Vec<(String, bool)>>,
    plan: &Plan,
    link: &str,
    attempt: &Mutex<usize>,
    stalled: &Sender<()>,
) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let (mut first, mut authorized) = (String::new(), false);
        if reader.read_line(&mut first).unwrap_or(0) == 0 {
            return;
        }
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
                break;
            }
            authorized |= line.to_ascii_lowercase().starts_with("authorization:");
        }
        log.lock().unwrap().push((first.trim_end().to_owned(), authorized));
        let is_link = first.contains("-flow");
        let (hash, reply) = plan(*attempt.lock().unwrap());
        if is_link {
            let json = serde_json::json!({"url": link, "hash_value": hash, "hash_type": "SHA1"}).to_string();
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                json.len()
            );
            if stream.write_all((head + &json).as_bytes()).is_err() {
                return;
            }
            continue;
        }
        *attempt.lock().unwrap() += 1;
        let end = reply.cut_at.unwrap_or(reply.body.len()).min(reply.body.len());
        let head = format!(
            "HTTP/1.1 {} X\r\n{}Content-Length: {}\r\n\r\n",
            reply.status.unwrap_or(200),
            reply.headers,
            reply.body.len()
        );
        let written = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&reply.body[..end]));
        if written.and_then(|()| stream.flush()).is_err() || (reply.cut_at.is_some() && !reply.stall) {
            return;
        }
        if reply.stall {
            let _ = stalled.send(());
            std::thread::park();
        }
    }
}
