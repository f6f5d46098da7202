//! A merchant with a client, a clock that stands still or jumps, and a scripted network.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use favor_core::{
    Client, ClientBuilder, Clock, Error, ErrorKind, ManualClock, MerchantId, MerchantSigner, Outcome,
    PlatformKeys, RetryPolicy,
};

use crate::platform::public_key_set;
use crate::script::{Play, Script};
use crate::test_keys::MERCHANT_KEY;

/// When every test begins: 2025-06-15T15:06:40Z.
pub(crate) const START: i64 = 1_750_000_000;
pub(crate) const MERCHANT_ID: &str = "1900000109";
pub(crate) const MERCHANT_SERIAL: &str = "0C4A5F7700000000000000000000000000000001";
/// Where the scripted platform is.
pub(crate) const HOST: &str = "https://api.test";
pub(crate) const BACKUP: &str = "https://api2.test";

pub(crate) fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(START, 0).unwrap()
}

pub(crate) fn signer() -> MerchantSigner {
    let merchant_id = MerchantId::new(MERCHANT_ID).unwrap();
    MerchantSigner::new(merchant_id, MERCHANT_SERIAL, MERCHANT_KEY.clone()).unwrap()
}

pub(crate) struct World {
    retry: RetryPolicy,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) script: Script,
}

impl World {
    /// The clock jumps over every pause.
    pub(crate) fn jumping() -> Self {
        Self::with(ManualClock::jumping(start()), RetryPolicy::DEFAULT)
    }

    /// The clock stands until it is moved. A call then makes one attempt unless a test says otherwise: the pause
    /// before a second one would never end.
    pub(crate) fn standing() -> Self {
        Self::with(ManualClock::new(start()), RetryPolicy::NONE)
    }

    /// A jumping clock and these answers.
    pub(crate) fn playing(plays: impl IntoIterator<Item = Play>) -> Self {
        let world = Self::jumping();
        world.script.play(plays);
        world
    }

    fn with(clock: ManualClock, retry: RetryPolicy) -> Self {
        let clock = Arc::new(clock);
        let script = Script::new(clock.clone());
        Self { retry, clock, script }
    }

    /// A client in public-key mode.
    pub(crate) fn client(&self) -> Client {
        self.builder().build().unwrap()
    }

    pub(crate) fn builder(&self) -> ClientBuilder {
        self.builder_with(PlatformKeys::fixed(public_key_set()))
    }

    pub(crate) fn builder_with(&self, keys: PlatformKeys) -> ClientBuilder {
        Client::builder(signer(), keys)
            .base_url(HOST)
            .transport(self.script.clone())
            .clock(self.clock.clone())
            .retry(self.retry)
    }

    /// How far the clock has moved.
    pub(crate) fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }
}

/// Lets every task that can run do so, on a runtime of one thread.
pub(crate) async fn settle() {
    for _ in 0..64 {
        tokio::task::yield_now().await;
    }
}

/// An error with its causes, as a report shows it.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(" < ")
}

/// Asserts everything a caller decides on or reads.
#[track_caller]
pub(crate) fn assert_error(error: &Error, kind: ErrorKind, outcome: Outcome, text: &str) {
    assert_eq!((error.kind(), error.outcome()), (kind, outcome), "{error:?}");
    assert_eq!(chain(error), text);
}
