//! Telling others of new releases, until they have heard.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use favor_core::{Clock, MerchantId};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::fleet::Fleet;
use super::in_force::InForce;
use super::sleep::sleep_until;
use crate::config::HookConfig;
use crate::directory::KeyDirectory;

/// The pause after a failed run: the first one and the longest one.
const PAUSES: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(600));
const MOST_RUNNING: usize = 8;
/// How often windows are looked at.
const TICK: Duration = Duration::from_secs(30);
/// So long before a key in use ends, no window counts.
const LAST_HOURS: i64 = 6;

#[derive(Debug, Default)]
struct Progress {
    /// The generation it has heard of; none before that was looked up.
    done: Option<u64>,
    failures: u32,
    not_before: Duration,
    running: bool,
}

struct Ended {
    hook: String,
    id: MerchantId,
    generation: u64,
    result: Result<(), String>,
}

/// Runs until the daemon stops. What has not been heard then is told after the next start.
pub(super) async fn run(
    directory: KeyDirectory,
    fleet: Arc<Fleet>,
    clock: Arc<dyn Clock>,
    mut stopped: watch::Receiver<bool>,
) {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build();
    let client = match client {
        Ok(client) => client,
        Err(error) => {
            tracing::error!(%error, "hooks cannot be run");
            return;
        }
    };
    let mut hooks =
        Hooks { directory, fleet, clock, client, progress: BTreeMap::new(), running: JoinSet::new() };
    let mut changes = hooks.fleet.changes();
    loop {
        changes.borrow_and_update();
        let until = hooks.start_due();
        let clock = hooks.clock.clone();
        let ended = tokio::select! {
            () = sleep_until(&*clock, until) => None,
            changed = changes.changed() => if changed.is_err() { break } else { None },
            Some(ended) = hooks.running.join_next(), if !hooks.running.is_empty() => ended.ok(),
            () = until_set(&mut stopped) => break,
        };
        if let Some(ended) = ended {
            hooks.end(ended).await;
        }
    }
}

