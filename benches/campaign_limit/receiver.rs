//! What the workers send to, which notes when each send arrives.

use std::io::Read as _;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::Failed;

/// How long all workers may take to begin.
const PATIENCE: Duration = Duration::from_secs(60);
/// After the last of them began: what is reserved in its first moments is not what is measured.
const SETTLE: Duration = Duration::from_secs(1);

/// A worker sends a byte for each coupon, on a connection of its own.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    connections: Vec<Arc<Mutex<Vec<Instant>>>>,
    threads: Vec<JoinHandle<()>>,
}

impl Receiver {
    pub(crate) fn start(workers: u32) -> Result<Self, Failed> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let connections: Vec<Arc<Mutex<Vec<Instant>>>> = (0..workers).map(|_| Arc::default()).collect();
        let threads = connections.iter().map(|arrivals| {
            let (listener, arrivals) = (listener.try_clone()?, Arc::clone(arrivals));
            Ok(thread::spawn(move || listen(&listener, &arrivals)))
        });
        let threads = threads.collect::<Result<_, std::io::Error>>()?;
        Ok(Self { address, connections, threads })
    }

    /// Lets so much time pass, from when all workers send.
    pub(crate) fn measure(&self, time: Duration) -> Result<(Instant, Instant), Failed> {
        let begun = Instant::now();
        let is_silent =
            |arrivals: &Arc<Mutex<Vec<Instant>>>| arrivals.lock().is_ok_and(|noted| noted.is_empty());
        while self.connections.iter().any(is_silent) {
            if begun.elapsed() > PATIENCE {
                return Err("not all workers began".into());
            }
            thread::sleep(Duration::from_millis(10));
        }
        thread::sleep(SETTLE);
        let from = Instant::now();
        thread::sleep(time);
        Ok((from, Instant::now()))
    }

    /// All arrivals, in order, when the workers are gone.
    pub(crate) fn arrivals(self) -> Result<Vec<Instant>, Failed> {
        for thread in self.threads {
            thread.join().map_err(|_| "the receiver failed")?;
        }
        let mut all = Vec::new();
        for arrivals in self.connections {
            all.extend(arrivals.lock().map_err(|_| "the receiver failed")?.drain(..));
        }
        all.sort_unstable();
        Ok(all)
    }
}

fn listen(listener: &TcpListener, arrivals: &Mutex<Vec<Instant>>) {
    let Ok((mut connection, _)) = listener.accept() else { return };
    let mut bytes = [0; 256];
    while let Ok(count @ 1..) = connection.read(&mut bytes) {
        let now = Instant::now();
        if let Ok(mut arrivals) = arrivals.lock() {
            arrivals.extend(std::iter::repeat_n(now, count));
        }
    }
}

/// The most of these moments, in their order, that lie within one second.
pub(crate) fn most_in_a_second(moments: &[Duration]) -> usize {
    let mut first = 0;
    let windows = moments.iter().enumerate().map(|(last, moment)| {
        while moments[first] + Duration::from_secs(1) <= *moment {
            first += 1;
        }
        last - first + 1
    });
    windows.max().unwrap_or(0)
}
