//! Waiting while another process writes the directory.

use std::sync::Arc;
use std::time::Duration;

use favor_core::{Clock, MerchantId, MerchantKeyStatus, Release};
use tokio::sync::mpsc;

use super::fleet::Fleet;
use super::in_force::InForce;
use super::sleep::sleep_until;
use super::{Command, DaemonError, Refresh, notify};
use crate::config::Config;
use crate::directory::{DirectoryError, KeyDirectory};

/// How often it is tried to become the one who writes. Also how fresh what is served meanwhile is.
const EVERY: Duration = Duration::from_secs(5);

/// The directory, once nobody else writes it; none when the daemon was stopped before.
pub(super) async fn take_over(
    config: &Config,
    clock: &Arc<dyn Clock>,
    fleet: &Fleet,
    commands: &mut mpsc::UnboundedReceiver<Command>,
) -> Result<Option<KeyDirectory>, DaemonError> {
    let merchants: Vec<_> = config.merchants.iter().map(|merchant| merchant.mchid.clone()).collect();
    fleet.set(&merchants, &config.hooks);
    let mut told = false;
    loop {
        let until = clock.elapsed() + EVERY;
        show(config, fleet, &merchants).await;
        match KeyDirectory::open(&config.directory, config.modes()) {
            Ok(directory) => {
                fleet.set_writes(true);
                return Ok(Some(directory));
            }
            Err(DirectoryError::Held { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        if !told {
            tracing::info!(directory = %config.directory.display(), "another process writes the directory; standing by");
            // A second daemon is of use as it is: systemd must not wait for the first one to end.
            notify::ready();
            told = true;
        }
        notify::alive();
        notify::status("standing by: another process writes the directory");
        tokio::select! {
            () = sleep_until(clock.as_ref(), until) => {}
            command = commands.recv() => match command {
                Some(Command::Stop) | None => {
                    notify::stopping();
                    return Ok(None);
                }
                // The one who writes fetches; whoever asked here gets what is there.
                Some(Command::Unknown(id, answer)) => {
                    show(config, fleet, &[id]).await;
                    let _ = answer.send(());
                }
                Some(Command::Refresh(_, answer)) => {
                    let _ = answer.send(Refresh::StandingBy);
                }
                Some(Command::Reload) => {}
            },
        }
    }
}

/// Takes what is in the directory into the fleet.
pub(super) async fn show(config: &Config, fleet: &Fleet, merchants: &[MerchantId]) {
    for id in merchants {
        let (directory, merchant) = (config.directory.clone(), id.clone());
        let read = move || {
            let release = Release::read(&directory, &merchant).map(|release| InForce::of(&release));
            (release, MerchantKeyStatus::read(&directory, &merchant))
        };
        let Ok((release, status)) = crate::blocking::run(read).await else { continue };
        match release {
            Ok(release) => fleet.set_in_force(id, release),
            Err(error) => tracing::debug!(%error, "nothing to begin with"),
        }
        if let Ok(Some(status)) = status {
            fleet.set_status(status);
        }
    }
}