async fn until_set(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

struct Hooks {
    directory: KeyDirectory,
    fleet: Arc<Fleet>,
    clock: Arc<dyn Clock>,
    client: reqwest::Client,
    progress: BTreeMap<(String, MerchantId), Progress>,
    running: JoinSet<Ended>,
}

impl Hooks {
    /// Starts what is due, and says when to look again.
    fn start_due(&mut self) -> Duration {
        let (now, elapsed) = (self.clock.now(), self.clock.elapsed());
        let mut until = elapsed + TICK;
        let releases = self.fleet.releases();
        for hook in self.fleet.hooks() {
            for (id, release) in &releases {
                if !hook.mchids.is_empty() && !hook.mchids.contains(id) {
                    continue;
                }
                let progress = self.progress.entry((hook.name.clone(), id.clone())).or_default();
                let done = match progress.done {
                    Some(done) => done,
                    None => {
                        let done = self.directory.hook_done(&hook.name, id);
                        *progress.done.insert(done)
                    }
                };
                let pending = done < release.generation();
                self.fleet.set_hook_pending(&hook.name, id, pending);
                if !pending
                    || progress.running
                    || self.running.len() >= MOST_RUNNING
                    || !may_run(&hook, release, now)
                {
                    continue;
                }
                if progress.not_before > elapsed {
                    until = until.min(progress.not_before);
                    continue;
                }
                progress.running = true;
                let (hook, id, release, client) =
                    (hook.clone(), id.clone(), release.clone(), self.client.clone());
                self.running.spawn(async move {
                    let result = tell(&hook, &id, &release, &client).await;
                    Ended { hook: hook.name, id, generation: release.generation(), result }
                });
            }
        }
        until
    }

    async fn end(&mut self, ended: Ended) {
        let Ended { hook, id, generation, mut result } = ended;
        if result.is_ok() {
            let (directory, name, id) = (self.directory.clone(), hook.clone(), id.clone());
            let noted = crate::blocking::run(move || directory.set_hook_done(&name, &id, generation)).await;
            if let Ok(Err(error)) = noted {
                result = Err(format!("it ran, and that cannot be noted: {}", crate::check::report(&error)));
            }
        }
        let counted = if result.is_ok() { "ok" } else { "failed" };
        let progress = self.progress.entry((hook.clone(), id.clone())).or_default();
        progress.running = false;
        match result {
            Ok(()) => {
                progress.done = Some(generation);
                progress.failures = 0;
                progress.not_before = Duration::ZERO;
            }
            Err(why) => {
                let doubled = 2_u32.saturating_pow(progress.failures);
                progress.failures = progress.failures.saturating_add(1);
                let pause = PAUSES.0.saturating_mul(doubled).min(PAUSES.1);
                progress.not_before = self.clock.elapsed() + pause;
                tracing::warn!(
                    hook,
                    mchid = id.as_str(),
                    generation,
                    "a hook failed and is run again: {why}"
                );
            }
        }
        self.fleet.count_hook(&hook, counted);
    }
}

/// Whether the time is right: inside a window, or so late that no window counts.
fn may_run(hook: &HookConfig, release: &InForce, now: DateTime<Utc>) -> bool {
    if hook.windows.is_empty() {
        return true;
    }
    let last_hours = TimeDelta::hours(LAST_HOURS);
    let ends_soon = release.ends_by(now + last_hours);
    let Some(beijing) = FixedOffset::east_opt(8 * 3600) else { return true };
    let time = now.with_timezone(&beijing).time();
    ends_soon || hook.windows.iter().any(|window| window.contains(time))
}

async fn tell(
    hook: &HookConfig,
    id: &MerchantId,
    release: &InForce,
    client: &reqwest::Client,
) -> Result<(), String> {
    let told = async {
        match (&hook.exec, &hook.url) {
            (Some(argv), _) => run_program(argv, id, release).await,
            (None, Some(url)) => post(url, id, release, client).await,
            (None, None) => Ok(()),
        }
    };
    let timeout = hook.timeout;
    let ended = tokio::time::timeout(timeout, told).await;
    ended.unwrap_or_else(|_| Err(format!("no end within {} s", timeout.as_secs())))
}

async fn run_program(argv: &[String], id: &MerchantId, release: &InForce) -> Result<(), String> {
    let Some((program, arguments)) = argv.split_first() else { return Ok(()) };
    let ended = tokio::process::Command::new(program)
        .args(arguments)
        .env("FAVOR_MCHID", id.as_str())
        .env("FAVOR_GENERATION", release.generation().to_string())
        .env("FAVOR_RELEASE", release.folder())
        // What systemd gave the daemon is not for its children: they would speak, and be waited for, in its name.
        .env_remove("NOTIFY_SOCKET")
        .env_remove("WATCHDOG_USEC")
        .env_remove("WATCHDOG_PID")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .status()
        .await;
    match ended {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{program} ended with {status}")),
        Err(error) => Err(format!("{program} cannot be started: {error}")),
    }
}

async fn post(url: &str, id: &MerchantId, release: &InForce, client: &reqwest::Client) -> Result<(), String> {
    let body = serde_json::json!({
        "mchid": id.as_str(),
        "generation": release.generation(),
        "content": release.content(),
        "folder": release.folder(),
        "keys": release.keys().iter().map(|key| &*key.id).collect::<Vec<_>>(),
    });
    let sent =
        client.post(url).header("content-type", "application/json").body(body.to_string()).send().await;
    // An address may hold a password, so it stays out of messages.
    match sent {
        Ok(answer) if answer.status().is_success() => Ok(()),
        Ok(answer) => Err(format!("the address answered {}", answer.status())),
        Err(error) => Err(format!("the address cannot be reached: {}", error.without_url())),
    }
}
