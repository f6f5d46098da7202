//! `favor certs watch`: the daemon that keeps a key directory fresh.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use favor_certs::{Daemon, DaemonHandle};
use favor_core::SystemClock;

use crate::args::Global;
use crate::exit::Exit;
use crate::output::Output;

pub(crate) async fn run(global: &Global, output: &Output) -> anyhow::Result<Exit> {
    let Some(file) = &global.config else {
        bail!(
            "name the daemon's settings: favor certs watch --config certs.toml; deploy/certs.toml is a sample"
        );
    };
    let daemon = Daemon::start(file, Arc::new(SystemClock::new())).await?;
    let handle = daemon.handle();
    listen_to_signals(&handle)?;
    if let Some(address) = handle.address() {
        output.talk(format!("health, metrics and keys on http://{address}"));
    }
    output.talk("watching; ctrl-c stops it, SIGHUP reads its settings again");
    daemon.run().await?;
    output.talk("stopped");
    Ok(Exit::Done)
}

fn listen_to_signals(handle: &DaemonHandle) -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let listen = |kind: SignalKind| signal(kind).context("signals cannot be listened to");
    let mut hangup = listen(SignalKind::hangup())?;
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    let handle = handle.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = hangup.recv() => handle.reload(),
                _ = interrupt.recv() => break,
                _ = terminate.recv() => break,
            }
        }
        handle.stop();
    });
    Ok(())
}
