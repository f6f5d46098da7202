//! What systemd is told, where it started the daemon.

use std::time::Duration;

use sd_notify::NotifyState;

fn tell(states: &[NotifyState<'_>]) {
    // Without systemd there is nobody to tell, which is fine.
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "systemd could not be told");
    }
}

/// Everything was checked once.
pub(super) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The scheduler goes round.
pub(super) fn alive() {
    tell(&[NotifyState::Watchdog]);
}

pub(super) fn status(text: &str) {
    tell(&[NotifyState::Status(text)]);
}

pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// How often the watchdog must hear from the scheduler, at least.
pub(super) fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|limit| limit / 2)
}
