//! Runs the command, and a mirror in the background.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// What a run left.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// The command in an empty folder, with none of the machine's FAVOR_ variables.
pub fn favor(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_favor"));
    command.current_dir(folder).stdin(Stdio::null()).env("NO_COLOR", "1");
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("FAVOR_")) {
        command.env_remove(name);
    }
    command
}

pub fn run(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// `favor mirror --output json` as a process of its own; killed when dropped.
pub struct MirrorProcess {
    pub child: Child,
    pub ready: Value,
    pub folder: tempfile::TempDir,
}

impl MirrorProcess {
    pub fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let command = favor(folder.path());
        Self::spawn(folder, command, arguments)
    }

    /// The same with a signal ignored from the start.
    #[cfg(unix)]
    pub fn start_ignoring(signal: &str, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let plain = favor(folder.path());
        let mut command = Command::new("sh");
        command.args(["-c", &format!("trap '' {signal}; exec \"$0\" \"$@\"")]).arg(plain.get_program());
        command.current_dir(folder.path()).stdin(Stdio::null()).env("NO_COLOR", "1");
        Self::spawn(folder, command, arguments)
    }

    fn spawn(folder: tempfile::TempDir, mut command: Command, arguments: &[&str]) -> Self {
        command.args(["mirror", "--output", "json", "--keys", "keys"]).args(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        Self { child, ready, folder }
    }

    pub fn field(&self, name: &str) -> &str {
        self.ready[name].as_str().unwrap_or_else(|| panic!("the ready line has no {name}"))
    }

    /// The command with the environment a user would paste.
    pub fn favor(&self) -> Command {
        let mut command = favor(self.folder.path());
        for (variable, field) in [
            ("FAVOR_BASE_URL", "base_url"),
            ("FAVOR_MCHID", "mchid"),
            ("FAVOR_SERIAL_NO", "serial_no"),
            ("FAVOR_PRIVATE_KEY_FILE", "private_key_file"),
            ("FAVOR_API_V3_KEY", "api_v3_key"),
            ("FAVOR_APPID", "appid"),
        ] {
            command.env(variable, self.field(field));
        }
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        run(self.favor().args(arguments))
    }

    /// A control call, over a plain socket.
    pub fn control(&self, method: &str, path: &str, body: &str) -> Value {
        use std::io::{Read, Write};
        let address = self.field("base_url").trim_start_matches("http://");
        let mut socket = std::net::TcpStream::connect(address).unwrap();
        write!(
            socket,
            "{method} /_mirror/{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 2"), "{answer}");
        serde_json::from_str(body).unwrap_or(Value::Null)
    }

    pub fn key_file(&self) -> PathBuf {
        self.folder.path().join(self.field("private_key_file"))
    }
}

impl Drop for MirrorProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
