//! The platform's side: it gives out one token, and answers each path as a test says.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::run::{Ran, favor, run};

pub const APPID: &str = "wx1234567890abcdef";
pub const SECRET: &str = "0123456789abcdef0123456789abcdef";
pub const TOKEN: &str = "68_TOKENofTheTest";
pub const OPENID: &str = "oTESTopenid00000000000000001";
pub const CODE: &str = "880012345678";
pub const CARD: &str = "pTESTcard0000000000000000001";
pub const OK: &str = r#"{"errcode":0,"errmsg":"ok"}"#;

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub path: String,
    pub query: String,
    pub body: Vec<u8>,
}

impl Seen {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// Status and body; 0 hangs up when the request was read.
type Answer = Arc<dyn Fn(&Seen) -> (u16, Vec<u8>) + Send + Sync>;

#[derive(Default)]
struct State {
    answers: HashMap<String, Answer>,
    seen: Vec<Seen>,
    is_over: bool,
}

/// The server, and the folder in which commands run.
pub struct Desk {
    pub address: SocketAddr,
    pub folder: tempfile::TempDir,
    state: Arc<Mutex<State>>,
}

impl Desk {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                if shared.lock().unwrap().is_over {
                    return;
                }
                let shared = shared.clone();
                std::thread::spawn(move || socket.map(|socket| serve(socket, &shared)));
            }
        });
        let desk = Self { address, folder: tempfile::tempdir().unwrap(), state };
        let token = json!({"access_token": TOKEN, "expires_in": 7200}).to_string();
        desk.answer("/cgi-bin/stable_token", &token);
        desk
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers a path with 200 and this body from now on.
    pub fn answer(&self, path: &str, body: &str) {
        let body = body.as_bytes().to_vec();
        self.direct(path, move |_| (200, body.clone()));
    }

    /// Answers a path as `director` says from now on.
    pub fn direct(&self, path: &str, director: impl Fn(&Seen) -> (u16, Vec<u8>) + Send + Sync + 'static) {
        self.state.lock().unwrap().answers.insert(path.to_owned(), Arc::new(director));
    }

    /// The requests to a path so far.
    pub fn seen(&self, path: &str) -> Vec<Seen> {
        self.state.lock().unwrap().seen.iter().filter(|seen| seen.path == path).cloned().collect()
    }

    /// The body of the only request to a path.
    pub fn body(&self, path: &str) -> Value {
        let seen = self.seen(path);
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen[0].json()
    }

    /// The command with the account's settings in its environment.
    pub fn favor(&self) -> Command {
        let mut command = favor(self.folder.path());
        command.env("FAVOR_BASE_URL", self.url()).env("FAVOR_APPID", APPID).env("FAVOR_APP_SECRET", SECRET);
        command.arg("card");
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        let ran = run(self.favor().args(arguments));
        for private in [SECRET, TOKEN, OPENID, CODE] {
            assert!(!ran.stderr.contains(private), "stderr shows what is private: {ran:?}");
        }
        ran
    }

    /// The same with JSON.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.run(&[arguments, &["--output", "json"]].concat());
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran.json()
    }

    /// The same with a table.
    pub fn table(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran.stdout
    }

    /// The same with something on stdin.
    pub fn fed(&self, arguments: &[&str], stdin: &str) -> Ran {
        let mut command = self.favor();
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        Ran {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Writes a file into the folder.
    pub fn file(&self, name: &str, content: &str) {
        std::fs::write(self.folder.path().join(name), content).unwrap();
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.state.lock().unwrap().is_over = true;
        // The thread waits for a connection.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(mut socket: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut reader = BufReader::new(socket.try_clone()?);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let target = first.split(' ').nth(1).unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let seen = Seen { path: path.to_owned(), query: query.to_owned(), body };
    let answer = {
        let mut state = state.lock().unwrap();
        state.seen.push(seen.clone());
        state.answers.get(path).cloned()
    };
    let (status, body) = match answer {
        Some(answer) => answer(&seen),
        None => (404, b"no such path in this test".to_vec()),
    };
    if status == 0 {
        return Ok(());
    }
    let length = body.len();
    write!(socket, "HTTP/1.1 {status} Said\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")?;
    socket.write_all(&body)
}

/// An error answer whose text repeats what the request held.
pub fn refusal(number: i64, seen: &Seen) -> (u16, Vec<u8>) {
    let text = format!("refused: {} {}", seen.query, String::from_utf8_lossy(&seen.body));
    (200, json!({"errcode": number, "errmsg": text}).to_string().into_bytes())
}
