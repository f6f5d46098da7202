//! The processes of the fleet, and the lines they are told and answer.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc;

const ROLE: &str = "FAVOR_FLEET_ROLE";
const FOLDER: &str = "FAVOR_FLEET_FOLDER";

/// What this process is, if it is a child.
#[derive(Clone, Copy, Debug)]
pub enum Role {
    Daemon,
    /// One of so many.
    Reader {
        number: usize,
        readers: usize,
    },
}

pub fn role() -> Option<Role> {
    let text = std::env::var(ROLE).ok()?;
    if text == "daemon" {
        return Some(Role::Daemon);
    }
    let (number, readers) = text.split_once('/').unwrap();
    Some(Role::Reader { number: number.parse().unwrap(), readers: readers.parse().unwrap() })
}

/// Where a child finds its files.
pub fn folder() -> PathBuf {
    std::env::var_os(FOLDER).unwrap().into()
}

/// What a child is told, line by line; it ends when the parent is gone.
pub fn told() -> mpsc::UnboundedReceiver<String> {
    let (sender, receiver) = mpsc::unbounded_channel();
    // A thread of its own: a blocking task would keep the runtime from ending.
    std::thread::spawn(move || {
        for line in std::io::stdin().lines() {
            let Ok(line) = line else { return };
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// A child process, as its parent sees it. It ends with its parent.
pub struct Child {
    role: Role,
    process: tokio::process::Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Child {
    pub fn start(role: Role, folder: &Path) -> Self {
        let text = match role {
            Role::Daemon => "daemon".to_owned(),
            Role::Reader { number, readers } => format!("{number}/{readers}"),
        };
        let mut process = Command::new(std::env::current_exe().unwrap())
            .env(ROLE, text)
            .env(FOLDER, folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let (input, output) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        Self { role, process, input, output: BufReader::new(output).lines() }
    }

    pub async fn tell(&mut self, line: &str) {
        let told = self.input.write_all(format!("{line}\n").as_bytes()).await;
        told.unwrap_or_else(|error| panic!("{:?} is gone ({error}); what it said is above", self.role));
    }

    pub async fn answer(&mut self) -> String {
        let line = self.output.next_line().await.unwrap();
        line.unwrap_or_else(|| panic!("{:?} ended; what it said is above", self.role))
    }

    pub async fn ask(&mut self, line: &str) -> String {
        self.tell(line).await;
        self.answer().await
    }

    /// The most memory it has had, in KiB.
    pub fn peak_memory(&self) -> u64 {
        let id = self.process.id().expect("it runs");
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Has it end.
    pub async fn end(self) {
        let Self { role, mut process, input, .. } = self;
        drop(input);
        assert!(process.wait().await.unwrap().success(), "{role:?} failed; what it said is above");
    }
}
