//! From the choices to a mirror that listens.

use super::MirrorBuilder;
use crate::clock::{ClockMode, Clocks};
use crate::control::clock::check_rate;
use crate::error::MirrorError;
use crate::fault::{self, FaultPlan};
use crate::ledger::{self, Ledger};
use crate::mirror::Mirror;
use crate::notify::Notifier;
use crate::rate::RateLimits;
use crate::request_log::RequestLog;
use crate::state::{Settings, State};
use crate::tls::Tls;

impl MirrorBuilder {
    /// Starts the mirror on the current tokio runtime.
    ///
    /// # Errors
    ///
    /// When the address cannot be bound, the data file cannot be used, or a merchant seed, the seed file, a fault
    /// rule, a rate, a rotation or a root certificate is not usable.
    pub async fn start(self) -> Result<Mirror, MirrorError> {
        let faults = self.first_faults()?;
        check_rate(self.clock_rate)?;
        let standing = self.clock_at.or(self.running_from.filter(|_| self.frozen));
        let first_clock = match (standing, self.running_from) {
            (Some(time), _) => ClockMode::frozen(time.into()),
            (None, Some(time)) => ClockMode::real().set(time.into()),
            (None, None) => ClockMode::real(),
        };
        let first_clock =
            if self.clock_rate == 1 { first_clock } else { first_clock.at_rate(self.clock_rate) };
        let first_clock = if self.frozen { first_clock.freeze() } else { first_clock };
        let seed = self.seed.clone().transpose()?;
        let data = self.data.clone();
        let ledger = tokio::task::spawn_blocking(move || Ledger::open(data.as_deref()))
            .await
            .map_err(|_| MirrorError::Stopped)??;
        let builder = self.clone();
        let of_builder = seed.clone();
        let stored = ledger
            .write(move |db| {
                ledger::all_or_nothing(db, |db| builder.load(db, first_clock, of_builder.as_deref()))
            })
            .await;
        let stored = match stored.map_err(MirrorError::from).flatten() {
            Ok(stored) => stored,
            Err(error) => {
                ledger.close().await;
                return Err(error);
            }
        };
        for note in &stored.notes {
            tracing::warn!("{note}");
        }
        let settings = Settings {
            start_delay: self.start_delay,
            monthly_cap: self.monthly_cap,
            keep_alive: self.keep_alive,
            first_clock,
            open_control: self.open_control,
            request_timeout: self.request_timeout,
            readings: self.readings,
            id_seed: stored.id_seed,
            seed,
            seed_notes: stored.notes,
        };
        let mut state = State::new(
            settings,
            Notifier::new(self.notify)?,
            ledger,
            Clocks::new(stored.clock, self.wire_follows),
            RequestLog::new(self.request_log),
            RateLimits::new(self.rate_limits),
            stored.platform,
            stored.merchants,
        );
        state.faults = faults;
        Mirror::listen(state, Tls::new(stored.authority, self.handshake), self.listen).await
    }

    fn first_faults(&self) -> Result<FaultPlan, MirrorError> {
        let mut rules = self.faults.clone();
        for file in &self.fault_files {
            rules.extend(fault::read_file(file)?);
        }
        FaultPlan::starting_with(rules)
    }
}
