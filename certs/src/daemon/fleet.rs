//! What is known of all merchants, shared by scheduler, hooks and HTTP.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use favor_core::{Clock, MerchantId, MerchantKeyStatus, Release};
use tokio::sync::watch;

use super::in_force::InForce;
use crate::config::HookConfig;

/// One merchant, as far as anybody but the scheduler needs to know.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) release: Option<Arc<InForce>>,
    pub(super) status: MerchantKeyStatus,
    /// How often an unknown serial was told of.
    pub(super) unknown_serials: u64,
}

#[derive(Debug, Default)]
struct Inner {
    merchants: BTreeMap<MerchantId, Known>,
    hooks: Vec<HookConfig>,
    fetches: BTreeMap<String, u64>,
    hook_runs: BTreeMap<(String, &'static str), u64>,
    hooks_pending: BTreeMap<(String, MerchantId), DateTime<Utc>>,
    config_error: Option<String>,
    writes: bool,
}

/// All merchants.
#[derive(Debug)]
pub(super) struct Fleet {
    inner: Mutex<Inner>,
    /// Counts changes of releases and hooks, for those who wait for one.
    changes: watch::Sender<u64>,
    clock: Arc<dyn Clock>,
    max_age: Duration,
}

impl Fleet {
    pub(super) fn new(clock: Arc<dyn Clock>, max_age: Duration) -> Self {
        Self { inner: Mutex::default(), changes: watch::Sender::new(0), clock, max_age }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// Sets which merchants and hooks there are. Those known already keep what is known of them.
    pub(super) fn set(&self, merchants: &[MerchantId], hooks: &[HookConfig]) {
        let mut inner = self.lock();
        inner.merchants.retain(|id, _| merchants.contains(id));
        inner
            .hooks_pending
            .retain(|(name, id), _| merchants.contains(id) && hooks.iter().any(|h| h.name == *name));
        for id in merchants {
            let fresh =
                || Known { release: None, status: MerchantKeyStatus::new(id.clone()), unknown_serials: 0 };
            inner.merchants.entry(id.clone()).or_insert_with(fresh);
        }
        inner.hooks = hooks.to_vec();
        drop(inner);
        self.changed();
    }

    pub(super) fn hooks(&self) -> Vec<HookConfig> {
        self.lock().hooks.clone()
    }

    pub(super) fn set_release(&self, id: &MerchantId, release: &Release) {
        self.set_in_force(id, InForce::of(release));
    }

    pub(super) fn set_in_force(&self, id: &MerchantId, release: InForce) {
        let mut inner = self.lock();
        let Some(known) = inner.merchants.get_mut(id) else { return };
        let held = known.release.as_ref().map(|held| held.generation());
        if held == Some(release.generation()) {
            return;
        }
        known.release = Some(Arc::new(release));
        drop(inner);
        self.changed();
    }

    pub(super) fn set_status(&self, status: MerchantKeyStatus) {
        if let Some(known) = self.lock().merchants.get_mut(&status.mchid) {
            known.status = status;
        }
    }

    pub(super) fn status(&self, id: &MerchantId) -> MerchantKeyStatus {
        let status = self.lock().merchants.get(id).map(|known| known.status.clone());
        status.unwrap_or_else(|| MerchantKeyStatus::new(id.clone()))
    }

    pub(super) fn release(&self, id: &MerchantId) -> Option<Arc<InForce>> {
        self.lock().merchants.get(id)?.release.clone()
    }

    /// All releases in force.
    pub(super) fn releases(&self) -> Vec<(MerchantId, Arc<InForce>)> {
        let inner = self.lock();
        let all = inner.merchants.iter().filter_map(|(id, known)| Some((id.clone(), known.release.clone()?)));
        all.collect()
    }

    pub(super) fn count_fetch(&self, result: &str) {
        *self.lock().fetches.entry(result.to_owned()).or_default() += 1;
    }

    pub(super) fn count_unknown_serial(&self, id: &MerchantId) {
        if let Some(known) = self.lock().merchants.get_mut(id) {
            known.unknown_serials += 1;
        }
    }

    pub(super) fn count_hook(&self, name: &str, result: &'static str) {
        *self.lock().hook_runs.entry((name.to_owned(), result)).or_default() += 1;
    }

    /// Notes that a hook waits, since when, or that it does no more.
    pub(super) fn set_hook_pending(&self, name: &str, id: &MerchantId, pending: bool) {
        let now = self.clock.now();
        let key = (name.to_owned(), id.clone());
        let mut inner = self.lock();
        if pending {
            inner.hooks_pending.entry(key).or_insert(now);
        } else {
            inner.hooks_pending.remove(&key);
        }
    }

    pub(super) fn set_config_error(&self, error: Option<String>) {
        self.lock().config_error = error;
    }

    pub(super) fn set_writes(&self, writes: bool) {
        self.lock().writes = writes;
    }

    /// Looks at everything at once.
    pub(super) fn view<T>(&self, look: impl FnOnce(&View<'_>) -> T) -> T {
        let inner = self.lock();
        look(&View {
            merchants: &inner.merchants,
            fetches: &inner.fetches,
            hook_runs: &inner.hook_runs,
            hooks_pending: &inner.hooks_pending,
            config_error: inner.config_error.as_deref(),
            writes: inner.writes,
        })
    }

    /// Merchants without a key that is valid now, or without a success within the time allowed, and why.
    pub(super) fn not_ready(&self) -> Vec<(MerchantId, String)> {
        let now = self.clock.now();
        let oldest = TimeDelta::from_std(self.max_age).ok().and_then(|age| now.checked_sub_signed(age));
        let inner = self.lock();
        let reason = |known: &Known| {
            let failure = known.status.failure.as_ref().map(|failure| format!(": {}", failure.message));
            let why = failure.unwrap_or_default();
            if !known.release.as_ref().is_some_and(|release| release.has_valid_key(now)) {
                return Some(format!("no valid key{why}"));
            }
            let recent =
                known.status.last_success.is_some_and(|last| oldest.is_none_or(|oldest| last >= oldest));
            (!recent).then(|| format!("no successful check in time{why}"))
        };
        inner.merchants.iter().filter_map(|(id, known)| Some((id.clone(), reason(known)?))).collect()
    }

    /// How many merchants there are, and how many of them fail.
    pub(super) fn counts(&self) -> (usize, usize) {
        let inner = self.lock();
        let failing = inner.merchants.values().filter(|known| known.status.failure.is_some()).count();
        (inner.merchants.len(), failing)
    }
}

/// Everything at one moment.
pub(super) struct View<'a> {
    pub(super) merchants: &'a BTreeMap<MerchantId, Known>,
    pub(super) fetches: &'a BTreeMap<String, u64>,
    pub(super) hook_runs: &'a BTreeMap<(String, &'static str), u64>,
    pub(super) hooks_pending: &'a BTreeMap<(String, MerchantId), DateTime<Utc>>,
    pub(super) config_error: Option<&'a str>,
    pub(super) writes: bool,
}
