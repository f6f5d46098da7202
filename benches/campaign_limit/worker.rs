//! A worker: a runner in a process of its own.

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use favor::campaign::{Answer, PostgresAddress, PostgresLedger, Runner, Sender, Trouble};
use favor::core::{CouponId, OpenId, Outcome};
use favor::coupon::SendCoupon;
use futures_util::future::BoxFuture;

use crate::{Failed, ledger};

/// The argument that makes this program a worker.
pub(crate) const WORK: &str = "--work";
/// How long an answer takes.
const ANSWER: Duration = Duration::from_millis(10);

/// A worker's process; it ends when this is dropped.
pub(crate) struct Worker(Child);

impl Worker {
    pub(crate) fn start(ledger: &str, receiver: SocketAddr) -> Result<Self, Failed> {
        let worker = Command::new(std::env::current_exe()?)
            .args([WORK, ledger, &receiver.to_string()])
            .stdin(Stdio::piped())
            .spawn()?;
        Ok(Self(worker))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().ok();
    }
}

/// Works until its input ends.
pub(crate) fn run(mut arguments: impl Iterator<Item = String>) -> ExitCode {
    let (Some(ledger), Some(receiver)) = (arguments.next(), arguments.next()) else {
        return ExitCode::from(2);
    };
    match work(&ledger, &receiver) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error in a worker: {error}");
            ExitCode::FAILURE
        }
    }
}

fn work(ledger: &str, receiver: &str) -> Result<(), Failed> {
    let receiver = TcpStream::connect(receiver)?;
    receiver.set_nodelay(true)?;
    let sender = Arc::new(Wire { receiver: Mutex::new(receiver), count: AtomicU64::new(0) });
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    std::thread::spawn(move || {
        // The starter says nothing; it closes its end when the work is over, or when it dies.
        std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).ok();
        drop(stop);
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let ledger = PostgresLedger::connect(&PostgresAddress::new(ledger)?).await?;
        let runner = Runner::builder(Arc::new(ledger), sender, ledger::name()?).build();
        runner.run(async { drop(stopped.await) }).await?;
        Ok(())
    })
}

/// Carries a coupon as one byte.
#[derive(Debug)]
struct Wire {
    receiver: Mutex<TcpStream>,
    count: AtomicU64,
}

impl Sender for Wire {
    fn send<'a>(&'a self, _: &'a OpenId, _: &'a SendCoupon) -> BoxFuture<'a, Answer> {
        let written = self.receiver.lock().is_ok_and(|mut receiver| receiver.write_all(&[1]).is_ok());
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            tokio::time::sleep(ANSWER).await;
            let trouble = || Trouble {
                outcome: Outcome::Unknown,
                status: None,
                code: "cut".to_owned(),
                message: "the receiver is gone".to_owned(),
                retry_after: None,
            };
            let coupon = CouponId::new(format!("{}-{number}", std::process::id()));
            let result = coupon.ok().filter(|_| written).ok_or_else(trouble);
            Answer { result, request_id: None }
        })
    }
}
