//! `favor callback listen --output json` as a process of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;

use serde_json::Value;

use crate::run::MirrorProcess;
use crate::target::PATIENCE;

/// The process; killed when dropped.
pub struct Listener {
    pub child: Child,
    lines: Arc<(Mutex<Vec<Value>>, Condvar)>,
    talk: Arc<Mutex<String>>,
    pub ready: Value,
}

impl Listener {
    /// For the merchant of `mirror`, whose callback address becomes this one.
    pub fn start(mirror: &MirrorProcess, arguments: &[&str]) -> Self {
        let mut command = mirror.favor();
        command.args(["callback", "listen", "--output", "json", "--set-address"]).args(arguments);
        Self::spawn(command)
    }

    /// The command as it is; it has to ask for JSON.
    pub fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines: Arc<(Mutex<Vec<Value>>, Condvar)> = Arc::default();
        let (shared, stdout) = (lines.clone(), child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let line = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
                shared.0.lock().unwrap().push(line);
                shared.1.notify_all();
            }
        });
        let (stderr, talk) = (child.stderr.take().unwrap(), Arc::<Mutex<String>>::default());
        let said = talk.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let mut said = said.lock().unwrap();
                said.push_str(&line);
                said.push('\n');
            }
        });
        let mut listener = Self { child, lines, talk, ready: Value::Null };
        let ready = listener.wait(1, |line| line["verdict"] == "ready");
        listener.ready = ready[0].clone();
        listener
    }

    pub fn url(&self) -> &str {
        self.ready["url"].as_str().unwrap()
    }

    /// The lines that `wanted` holds for, once there are so many.
    pub fn wait(&self, count: usize, wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
        let started = Instant::now();
        let mut lines = self.lines.0.lock().unwrap();
        loop {
            let found: Vec<Value> = lines.iter().filter(|line| wanted(line)).cloned().collect();
            if found.len() >= count {
                return found;
            }
            let left = PATIENCE.checked_sub(started.elapsed());
            let talk = || self.talk.lock().unwrap().clone();
            let left =
                left.unwrap_or_else(|| panic!("{} of {count} lines came: {lines:?} {}", found.len(), talk()));
            lines = self.lines.1.wait_timeout(lines, left).unwrap().0;
        }
    }

    /// The lines of this verdict, once there are so many.
    pub fn verdicts(&self, count: usize, verdict: &str) -> Vec<Value> {
        self.wait(count, |line| line["verdict"] == verdict)
    }

    /// A polite kill; what it left.
    #[cfg(unix)]
    pub fn stop(mut self) -> (ExitStatus, Vec<Value>) {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
        let status = self.child.wait().unwrap();
        (status, self.lines.0.lock().unwrap().clone())
    }

    /// The end that it comes to by itself.
    pub fn end(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a request; the status of the answer.
pub fn request(url: &str, method: &str, headers: &str, body: &[u8]) -> u16 {
    let (address, path) = url.trim_start_matches("http://").split_once('/').unwrap();
    let mut socket = std::net::TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(
        socket,
        "{method} /{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n"
    )
    .unwrap();
    socket.write_all(body).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

/// What the inbox in this folder holds.
pub fn inbox(mirror: &MirrorProcess, folder: &Path) -> Vec<Value> {
    let mut command = mirror.favor();
    command.current_dir(folder).args(["callback", "list", "--whole", "--output", "json"]);
    let listed = crate::run::run(&mut command);
    assert_eq!(listed.code, Some(0), "{listed:?}");
    listed.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
