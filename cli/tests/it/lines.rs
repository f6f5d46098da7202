//! A command that prints a JSON line for each thing that happens, as a process of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::target::PATIENCE;

/// The process; killed when dropped.
pub struct Process {
    child: Child,
    lines: Arc<(Mutex<Vec<Value>>, Condvar)>,
    reader: JoinHandle<()>,
    talk: Arc<Mutex<String>>,
    talker: Option<JoinHandle<()>>,
}

impl Process {
    /// The command as it is; it has to print JSON.
    pub fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines: Arc<(Mutex<Vec<Value>>, Condvar)> = Arc::default();
        let (shared, stdout) = (lines.clone(), child.stdout.take().unwrap());
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let line = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
                shared.0.lock().unwrap().push(line);
                shared.1.notify_all();
            }
        });
        let (stderr, talk) = (child.stderr.take().unwrap(), Arc::<Mutex<String>>::default());
        let said = talk.clone();
        let talker = std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let mut said = said.lock().unwrap();
                said.push_str(&line);
                said.push('\n');
            }
        });
        Self { child, lines, reader, talk, talker: Some(talker) }
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
            let talk = || self.talk();
            let left =
                left.unwrap_or_else(|| panic!("{} of {count} lines came: {lines:?} {}", found.len(), talk()));
            // Looked at now and then: a process that has ended brings no more lines.
            assert!(!self.reader.is_finished(), "it ended with {} of {count} lines: {}", found.len(), talk());
            lines = self.lines.1.wait_timeout(lines, left.min(Duration::from_secs(1))).unwrap().0;
        }
    }

    /// What it has said on stderr so far.
    pub fn talk(&self) -> String {
        self.talk.lock().unwrap().clone()
    }

    /// Sends it a signal such as `TERM`.
    #[cfg(unix)]
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status();
        assert!(sent.unwrap().success());
    }

    /// The end that it comes to by itself: how, its lines, and what it said.
    pub fn end(mut self) -> (ExitStatus, Vec<Value>, String) {
        let status = self.child.wait().unwrap();
        // Whatever it printed has been read.
        while !self.reader.is_finished() {
            std::thread::yield_now();
        }
        self.talker.take().unwrap().join().unwrap();
        let lines = self.lines.0.lock().unwrap().clone();
        (status, lines, self.talk())
    }

    /// A polite kill, and what it left.
    #[cfg(unix)]
    pub fn stop(self) -> (ExitStatus, Vec<Value>, String) {
        self.signal("TERM");
        self.end()
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end.
    pub fn wait_for_end(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
