//! The receiver that is killed: axum, a SQLite inbox, and an application that notes what it handled.

use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

use favor::callback::{Dispatcher, Intake, NotHandled, Receiver, SqliteInbox};

use crate::audit::{LOG, open_in_inbox};
use crate::shop::{self, Shop};

const FOLDER: &str = "FAVOR_KILL_FOLDER";
pub const INBOX: &str = "inbox.sqlite";

/// The child process.
pub struct Child(std::process::Child);

impl Child {
    /// Starts it and has the mirror notify it.
    pub async fn start(shop: &Shop) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .env(FOLDER, shop.folder())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = tokio::task::spawn_blocking(move || lines.next()).await.unwrap();
        let url = line.expect("the receiver starts; what it said is above").unwrap();
        shop.notify(&url).await;
        Self(child)
    }

    pub fn lives(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }

    /// With -9.
    pub fn kill(&mut self) {
        assert!(self.lives(), "the receiver ended by itself");
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Waits until nothing is left to handle, and has it stop.
    pub async fn finish(mut self, shop: &Shop) {
        while open_in_inbox(shop.folder()) > 0 {
            assert!(self.lives(), "the receiver ended by itself");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        drop(self.0.stdin.take());
        assert!(self.0.wait().unwrap().success());
    }
}

/// Where the child finds its files, if this is the child.
pub fn folder_of_child() -> Option<PathBuf> {
    std::env::var_os(FOLDER).map(PathBuf::from)
}

/// Receives until its input ends.
pub fn run(folder: &Path) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(serve(folder));
    ExitCode::SUCCESS
}

async fn serve(folder: &Path) {
    let client = shop::client(folder);
    let receiver = Receiver::for_client(&client, shop::api_v3_key(folder));
    let inbox = Arc::new(SqliteInbox::open(folder.join(INBOX)).await.unwrap());
    let intake = Intake::new(receiver, inbox.clone());

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("http://{}/coupons", listener.local_addr().unwrap());
    let router = axum::Router::new().route_service("/coupons", intake);
    let server = tokio::spawn(async move { axum::serve(listener, router).await });

    let log = Arc::new(OpenOptions::new().append(true).create(true).open(folder.join(LOG)).unwrap());
    let dispatcher =
        Dispatcher::new(inbox).concurrency(8).pauses(Duration::from_millis(5), Duration::from_millis(50));
    let handle = move |delivery: favor::callback::Delivery| {
        let log = log.clone();
        async move {
            let coupon = delivery.notification.payload.coupon().unwrap();
            // One in thirteen fails the first time.
            if delivery.attempt == 1
                && coupon.coupon_id.as_str().bytes().map(u32::from).sum::<u32>() % 13 == 0
            {
                return Err(NotHandled::Later("not today".into()));
            }
            let line = format!("{} {}\n", delivery.notification.id, coupon.coupon_id);
            // One write, so that a kill leaves a whole line or none.
            (&*log).write_all(line.as_bytes())?;
            Ok(())
        }
    };
    let told_to_stop = async {
        let _ = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new())).await;
    };
    dispatcher.run(handle, told_to_stop).await.unwrap();
    server.abort();
}
