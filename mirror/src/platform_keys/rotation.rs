//! New certificates: on command, or by themselves as the test clock goes.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::PlatformKeys;
use crate::clock::Times;
use crate::error::MirrorError;
use crate::moment::Moment;

/// Most certificates a schedule may have listed at once, about.
const MOST_LISTED: u64 = 8;
const LONGEST: u64 = 100 * 365 * 24 * 60 * 60;

/// How one rotation goes, by the test clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct KeyRotation {
    /// How long the new certificate is listed before it signs. Default: it signs at once.
    pub lead: Duration,
    /// How long the older ones stay listed once the new one signs. Default: for ever.
    pub overlap: Option<Duration>,
}

impl KeyRotation {
    /// The new certificate is listed for so long before it signs.
    #[must_use]
    pub fn lead(mut self, lead: Duration) -> Self {
        self.lead = lead;
        self
    }

    /// The older certificates leave the list so long after the new one began to sign.
    #[must_use]
    pub fn overlap(mut self, overlap: Duration) -> Self {
        self.overlap = Some(overlap);
        self
    }
}

/// Certificates that follow each other by themselves, by the test clock, in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RotationSchedule {
    /// How long each signs: a second to a hundred years.
    pub every: Duration,
    /// How long each is listed before it signs. Default: a quarter of `every`.
    pub lead: Duration,
    /// How long each stays listed after the next one began to sign. Default: a quarter of `every`.
    pub overlap: Duration,
}

impl RotationSchedule {
    /// A new certificate signs after each `every`.
    #[must_use]
    pub fn every(every: Duration) -> Self {
        Self { every, lead: every / 4, overlap: every / 4 }
    }

    /// Each is listed for so long before it signs.
    #[must_use]
    pub fn lead(mut self, lead: Duration) -> Self {
        self.lead = lead;
        self
    }

    /// Each stays listed for so long after the next one began to sign.
    #[must_use]
    pub fn overlap(mut self, overlap: Duration) -> Self {
        self.overlap = overlap;
        self
    }
}

/// A schedule in force. Milliseconds of the test clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rotation {
    pub(crate) every: i64,
    pub(crate) lead: i64,
    pub(crate) overlap: i64,
    /// When the next certificate, which does not exist yet, is to sign.
    pub(crate) next: i64,
}

impl Rotation {
    /// The first new certificate signs after one `every` from now.
    pub(crate) fn begin(schedule: RotationSchedule, now: Moment) -> Result<Self, MirrorError> {
        let refuse = |reason: String| Err(MirrorError::key(reason));
        let RotationSchedule { every, lead, overlap } = schedule;
        if every < Duration::from_secs(1) || every.as_secs() > LONGEST {
            return refuse(format!("keys rotate every second to every {LONGEST} seconds"));
        }
        let listed = lead.checked_add(overlap);
        if listed.is_none_or(|listed| listed.as_secs() / MOST_LISTED > every.as_secs()) {
            return refuse(format!("lead and overlap together are at most {MOST_LISTED} times the interval"));
        }
        let [every, lead, overlap] = [every, lead, overlap].map(millis);
        Ok(Self { every, lead, overlap, next: now.plus_millis(every).millis() })
    }

    /// When the next certificate is listed.
    pub(crate) fn due(self) -> Moment {
        Moment::from_millis(self.next.saturating_sub(self.lead))
    }

