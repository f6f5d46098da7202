//! The receiver, in a process of its own so that its CPU time is its own.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use favor::callback::{Inbox as _, Intake, SqliteInbox};
use favor::core::{Clock, SystemClock};
use futures_util::future::BoxFuture;
use rustix::time::{ClockId, clock_gettime};

use crate::{Failed, notifications};

/// The argument that makes this program the server.
pub(crate) const SERVE: &str = "--serve";

/// The server's process.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    process: Child,
    talk: Mutex<(ChildStdin, Lines<BufReader<ChildStdout>>)>,
}

impl Server {
    pub(crate) fn start() -> Result<Self, Failed> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg(SERVE)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let pipes = (process.stdin.take(), process.stdout.take());
        let (Some(input), Some(output)) = pipes else { return Err("pipes were asked for".into()) };
        let mut lines = BufReader::new(output).lines();
        let address = lines.next().ok_or("the server did not start")??.parse()?;
        Ok(Self { address, process, talk: Mutex::new((input, lines)) })
    }

    /// The CPU time of all its threads so far.
    pub(crate) fn cpu(&self) -> Result<Duration, Failed> {
        Ok(Duration::from_nanos(self.ask("cpu")?.parse()?))
    }

    /// Ends it, after a look at whether so many were stored.
    pub(crate) fn stop(mut self, stored: usize) -> Result<(), Failed> {
        let answer = self.ask("stored")?;
        if answer != stored.to_string() {
            return Err(format!("{answer} of {stored} are stored").into());
        }
        drop(self.talk);
        self.process.wait()?;
        Ok(())
    }

    fn ask(&self, question: &str) -> Result<String, Failed> {
        let mut talk = self.talk.lock().map_err(|_| "nobody panicked before")?;
        writeln!(talk.0, "{question}")?;
        Ok(talk.1.next().ok_or("the server ended")??)
    }
}

/// Serves until its input ends, and answers what it is asked.
pub(crate) fn run() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> Result<(), Failed> {
    // One thread for the connections beside the store's own: more would mostly wake each other.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("inbox.sqlite");
    let receiver =
        notifications::receiver(Arc::new(Standing(SystemClock::new()))).map_err(|error| error.to_string())?;
    let inbox = Arc::new(runtime.block_on(SqliteInbox::open(file))?);
    let intake = Intake::new(receiver, inbox.clone());
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))?;
    println!("{}", listener.local_addr()?);
    let router = axum::Router::new().route_service("/coupons", intake);
    runtime.spawn(async move { axum::serve(listener, router).await });
    for question in std::io::stdin().lines() {
        match question?.as_str() {
            "cpu" => println!("{}", Duration::try_from(clock_gettime(ClockId::ProcessCPUTime))?.as_nanos()),
            _ => println!("{}", runtime.block_on(inbox.counts())?.waiting),
        }
    }
    Ok(())
}

/// Stands where the notifications were signed; pauses are the machine's.
#[derive(Debug)]
struct Standing(SystemClock);

impl Clock for Standing {
    fn now(&self) -> DateTime<Utc> {
        notifications::now()
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        self.0.sleep(duration)
    }
}
