//! A PostgreSQL server of its own for a test, from the binaries that are installed.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

const MISSING: &str = "PostgreSQL's binaries (initdb, postgres, pg_ctl, createdb) are missing; install with: apt-get install postgresql";
/// How long the server may take to start or stop, on a slow machine.
const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(10);

/// A PostgreSQL server in a temporary folder. It listens on a unix socket alone, needs no password, and ends with the
/// process that started it, however that ends; or when it is dropped.
///
/// Its functions panic with words when something is missing or fails: they are for tests.
#[derive(Debug)]
pub struct TestCluster {
    binaries: PathBuf,
    /// Whom the server runs as: it refuses to run as root.
    user: Option<(u32, u32)>,
    server: Option<Child>,
    /// While this is open, the watchdog waits.
    watched: Option<ChildStdin>,
    watchdog: Child,
    folder: TempDir,
}

impl TestCluster {
    /// Makes a cluster and starts it.
    ///
    /// # Panics
    /// When PostgreSQL is not installed, or does not start.
    pub fn start() -> Self {
        let binaries = binaries();
        let folder = tempfile::Builder::new().prefix("favor-pg").tempdir().expect("a temporary folder");
        let is_root = fs::metadata(folder.path()).expect("the folder was just made").uid() == 0;
        let user = is_root.then(unprivileged);
        if let Some((uid, gid)) = user {
            chown(folder.path(), Some(uid), Some(gid)).expect("root may give a folder away");
        }
        let mut watchdog = watchdog(folder.path());
        let watched = watchdog.stdin.take();
        let mut cluster = Self { binaries, user, server: None, watched, watchdog, folder };
        let data = cluster.data();
        let options = ["-A", "trust", "-U", "favor", "-E", "UTF8", "--locale=C", "--no-sync", "-D"];
        cluster.tool("initdb", &[&options[..], &[text(&data)]].concat());
        cluster.start_again();
        cluster
    }

    /// Starts the server, and waits until it takes connections.
    ///
    /// # Panics
    /// When it runs already or does not start; the panic shows what it said.
    pub fn start_again(&mut self) {
        assert!(self.server.is_none(), "the server runs");
        let log = self.folder.path().join("log");
        let said = fs::File::create(&log).expect("a log file");
        let server = self
            .command("postgres")
            .args(["-D", text(&self.data()), "-k", text(self.folder.path())])
            .args(["-c", "listen_addresses=", "-c", "port=5432", "-c", "max_connections=200"])
            .stdout(said.try_clone().expect("a file can be shared"))
            .stderr(said)
            .process_group(0)
            .spawn()
            .expect("postgres starts");
        let server = self.server.insert(server);
        let (status, begun) = (self.folder.path().join("data/postmaster.pid"), Instant::now());
        // The last line of this file says how far the server is.
        while !fs::read_to_string(&status)
            .is_ok_and(|text| text.lines().nth(7).is_some_and(|line| line.trim() == "ready"))
        {
            let ended = server.try_wait().expect("our own child");
            assert!(
                ended.is_none() && begun.elapsed() < PATIENCE,
                "postgres: {}",
                fs::read_to_string(&log).unwrap_or_default()
            );
            thread::sleep(PAUSE);
        }
    }

    /// Stops the server like a power cut would: it writes nothing more, and recovers when it is started again.
    ///
    /// # Panics
    /// When it does not run, or does not stop.
    pub fn stop_immediate(&mut self) {
        let mut server = self.server.take().expect("the server runs");
        self.tool("pg_ctl", &["stop", "-m", "immediate", "-D", text(&self.data())]);
        server.wait().expect("our own child");
    }

    /// Makes an empty database and gives its address.
    ///
    /// # Panics
    /// When there is one of this name.
    pub fn database(&self, name: &str) -> String {
        self.tool("createdb", &["-h", text(self.folder.path()), "-U", "favor", name]);
        format!("host={} port=5432 user=favor dbname={name}", self.folder.path().display())
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.binaries.join(name));
        // A folder that everybody may enter, and none of the settings of whoever runs the tests.
        command.current_dir("/").env_clear().env("PATH", "/usr/bin:/bin").stdin(Stdio::null());
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        command
    }

    fn tool(&self, name: &str, arguments: &[&str]) {
        let done = self.command(name).args(arguments).output().expect(MISSING);
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{name} {arguments:?}: {said}");
    }
}

impl Drop for TestCluster {
    fn drop(&mut self) {
        // The watchdog ends the server and removes its folder.
        drop(self.watched.take());
        if let Some(mut server) = self.server.take() {
            server.wait().ok();
        }
        self.watchdog.wait().ok();
    }
}

/// A process that waits until its input ends, which it does when this process is gone, and then clears up. In a process
/// group of its own, so that Ctrl-C does not end it first.
fn watchdog(folder: &Path) -> Child {
    const SCRIPT: &str = r#"cat >/dev/null
        pid=$(head -n 1 "$0/data/postmaster.pid" 2>/dev/null)
        [ -n "$pid" ] && kill -QUIT "$pid" 2>/dev/null
        tries=0
        while [ -e "$0/data/postmaster.pid" ] && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
        rm -rf "$0""#;
    Command::new("sh")
        .args(["-c", SCRIPT, text(folder)])
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("sh starts")
}

/// The folder of the binaries: that of `postgres` on PATH, or the newest of Debian's.
fn binaries() -> PathBuf {
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let on_path =
        std::env::split_paths(&on_path).filter_map(|folder| fs::canonicalize(folder.join("postgres")).ok());
    let on_path = on_path.filter_map(|binary| Some(binary.parent()?.to_owned()));
    let mut debian: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    debian.sort_unstable();
    let whole = |folder: &PathBuf| {
        ["initdb", "postgres", "pg_ctl", "createdb"].iter().all(|name| folder.join(name).exists())
    };
    on_path.chain(debian.into_iter().rev().map(|(_, folder)| folder)).find(whole).expect(MISSING)
}

/// A user that is not root, by the system's list.
fn unprivileged() -> (u32, u32) {
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let find = |name: &str| {
        let mut fields = users
            .lines()
            .map(|line| line.split(':'))
            .find_map(|mut fields| (fields.next() == Some(name)).then_some(fields))?;
        Some((fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    find("postgres")
        .or_else(|| find("nobody"))
        .expect("a user named postgres or nobody, since the server refuses to run as root")
}

fn text(path: &Path) -> &str {
    path.to_str().ok_or(io::ErrorKind::InvalidInput).expect("a temporary folder whose name is UTF-8")
}