    /// Leaves out the certificates that have come and gone by now.
    fn skip(&mut self, now: Moment) {
        let past = now.millis().saturating_sub(self.overlap + self.every).saturating_sub(self.next);
        if past >= 0 {
            self.next = self.next.saturating_add((past / self.every + 1).saturating_mul(self.every));
        }
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl PlatformKeys {
    /// With a new certificate. Those that have left the list are forgotten. Slow: makes keys.
    pub(crate) fn rotated(&self, rotation: KeyRotation, now: Times) -> Result<Self, MirrorError> {
        let mut keys = self.clone();
        let signs_from = now.test.plus(rotation.lead);
        if let Some(overlap) = rotation.overlap {
            keys.end_listed(signs_from.plus(overlap));
        }
        keys.add(now, (!rotation.lead.is_zero()).then_some(signs_from))?;
        Ok(keys)
    }

    /// With the certificates that the schedule wants by now; `None` when none is due. Slow: makes keys.
    pub(crate) fn caught_up(&self, now: Times) -> Result<Option<Self>, MirrorError> {
        let Some(mut rotation) = self.rotation.filter(|rotation| rotation.due() <= now.test) else {
            return Ok(None);
        };
        let mut keys = self.clone();
        let mut first = true;
        // The end of the calendar ends the schedule.
        while rotation.due() <= now.test && Moment::from_millis(rotation.next).millis() == rotation.next {
            keys.end_listed(Moment::from_millis(rotation.next).plus_millis(rotation.overlap));
            if std::mem::take(&mut first) {
                rotation.skip(now.test);
                if rotation.due() > now.test {
                    break;
                }
            }
            keys.add(now, Some(Moment::from_millis(rotation.next)))?;
            rotation.next = rotation.next.saturating_add(rotation.every);
        }
        keys.rotation = Some(rotation);
        Ok(Some(keys))
    }

    /// Moves everything that goes by the test clock, as when that starts over.
    pub(crate) fn shifted(&self, millis: i64) -> Self {
        let mut keys = self.clone();
        let shift = |moment: &mut Option<Moment>| *moment = moment.map(|moment| moment.plus_millis(millis));
        for known in &mut keys.certificates {
            shift(&mut known.signs_from);
            shift(&mut known.listed_until);
        }
        shift(&mut keys.migration.grey_since);
        if let Some(rotation) = &mut keys.rotation {
            rotation.next = rotation.next.saturating_add(millis);
        }
        keys
    }

    /// Certificates listed for ever are from now on listed until then.
    fn end_listed(&mut self, until: Moment) {
        for known in &mut self.certificates {
            known.listed_until.get_or_insert(until);
        }
    }

    fn add(&mut self, now: Times, signs_from: Option<Moment>) -> Result<(), MirrorError> {
        let mut next = self.next_certificate(now.wire)?;
        next.signs_from = signs_from;
        self.certificates.retain(|known| known.is_listed(now.test));
        self.certificates.push(next);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform_keys::PublicKeyPhase;

    const NOW: Moment = Moment::from_millis_const(1_790_000_000_000);
    const HOUR: Duration = Duration::from_secs(3_600);

    fn at(seconds: i64) -> Times {
        Times { test: NOW.plus_millis(seconds * 1_000), wire: NOW }
    }

    fn keys() -> PlatformKeys {
        PlatformKeys::new(PublicKeyPhase::Off, at(0)).unwrap()
    }

    fn listed(keys: &PlatformKeys, seconds: i64) -> Vec<u32> {
        keys.served(at(seconds)).map(|known| known.position).collect()
    }

    fn signs(keys: &PlatformKeys, seconds: i64) -> u32 {
        let serial = keys.signer(None, false, at(seconds).test).serial;
        keys.certificates.iter().find(|known| known.serial_no == serial).unwrap().position
    }

    #[test]
    fn a_rotation_has_a_lead_and_an_overlap() {
        let rotation = KeyRotation::default().lead(HOUR).overlap(2 * HOUR);
        let keys = keys().rotated(rotation, at(0)).unwrap();
        for (seconds, signer, list) in [
            (0, 0, vec![0, 1]),
            (3_599, 0, vec![0, 1]),
            (3_600, 1, vec![0, 1]),
            (10_799, 1, vec![0, 1]),
            (10_800, 1, vec![1]),
        ] {
            assert_eq!((signs(&keys, seconds), listed(&keys, seconds)), (signer, list), "{seconds}");
        }
    }

    fn scheduled() -> PlatformKeys {
        let schedule = RotationSchedule::every(100 * HOUR).lead(10 * HOUR).overlap(20 * HOUR);
        PlatformKeys { rotation: Some(Rotation::begin(schedule, NOW).unwrap()), ..keys() }
    }

    #[test]
    fn a_schedule_lists_signs_and_ends() {
        let mut keys = scheduled();
        let hour = 3_600;
        for (time, signer, list) in [
            (0, 0, vec![0]),
            (90 * hour - 1, 0, vec![0]),
            (90 * hour, 0, vec![0, 1]),
            (100 * hour, 1, vec![0, 1]),
            (120 * hour - 1, 1, vec![0, 1]),
            (120 * hour, 1, vec![1]),
            (190 * hour, 1, vec![1, 2]),
            (200 * hour, 2, vec![1, 2]),
        ] {
            keys = keys.caught_up(at(time)).unwrap().unwrap_or(keys);
            assert_eq!((signs(&keys, time), listed(&keys, time)), (signer, list), "{time}");
        }
    }

    #[test]
    fn a_long_jump_makes_only_what_is_still_listed() {
        let hour = 3_600;
        // After 1,000 rotations, ten hours into the next one's time.
        let time = 100_010 * hour;
        let keys = scheduled().caught_up(at(time)).unwrap().unwrap();
        assert_eq!(listed(&keys, time).len(), 2);
        assert_eq!(keys.certificates.last().unwrap().signs_from, Some(at(100_000 * hour).test));
        assert_eq!(keys.rotation.unwrap().due(), at(100_090 * hour).test);
        assert!(keys.caught_up(at(time)).unwrap().is_none());
        // A key comes back, its serial does not.
        let serials: Vec<_> = keys.certificates.iter().map(|known| &known.serial_no).collect();
        assert_ne!(serials[0], serials[1]);
        assert!(keys.certificates.iter().all(|known| known.validity.not_before < NOW));
    }

    #[test]
    fn a_schedule_has_limits() {
        let begin = |schedule| Rotation::begin(schedule, NOW);
        assert!(begin(RotationSchedule::every(Duration::from_millis(999))).is_err());
        assert!(begin(RotationSchedule::every(Duration::MAX)).is_err());
        assert!(begin(RotationSchedule::every(HOUR).lead(9 * HOUR)).is_err());
        assert!(begin(RotationSchedule::every(HOUR).lead(Duration::MAX)).is_err());
        assert!(begin(RotationSchedule::every(HOUR).lead(4 * HOUR).overlap(4 * HOUR)).is_ok());
    }

    #[test]
    fn the_end_of_the_calendar_is_no_trap() {
        let mut keys = scheduled();
        let end = Times { test: Moment::from_millis(i64::MAX), wire: NOW };
        keys = keys.caught_up(end).unwrap().unwrap();
        assert!(keys.caught_up(end).unwrap().is_none_or(|again| again.certificates.len() < 20));
    }

    #[test]
    fn shifting_keeps_what_is_seen() {
        let rotation = KeyRotation::default().lead(HOUR).overlap(HOUR);
        let keys = keys().rotated(rotation, at(0)).unwrap().shifted(-1_000_000);
        assert_eq!((signs(&keys, 2_599), signs(&keys, 2_600)), (0, 1));
        assert_eq!((listed(&keys, 6_199), listed(&keys, 6_200)), (vec![0, 1], vec![1]));
    }
}
