//! The limit that many workers share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use favor_campaign::{Ledger, LimitKey, Reservation};
use favor_core::MerchantId;
use futures_util::future::{join_all, try_join_all};

use super::place::{admin, connect_with, database};

const RATE: u32 = 500;
/// A twentieth of a second's calls, as a runner reserves them.
const BLOCK: u32 = 25;
const SPACING: Duration = Duration::from_millis(2);

pub(super) fn limit() -> LimitKey {
    LimitKey { merchant_id: MerchantId::new("1900000001").unwrap(), api: "coupon.send".to_owned() }
}

/// Has the database write down until when each reservation goes.
const WATCH: &str = "
    CREATE TABLE granted (until timestamptz NOT NULL, at timestamptz NOT NULL);
    CREATE FUNCTION note_grant() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO granted VALUES (NEW.next_at, clock_timestamp()); RETURN NULL;
    END $$;
    CREATE TRIGGER note_grant AFTER UPDATE OF next_at ON favor_limits FOR EACH ROW EXECUTE FUNCTION note_grant()";

/// Reserves one block after the other, each while half of the one before is left, as a runner does.
async fn worker(ledger: Arc<dyn Ledger>, blocks: Arc<AtomicU32>) -> Vec<Reservation> {
    let mut reserved = Vec::new();
    while blocks.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
        let one = ledger.reserve(&limit(), BLOCK).await.unwrap();
        tokio::time::sleep(one.first_in + one.spacing * one.calls / 2).await;
        reserved.push(one);
    }
    reserved
}

/// The most of these moments, in microseconds and in order, that lie within one second.
fn most_in_a_second(moments: &[i64]) -> usize {
    let mut first = 0;
    let windows = moments.iter().enumerate().map(|(last, moment)| {
        while moments[first] <= moment - 1_000_000 {
            first += 1;
        }
        last - first + 1
    });
    windows.max().unwrap_or(0)
}

async fn the_limit_is_kept_by(workers: usize) {
    // Two seconds' worth, over connections of several processes.
    const BLOCKS: u32 = 40;
    let address = database().await;
    let admin = admin(&address).await;
    let ledgers = join_all((0..workers.min(4)).map(|_| connect_with(&address, 4))).await;
    ledgers[0].set_rate(&limit(), RATE).await.unwrap();
    admin.batch_execute(WATCH).await.unwrap();
    let blocks = Arc::new(AtomicU32::new(BLOCKS));
    let tasks = (0..workers).map(|number| {
        let ledger: Arc<dyn Ledger> = Arc::clone(&ledgers[number % ledgers.len()]) as Arc<dyn Ledger>;
        tokio::spawn(worker(ledger, Arc::clone(&blocks)))
    });
    let reserved: Vec<Reservation> = try_join_all(tasks).await.unwrap().concat();
    assert_eq!(u32::try_from(reserved.len()), Ok(BLOCKS));
    assert!(reserved.iter().all(|one| (one.calls, one.spacing) == (BLOCK, SPACING)), "{reserved:?}");
    // By the database's clock alone: how busy this machine is makes no difference.
    let sql =
        "SELECT (extract(epoch FROM until) * 1000000)::bigint, (extract(epoch FROM at) * 1000000)::bigint
        FROM granted ORDER BY until";
    let rows = admin.query(sql, &[]).await.unwrap();
    assert_eq!(u32::try_from(rows.len()), Ok(BLOCKS));
    let (spacing, block) = (2_000, i64::from(BLOCK) * 2_000);
    let mut slots = Vec::new();
    for row in &rows {
        let (until, at): (i64, i64) = (row.get(0), row.get(1));
        let first = until - block;
        assert!(slots.last().is_none_or(|last| *last + spacing <= first), "two reservations overlap");
        // A worker is told to wait for what lies ahead, and nothing lies further ahead than all workers reserve.
        let most_ahead = i64::try_from(workers).unwrap() * block;
        assert!(first - at <= most_ahead, "{} µs ahead", first - at);
        slots.extend((0..i64::from(BLOCK)).map(|number| first + number * spacing));
    }
    assert!(most_in_a_second(&slots) <= usize::try_from(RATE).unwrap());
    // What is told in spans is what the database means by moments.
    let longest = reserved.iter().map(|one| one.first_in).max().unwrap();
    assert!(longest <= SPACING * BLOCK * u32::try_from(workers).unwrap(), "{longest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_is_kept_by_one_worker() {
    the_limit_is_kept_by(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_is_kept_by_four_workers() {
    the_limit_is_kept_by(4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_is_kept_by_sixteen_workers() {
    the_limit_is_kept_by(16).await;
}
