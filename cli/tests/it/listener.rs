//! `favor callback listen --output json` as a process of its own.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, ExitStatus};

use serde_json::Value;

use crate::lines::Process;
use crate::run::MirrorProcess;

/// The process; killed when dropped.
pub struct Listener {
    process: Process,
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
    pub fn spawn(command: Command) -> Self {
        let process = Process::spawn(command);
        let ready = process.wait(1, |line| line["verdict"] == "ready").remove(0);
        Self { process, ready }
    }

    pub fn url(&self) -> &str {
        self.ready["url"].as_str().unwrap()
    }

    /// The lines that `wanted` holds for, once there are so many.
    pub fn wait(&self, count: usize, wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
        self.process.wait(count, wanted)
    }

    /// The lines of this verdict, once there are so many.
    pub fn verdicts(&self, count: usize, verdict: &str) -> Vec<Value> {
        self.wait(count, |line| line["verdict"] == verdict)
    }

    /// A polite kill; what it left.
    #[cfg(unix)]
    pub fn stop(self) -> (ExitStatus, Vec<Value>) {
        let (status, lines, _) = self.process.stop();
        (status, lines)
    }

    /// The end that it comes to by itself.
    pub fn end(&mut self) -> ExitStatus {
        self.process.wait_for_end()
    }

    pub fn kill(self) {
        self.process.kill();
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
