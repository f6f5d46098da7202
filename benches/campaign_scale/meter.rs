//! What a phase takes: CPU time of all threads, time by the clock, and the most memory.

use std::fmt;
use std::fs;
use std::io;
use std::str::FromStr;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use crate::Failed;

/// What a phase took.
pub(crate) struct Phase {
    pub(crate) name: String,
    cpu: Duration,
    clock: Duration,
    pub(crate) peak_kib: u64,
}

/// A phase that has begun.
pub(crate) struct Begun {
    name: &'static str,
    cpu: Duration,
    clock: Instant,
}

impl Phase {
    pub(crate) fn begin(name: &'static str) -> Result<Begun, Failed> {
        // Sets the peak back to what is used now.
        fs::write("/proc/self/clear_refs", "5")?;
        Ok(Begun { name, cpu: cpu()?, clock: Instant::now() })
    }

    pub(crate) fn cpu_micros(&self, people: u64) -> f64 {
        per(self.cpu, people)
    }

    pub(crate) fn clock_micros(&self, people: u64) -> f64 {
        per(self.clock, people)
    }

    pub(crate) fn peak_mib(&self) -> f64 {
        f64::from(u32::try_from(self.peak_kib).unwrap_or(u32::MAX)) / 1_024.0
    }
}

impl Begun {
    pub(crate) fn end(self) -> Result<Phase, Failed> {
        let (cpu, clock) = (cpu()?.saturating_sub(self.cpu), self.clock.elapsed());
        Ok(Phase { name: self.name.to_owned(), cpu, clock, peak_kib: peak_kib()? })
    }
}

/// For the process that began this one.
impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, cpu, clock, peak_kib } = self;
        write!(f, "{name} {} {} {peak_kib}", cpu.as_micros(), clock.as_micros())
    }
}

impl FromStr for Phase {
    type Err = Failed;

    fn from_str(line: &str) -> Result<Self, Failed> {
        let [name, cpu, clock, peak] = line.split(' ').collect::<Vec<_>>()[..] else {
            return Err(format!("{line:?} tells of no phase").into());
        };
        let time = |text: &str| text.parse().map(Duration::from_micros);
        Ok(Self { name: name.to_owned(), cpu: time(cpu)?, clock: time(clock)?, peak_kib: peak.parse()? })
    }
}

fn per(time: Duration, people: u64) -> f64 {
    time.as_secs_f64() * 1e6 / f64::from(u32::try_from(people).unwrap_or(u32::MAX))
}

fn cpu() -> Result<Duration, Failed> {
    Ok(Duration::try_from(clock_gettime(ClockId::ProcessCPUTime))?)
}

fn peak_kib() -> Result<u64, Failed> {
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|rest| rest.split_whitespace().next());
    Ok(peak.ok_or(io::ErrorKind::InvalidData).map_err(io::Error::from)?.parse()?)
}
