//! The week in which notifications move from certificates to the public key.

use aws_lc_rs::digest::{Context, SHA256};

use crate::moment::Moment;

const DAY: i64 = 24 * 60 * 60 * 1_000;
/// Of ten thousand deliveries, how many the public key signs on each day of the week; afterwards all of them.
const SHARES: [u64; 7] = [10, 100, 500, 1_000, 2_000, 5_000, WHOLE];
const WHOLE: u64 = 10_000;

/// Whether the public key signs this delivery. The same notification and attempt always get the same answer on the
/// same day, so a run can be repeated.
pub(super) fn is_moved(since: Moment, now: Moment, notification_id: &str, attempt: u32) -> bool {
    let share = match usize::try_from((now.millis() - since.millis()).div_euclid(DAY)) {
        Ok(day) => SHARES.get(day).copied().unwrap_or(WHOLE),
        // The clock was set back to before the week.
        Err(_) => 0,
    };
    lot(notification_id, attempt) < share
}

/// A number below [`WHOLE`].
fn lot(notification_id: &str, attempt: u32) -> u64 {
    let mut context = Context::new(&SHA256);
    context.update(notification_id.as_bytes());
    context.update(&attempt.to_be_bytes());
    let bytes = context.finish().as_ref().first_chunk::<8>().copied().unwrap_or_default();
    u64::from_be_bytes(bytes) % WHOLE
}

#[cfg(test)]
mod tests {
    use super::*;

    const SINCE: Moment = Moment::from_millis_const(1_790_000_000_000);

    fn moved(now: Moment) -> usize {
        (0..20_000).filter(|n| is_moved(SINCE, now, &format!("EV-{n}"), 1)).count()
    }

    #[test]
    fn the_share_grows_by_the_day() {
        for (day, share) in [(0, 10), (1, 100), (2, 500), (3, 1_000), (4, 2_000), (5, 5_000), (6, 10_000)] {
            let expected = 20_000 * share / 10_000;
            let first = moved(SINCE.plus_days(day));
            assert!(first.abs_diff(expected) <= expected / 20 + 12, "day {day}: {first}");
            assert_eq!(moved(SINCE.plus_days(day + 1).plus_millis(-1)), first, "day {day}");
        }
        assert_eq!(moved(SINCE.plus_days(100)), 20_000);
        assert_eq!(moved(SINCE.plus_millis(-1)), 0);
    }

    #[test]
    fn who_moved_stays_moved_and_each_attempt_draws_anew() {
        let (fifth, sixth) = (SINCE.plus_days(4), SINCE.plus_days(5));
        let ids: Vec<_> = (0..2_000).map(|n| format!("EV-{n}")).collect();
        assert!(
            ids.iter().all(|id| !is_moved(SINCE, fifth, id, 1) || is_moved(SINCE, sixth, id, 1)),
            "the share only grows"
        );
        assert!(ids.iter().any(|id| is_moved(SINCE, sixth, id, 1) != is_moved(SINCE, sixth, id, 2)));
    }
}
