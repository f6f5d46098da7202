//! Many at once: mirrors in one process, and idle connections to one mirror. A program of its own, since it counts
//! the threads, file descriptors and memory of its process.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]
#![expect(clippy::print_stdout, reason = "the figures are for whoever looks at the run")]

#[allow(dead_code, reason = "a part of it is enough here")]
#[path = "it/harness.rs"]
mod harness;

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::time::timeout;

use harness::{World, builder};

const MIRRORS: usize = 200;
const CONNECTIONS: usize = 10_000;
/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(120);
/// Tells a copy of this program where to connect.
const ADDRESS: &str = "FAVOR_CROWD_ADDRESS";

/// A line of `/proc/self/status`, as a number.
fn status(name: &str) -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Waits until a figure is back where it was; sockets and threads are gone a moment after their owner.
async fn falls_to(limit: usize, figure: impl Fn() -> usize) {
    let fallen = async {
        while figure() > limit {
            tokio::task::yield_now().await;
        }
    };
    if timeout(PATIENCE, fallen).await.is_err() {
        panic!("{} instead of {limit}", figure());
    }
}

fn threads() -> usize {
    usize::try_from(status("Threads")).unwrap()
}

/// Allows so many open files. A test that cannot have them fails: it has shown nothing.
fn allow_files(wanted: u64) {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < wanted) {
        let raised = Rlimit { current: Some(wanted), maximum: limit.maximum };
        setrlimit(Resource::Nofile, raised).unwrap_or_else(|error| {
            panic!("{wanted} open files are needed and the system allows {limit:?}: {error}; see ulimit -Hn")
        });
    }
}

/// One after the other, so that each counts its own.
#[test]
#[expect(clippy::disallowed_methods, reason = "the address of the mirror, from the parent process")]
fn crowds() {
    if let Ok(address) = std::env::var(ADDRESS) {
        return hold_connections(&address);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    // First, while the memory of this process is all its own.
    runtime.block_on(ten_thousand_idle_connections());
    runtime.block_on(two_hundred_mirrors());
}

async fn two_hundred_mirrors() {
    // What starts with the first mirror and stays: threads of the runtime, and the machine's randomness.
    let first = World::new().await;
    first.get("/v3/certificates").await.ok();
    first.mirror.shutdown().await;
    let (threads_before, files_before, memory_before) = (threads(), descriptors(), status("VmRSS"));

    for gracefully in [true, false] {
        let began = Instant::now();
        let mut worlds = Vec::new();
        for _ in 0..MIRRORS {
            worlds.push(World::new().await);
        }
        let addresses: BTreeSet<_> = worlds.iter().map(|world| world.mirror.base_url().to_owned()).collect();
        assert_eq!(addresses.len(), MIRRORS, "each has a port of its own");
        for world in &worlds {
            let reply = world.get("/v3/certificates").await;
            assert_eq!(reply.status, 200);
            assert!(reply.is_signed_by(&world.mirror.platform_certificates()[0].pem));
            assert!(world.mirror.audit().await.ok);
        }
        // One thread writes; beside the listener there are this client's connection, from both its ends, and
        // what the client itself keeps.
        let (threads_each, files_each) = (threads() - threads_before, descriptors() - files_before);
        println!(
            "{MIRRORS} mirrors: {threads_each} threads, {files_each} file descriptors, {} KiB more memory, {:?}",
            status("VmRSS").saturating_sub(memory_before),
            began.elapsed(),
        );
        assert!(threads_each <= MIRRORS + 64, "{threads_each} threads");
        assert!(files_each <= 4 * MIRRORS + 64, "{files_each} file descriptors");
        for world in worlds {
            if gracefully {
                timeout(PATIENCE, world.mirror.shutdown()).await.unwrap();
            } else {
                drop(world);
            }
        }
        falls_to(files_before + 8, descriptors).await;
        // Blocking work of the runtime may keep a thread for a while.
        falls_to(threads_before + 64, threads).await;
    }
}

async fn ten_thousand_idle_connections() {
    allow_files(u64::try_from(CONNECTIONS + 200).unwrap());
    let world = World::with(builder().keep_alive_timeout(Duration::from_secs(3_600))).await;
    world.get("/v3/certificates").await.ok();
    let (files_before, memory_before) = (descriptors(), status("VmRSS"));

    // The clients live in another process, which needs as many descriptors again.
    let began = Instant::now();
    let address = world.mirror.base_url().trim_start_matches("http://").to_owned();
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args(["crowds", "--exact", "--nocapture"])
        .env(ADDRESS, address)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(holder.stdout.take().unwrap());
    let holding = tokio::task::spawn_blocking(move || {
        let holds = said.by_ref().lines().any(|line| line.unwrap().contains("holding"));
        (holds, said)
    });
    let (holds, said) = timeout(PATIENCE, holding).await.unwrap().unwrap();
    assert!(holds, "the clients failed; see above");
    let connected = began.elapsed();
    let accepted = async {
        while descriptors() < files_before + CONNECTIONS {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, accepted).await.expect("not all connections were accepted");

    let began = Instant::now();
    timeout(PATIENCE, world.get("/v3/certificates")).await.unwrap().ok();
    let one_call = began.elapsed();
    // On a connection of its own as well.
    let fresh = World { http: reqwest::Client::builder().no_proxy().build().unwrap(), ..world };
    timeout(PATIENCE, fresh.get("/v3/certificates")).await.unwrap().ok();
    let memory = status("VmRSS").saturating_sub(memory_before);
    println!(
        "{CONNECTIONS} idle connections: {memory} KiB more memory, there in {connected:?}, a call in {one_call:?}"
    );
    assert!(memory < 40 * 10_000, "{memory} KiB");

    // Closing them gives everything back.
    drop(holder.stdin.take());
    assert!(holder.wait().unwrap().success());
    drop(said);
    falls_to(files_before + 8, descriptors).await;
    timeout(PATIENCE, fresh.mirror.shutdown()).await.unwrap();
}

/// In the other process: opens the connections and keeps them until the parent closes this one's input.
fn hold_connections(address: &str) {
    allow_files(u64::try_from(CONNECTIONS + 100).unwrap());
    let connections: Vec<_> = (0..CONNECTIONS).map(|_| TcpStream::connect(address).unwrap()).collect();
    println!("holding {}", connections.len());
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}
