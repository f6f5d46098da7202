//! The daemon's process.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use favor::core::{Clock as _, ManualClock};
use favor_certs::Daemon;

use crate::{child, world};

/// Runs until its input ends; `tick` and seconds move its clock.
pub fn run() -> ExitCode {
    // As `favor certs watch` has it.
    let runtime = favor_certs::runtime().unwrap();
    runtime.block_on(async {
        let clock = Arc::new(ManualClock::new(world::start()));
        let daemon = Daemon::start(child::folder().join(world::SETTINGS), clock.clone()).await.unwrap();
        let handle = daemon.handle();
        println!("http://{}", handle.address().unwrap());
        let running = tokio::spawn(daemon.run());
        let mut told = child::told();
        while let Some(line) = told.recv().await {
            let seconds: u64 = line.strip_prefix("tick ").unwrap().parse().unwrap();
            clock.advance(Duration::from_secs(seconds) - clock.elapsed());
            println!("ticked");
        }
        handle.stop();
        running.await.unwrap().unwrap();
    });
    ExitCode::SUCCESS
}
