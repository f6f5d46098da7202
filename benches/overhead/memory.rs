//! Peak memory of one client with many calls in flight, in a fresh process.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use crate::cells::Sends;
use crate::children::memory_client;
use crate::runtime;

const IN_FLIGHT: usize = 64;
const CALLS: u64 = 8_000;
/// The most the client's process may take.
const BAR_KIB: u64 = 20 * 1024;

/// What the client's process took, in KiB of resident memory.
pub(crate) struct Peak {
    /// At most, over all calls.
    calling: u64,
    /// With the client built, before the first call.
    built: u64,
}

impl Peak {
    /// Measures in a process of its own.
    pub(crate) fn measure(server: SocketAddr) -> io::Result<Self> {
        let output = memory_client(server)?;
        let text = String::from_utf8(output.stdout).map_err(io::Error::other)?;
        let numbers: Vec<u64> = text.split_whitespace().filter_map(|text| text.parse().ok()).collect();
        match numbers[..] {
            [calling, built] if output.status.success() => Ok(Self { calling, built }),
            _ => Err(io::Error::other("the measured client failed")),
        }
    }

    pub(crate) fn within_bar(&self) -> bool {
        self.calling < BAR_KIB
    }
}

impl fmt::Display for Peak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { calling, built } = self;
        write!(
            f,
            "peak resident memory over {CALLS} calls, {IN_FLIGHT} in flight: {calling} KiB \
             ({built} KiB before the first), bar {BAR_KIB} KiB"
        )
    }
}

/// What the measured process does: sends, and says what it took.
pub(crate) fn client(server: SocketAddr) -> io::Result<String> {
    let runtime = runtime()?;
    let sends = Sends::new(server, IN_FLIGHT);
    let built = high_water()?;
    runtime.block_on(sends.run_times(CALLS)).map_err(io::Error::other)?;
    Ok(format!("{} {built}", high_water()?))
}

/// The most resident memory this process ever held, in KiB. Linux only.
fn high_water() -> io::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix("kB"))
        .and_then(|number| number.trim().parse().ok())
        .ok_or_else(|| io::Error::other("/proc/self/status has no VmHWM"))
}
