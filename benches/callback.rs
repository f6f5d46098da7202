//! How fast notifications are received: CPU time to verify, open and decode one, against the bare libraries doing
//! the same work into the same structs, in the same run. Linux only.

#![expect(clippy::print_stdout, reason = "its output is what it is run for")]
#![expect(clippy::print_stderr, reason = "what went wrong goes there")]
#![expect(clippy::float_arithmetic, reason = "ratios of times, no money")]

#[path = "callback/bare.rs"]
mod bare;
#[path = "callback/notifications.rs"]
mod notifications;
#[path = "callback/options.rs"]
mod options;
#[path = "callback/report.rs"]
mod report;

use std::error::Error;
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use favor::callback::Receiver;
use favor::core::ManualClock;
use futures_util::FutureExt as _;
use rustix::time::{ClockId, clock_gettime};

use crate::bare::Bare;
use crate::notifications::Request;
use crate::options::{Options, USAGE};
use crate::report::{Report, Round};

/// Different ones in turn, so that nothing is faster for being seen before.
const DIFFERENT: usize = 256;

fn main() -> ExitCode {
    let Some(options) = Options::read(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    if options.list {
        return ExitCode::SUCCESS;
    }
    match run(&options) {
        Ok(held) if held || !options.check => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Measures, reports, and says whether the bar held.
fn run(options: &Options) -> Result<bool, Box<dyn Error>> {
    let requests = notifications::make(DIFFERENT);
    let receiver = notifications::receiver(Arc::new(ManualClock::new(notifications::now())))?;
    let bare = Bare::new()?;
    let each = requests.iter().cycle().take(options.count);
    let ours = || each.clone().try_for_each(|request| receive(&receiver, request));
    let alone = || each.clone().try_for_each(|request| bare.receive(request));
    println!("{} notifications, {} rounds", options.count, options.rounds);
    // Whatever is done once is done before the first round.
    requests.iter().try_for_each(|request| receive(&receiver, request))?;
    requests.iter().try_for_each(|request| bare.receive(request))?;
    let mut rounds = Vec::new();
    for number in 0..options.rounds {
        let mut times = [Duration::ZERO; 3];
        // Each takes each place in turn, so that what slows the machine slows each of them.
        for place in 0..3 {
            let cell = (number + place) % 3;
            times[cell] = if cell == 1 { time(alone)? } else { time(ours)? };
        }
        let [ours, bare, again] = times;
        rounds.push(Round { ours, bare, again });
    }
    let report = Report { count: options.count, rounds: &rounds };
    println!("{report}");
    Ok(options.trial || report.holds())
}

fn receive(receiver: &Receiver, request: &Request) -> Result<(), Box<dyn Error>> {
    let received = receiver.receive(&request.headers, &request.body).now_or_never();
    let notification = received.ok_or("known keys need no waiting")??;
    match notification.payload.coupon() {
        Some(coupon) if coupon.coupon_id.as_str() == request.coupon_id => {}
        _ => return Err("another coupon came out".into()),
    }
    black_box(notification);
    Ok(())
}

/// The CPU time of this thread for `work`.
fn time(work: impl FnOnce() -> Result<(), Box<dyn Error>>) -> Result<Duration, Box<dyn Error>> {
    let now = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime));
    let before = now()?;
    work()?;
    Ok(now()?.saturating_sub(before))
}
