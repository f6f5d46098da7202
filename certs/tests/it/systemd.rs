//! What systemd hears, on a socket as it gives one.

use std::io::{BufRead as _, Write as _};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use favor_core::SystemClock;

use crate::keys::public_key;

const JOB: &str = "FAVOR_CERTS_TEST_SYSTEMD";
/// Far beyond what any step takes.
const DEADLINE: Duration = Duration::from_secs(120);

/// Not a test by itself: the daemon that systemd started. It ends when its input does.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by the tests below"]
async fn a_daemon_under_systemd() {
    let config = std::env::var_os(JOB).expect("started by the tests below");
    let daemon = favor_certs::Daemon::start(config, Arc::new(SystemClock::new())).await.unwrap();
    let handle = daemon.handle();
    std::thread::spawn(move || {
        for _ in std::io::stdin().lock().lines() {
            handle.reload();
        }
        handle.stop();
    });
    daemon.run().await.unwrap();
}

/// Listens on a thread of its own: nobody may have to wait for a full socket.
struct Systemd {
    socket: PathBuf,
    lines: mpsc::Receiver<String>,
    heard: Vec<String>,
}

impl Systemd {
    fn listen(folder: &Path, name: &str) -> Self {
        let path = folder.join(name);
        let socket = UnixDatagram::bind(&path).unwrap();
        let (said, lines) = mpsc::channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length) = socket.recv(&mut buffer) {
                for line in std::str::from_utf8(&buffer[..length]).unwrap().lines() {
                    if said.send(line.to_owned()).is_err() {
                        return;
                    }
                }
            }
        });
        Self { socket: path, lines, heard: Vec::new() }
    }

    /// Starts a daemon that is to be heard of twice a second.
    fn start(&self, config: &Path) -> Child {
        Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "systemd::a_daemon_under_systemd"])
            .env(JOB, config)
            .env("NOTIFY_SOCKET", &self.socket)
            .env("WATCHDOG_USEC", "500000")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// Waits until this was said.
    fn hear(&mut self, what: &str) {
        loop {
            let line = self.lines.recv_timeout(DEADLINE);
            let line = line.unwrap_or_else(|_| panic!("{what} was not said after {:?}", self.heard));
            self.heard.push(line);
            if self.heard.last().is_some_and(|line| line == what) {
                return;
            }
        }
    }
}

fn settings(folder: &Path) -> PathBuf {
    let (id, pem) = public_key(1);
    std::fs::write(folder.join("public.pem"), pem).unwrap();
    // A hook is no part of the daemon: it must not speak to systemd in its name.
    let hook = "[[hook]]\nname = \"env\"\nexec = [\"sh\", \"-c\", \"cd $FAVOR_RELEASE/../../../..; env > new; mv new env\"]\n";
    let text = format!(
        "directory = \"keys\"\n[[merchant]]\nmchid = \"1900000109\"\npublic_key_id = \"{id}\"\npublic_key_file = \"public.pem\"\n{hook}"
    );
    std::fs::write(folder.join("certs.toml"), text).unwrap();
    folder.join("certs.toml")
}

fn end(mut child: Child) {
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn systemd_hears_when_it_is_ready_how_it_is_that_it_lives_and_that_it_stops() {
    let folder = tempfile::tempdir().unwrap();
    let mut systemd = Systemd::listen(folder.path(), "notify");
    let config = settings(folder.path());
    let mut daemon = systemd.start(&config);
    systemd.hear("READY=1");
    assert!(folder.path().join("keys/1900000109/current/manifest.json").exists(), "ready, with keys");
    assert!(systemd.heard.contains(&"STATUS=1 merchants ok, 0 failing".to_owned()), "{:?}", systemd.heard);
    // Nothing is to be done for an hour, and still it is heard of.
    for _ in 0..4 {
        systemd.hear("WATCHDOG=1");
    }

    let deadline = Instant::now() + DEADLINE;
    let env = loop {
        match std::fs::read_to_string(folder.path().join("env")) {
            Ok(env) => break env,
            Err(error) => assert!(Instant::now() < deadline, "the hook never ran: {error}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(
        env.contains("FAVOR_GENERATION=") && !env.contains("NOTIFY_SOCKET") && !env.contains("WATCHDOG"),
        "{env}"
    );

    // A change of its settings to the bad is no end; a merchant that fails is in the status.
    let text = std::fs::read_to_string(&config).unwrap();
    let more = "[[merchant]]\nmchid = \"1900000110\"\npublic_key_id = \"PUB_KEY_ID_1\"\npublic_key_file = \"none\"\n";
    std::fs::write(&config, format!("{text}{more}")).unwrap();
    daemon.stdin.as_mut().unwrap().write_all(b"reload\n").unwrap();
    systemd.hear("STATUS=1 merchants ok, 1 failing");

    end(daemon);
    systemd.hear("STOPPING=1");
    assert_eq!(systemd.heard.iter().filter(|line| *line == "READY=1").count(), 1, "said once");
}

#[test]
fn one_that_stands_by_is_ready_too_and_is_heard_of() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = Systemd::listen(folder.path(), "first");
    let mut second = Systemd::listen(folder.path(), "second");
    let config = settings(folder.path());
    let writes = first.start(&config);
    first.hear("READY=1");
    let stands_by = second.start(&config);
    second.hear("READY=1");
    second.hear("STATUS=standing by: another process writes the directory");
    // The first one ends, and the second is heard of as the one who writes.
    end(writes);
    second.hear("STATUS=1 merchants ok, 0 failing");
    end(stands_by);
    second.hear("STOPPING=1");
}
