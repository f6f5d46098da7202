//! Processes that are killed and frozen: this program again, told by variables what to be.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

const ROLE: &str = "FAVOR_CHAOS_ROLE";
const FOLDER: &str = "FAVOR_CHAOS_FOLDER";

/// All that live, so that none outlives a failed run: one that is frozen does not see that we are gone.
static LIVING: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

/// What a process is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Mirror,
    Import,
    Worker,
}

impl Role {
    const ALL: [(Self, &str); 3] =
        [(Self::Mirror, "mirror"), (Self::Import, "import"), (Self::Worker, "worker")];

    fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(role, _)| *role == self).map(|(_, name)| name).unwrap()
    }

    /// The role of this process and its folder, if it is a child.
    pub fn of_this_process() -> Option<(Self, PathBuf)> {
        let name = std::env::var(ROLE).ok()?;
        // Not even a frozen one outlives whoever started it.
        #[cfg(target_os = "linux")]
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).unwrap();
        let (role, _) = Self::ALL.into_iter().find(|(_, word)| *word == name).unwrap();
        Some((role, PathBuf::from(std::env::var_os(FOLDER).unwrap())))
    }
}

/// A child. It ends when its input does; it is killed when it is dropped.
pub struct Child {
    process: std::process::Child,
    input: Option<ChildStdin>,
    ended: bool,
}

impl Child {
    /// Starts it with further variables.
    pub fn start(role: Role, folder: &Path, more: &[(&str, String)]) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .env(ROLE, role.name())
            .env(FOLDER, folder)
            .envs(more.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = process.stdin.take();
        LIVING.lock().unwrap().insert(pid(&process).as_raw_nonzero().get());
        Self { process, input, ended: false }
    }

    /// The first line it prints.
    pub fn first_line(&mut self) -> String {
        let output = self.process.stdout.take().unwrap();
        let line = BufReader::new(output).lines().next();
        line.expect("the child starts; what it said is above").unwrap()
    }

    /// Tells it something.
    pub fn tell(&mut self, line: &str) {
        // It may have been killed meanwhile.
        self.input.as_mut().map(|input| writeln!(input, "{line}").ok());
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.process.try_wait().unwrap();
        if status.is_some() && !self.ended {
            self.ended = true;
            LIVING.lock().unwrap().remove(&self.pid().as_raw_nonzero().get());
        }
        status
    }

    /// With -9; says whether it lived until then.
    pub fn kill(&mut self) -> bool {
        let lived = self.ended().is_none();
        if lived {
            self.process.kill().unwrap();
            self.wait();
        }
        lived
    }

    /// Lets it end by itself.
    pub fn wait(&mut self) -> ExitStatus {
        loop {
            if let Some(status) = self.ended() {
                return status;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Stops its clock, as a long pause of the machine would.
    pub fn freeze(&mut self) {
        if self.ended().is_none() {
            kill_process(self.pid(), Signal::STOP).unwrap();
        }
    }

    /// Lets it go on.
    pub fn thaw(&mut self) {
        if self.ended().is_none() {
            kill_process(self.pid(), Signal::CONT).unwrap();
        }
    }

    /// Whether it is stopped, by us or by itself.
    pub fn is_frozen(&self) -> bool {
        let file = format!("/proc/{}/stat", self.process.id());
        let status = std::fs::read_to_string(file).unwrap_or_default();
        // The name before it ends with the last parenthesis.
        status.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
    }

    fn pid(&self) -> Pid {
        pid(&self.process)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

fn pid(process: &std::process::Child) -> Pid {
    Pid::from_raw(i32::try_from(process.id()).unwrap()).unwrap()
}

/// Ends all children, before a failed run ends.
pub fn kill_all() {
    let living = LIVING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    for pid in living.iter().filter_map(|pid| Pid::from_raw(*pid)) {
        kill_process(pid, Signal::KILL).ok();
    }
}

/// In a child: the lines it is told, until its input ends.
pub fn told(mut heard: impl FnMut(&str) + Send + 'static) -> tokio::task::JoinHandle<()> {
    tokio::task::spawn_blocking(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            heard(&line);
        }
    })
}
