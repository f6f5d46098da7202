//! What only a database has that many workers share.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use favor_campaign::{
    Books, CampaignId, Claim, Claimed, Fate, Finish, Ledger, OutcomeState, PostgresLedger, Recorded, Reopen,
};
use favor_store::postgres::tokio_postgres::Client;
use futures_util::future::{join_all, try_join_all};

use super::place::{
    LEASE, admin, all_sent, claim, connect, connect_with, database, lapse, number, running, sent, settled,
    until, worker,
};

/// Waits until so many statements of ledgers wait for a lock.
async fn waiting(admin: &Client, count: i64) {
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    until(async || number(admin, sql).await == count).await;
}

/// What the tallies must be, by the rows.
const COUNTED: &str = "SELECT count(*) FROM (
    SELECT state, CASE WHEN state = 'sent' THEN '' ELSE coalesce(code, '') END AS code, count(*) AS count
    FROM favor_outcomes WHERE state <> 'open' GROUP BY 1, 2
) AS counted FULL JOIN (SELECT * FROM favor_tallies WHERE count <> 0) AS t USING (state, code, count)
WHERE t.campaign IS NULL OR counted.count IS NULL";

async fn tallies_agree(admin: &Client) {
    assert_eq!(number(admin, COUNTED).await, 0, "the tallies differ from the rows");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_chunk_is_claimed_by_two() {
    const CHUNKS: usize = 300;
    let address = database().await;
    let ledgers = join_all((0..4).map(|_| connect(&address))).await;
    let campaign = running(&ledgers[0], "many", 600, 2).await;
    let tasks = (0..16).map(|number| {
        let ledger = Arc::clone(&ledgers[number as usize % 4]);
        tokio::spawn(async move {
            let mut claims = Vec::new();
            while let Claimed::Chunk(claim) = ledger.claim(campaign, &worker(number), LEASE).await.unwrap() {
                claims.push(claim);
            }
            claims
        })
    });
    let claims: Vec<Claim> = join_all(tasks).await.into_iter().flat_map(Result::unwrap).collect();
    let mut by_chunk = BTreeMap::new();
    for claim in claims {
        assert_eq!((claim.lease.fence, claim.tasks.len()), (1, 2));
        assert!(by_chunk.insert(claim.lease.chunk, claim).is_none(), "a chunk went to two");
    }
    assert_eq!(by_chunk.len(), CHUNKS);
    let owners = number(&admin(&address).await, "SELECT count(DISTINCT owner) FROM favor_chunks").await;
    assert_eq!(i64::try_from(ledgers[0].standing(campaign).await.unwrap().workers), Ok(owners));
}

#[tokio::test]
async fn a_claim_passes_over_what_somebody_holds_up() {
    let address = database().await;
    let ledger = connect(&address).await;
    let campaign = running(&ledger, "held", 2, 1).await;
    let mut frozen = admin(&address).await;
    let held = frozen.transaction().await.unwrap();
    held.execute("SELECT FROM favor_chunks WHERE chunk = 0 FOR UPDATE", &[]).await.unwrap();
    assert_eq!(claim(&*ledger, campaign, 1, LEASE).await.lease.chunk, 1);
    let Claimed::Later { next: Some(next) } = ledger.claim(campaign, &worker(1), LEASE).await.unwrap() else {
        panic!("chunk 0 is due and cannot be had")
    };
    assert!(next > Duration::ZERO && next < Duration::from_secs(1), "{next:?}");
    held.rollback().await.unwrap();
    assert_eq!(claim(&*ledger, campaign, 1, LEASE).await.lease.chunk, 0);
}

#[tokio::test]
async fn a_zombie_records_nothing() {
    let address = database().await;
    let (ledger, other) = (connect(&address).await, connect(&address).await);
    let campaign = running(&ledger, "zombie", 10, 10).await;
    let admin = admin(&address).await;
    let zombie = claim(&*ledger, campaign, 1, LEASE).await;
    ledger.record(&zombie.lease, &all_sent(&zombie.tasks[..3]), LEASE).await.unwrap();
    lapse(&admin, &zombie.lease).await;
    let heir = claim(&*other, campaign, 2, LEASE).await;
    assert_eq!((heir.lease.fence, heir.tasks.len()), (2, 7));
    let late = ledger.record(&zombie.lease, &all_sent(&zombie.tasks), Duration::ZERO).await.unwrap();
    assert_eq!(late, Recorded::Lost);
    for how in [Finish::Done, Finish::GiveBack { after: Duration::ZERO }] {
        assert_eq!(ledger.finish(&zombie.lease, how).await.unwrap(), Recorded::Lost);
    }
    assert_eq!(number(&admin, "SELECT count(*) FROM favor_outcomes").await, 3);
    // The heir's lease is untouched.
    assert!(matches!(ledger.claim(campaign, &worker(1), LEASE).await.unwrap(), Claimed::Later { .. }));
    assert_eq!(other.record(&heir.lease, &all_sent(&heir.tasks), LEASE).await.unwrap(), Recorded::Done);
    tallies_agree(&admin).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zombie_whose_record_waits_while_its_chunk_is_claimed_records_nothing() {
    let address = database().await;
    let ledger = connect(&address).await;
    let campaign = running(&ledger, "waits", 10, 10).await;
    let watch = admin(&address).await;
    let zombie = claim(&*ledger, campaign, 1, LEASE).await;
    // As a claim does it, but stopped in the middle.
    let mut claimer = admin(&address).await;
    let claiming = claimer.transaction().await.unwrap();
    claiming.execute("UPDATE favor_chunks SET fence = fence + 1, owner = 'other'", &[]).await.unwrap();
    let (late, finish) = (Arc::clone(&ledger), Arc::clone(&ledger));
    let lease = zombie.lease.clone();
    let late = tokio::spawn(async move { late.record(&zombie.lease, &all_sent(&zombie.tasks), LEASE).await });
    let finish = tokio::spawn(async move { finish.finish(&lease, Finish::Done).await });
    waiting(&watch, 2).await;
    claiming.commit().await.unwrap();
    assert_eq!(late.await.unwrap().unwrap(), Recorded::Lost);
    assert_eq!(finish.await.unwrap().unwrap(), Recorded::Lost);
    assert_eq!(number(&watch, "SELECT count(*) FROM favor_outcomes").await, 0);
    assert_eq!(number(&watch, "SELECT count(*) FROM favor_chunks WHERE owner = 'other'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_under_way_twice_counts_once() {
    let address = database().await;
    let ledger = connect_with(&address, 8).await;
    let campaign = running(&ledger, "twice", 10, 10).await;
    let watch = admin(&address).await;
    let held = claim(&*ledger, campaign, 1, LEASE).await;
    ledger.record(&held.lease, &[settled(9, 0, Fate::Unknown, Some("timeout"))], LEASE).await.unwrap();
    // A worker's connection breaks while the server still works on its record; it tries again on another one.
    let mut holder = admin(&address).await;
    let holding = holder.transaction().await.unwrap();
    holding.execute("SELECT FROM favor_chunks FOR UPDATE", &[]).await.unwrap();
    let records = (0..4).map(|_| {
        let (ledger, held) = (Arc::clone(&ledger), held.clone());
        tokio::spawn(async move {
            let mut settled_now = all_sent(&held.tasks[..8]);
            settled_now.push(settled(8, 0, Fate::Refused, Some("RULE_LIMIT")));
            settled_now.push(settled(9, 0, Fate::Parked, Some("X")));
            ledger.record(&held.lease, &settled_now, LEASE).await.unwrap()
        })
    });
    let records: Vec<_> = records.collect();
    waiting(&watch, 4).await;
    holding.rollback().await.unwrap();
    for record in records {
        assert_eq!(record.await.unwrap(), Recorded::Done);
    }
    tallies_agree(&watch).await;
    let standing = ledger.standing(campaign).await.unwrap();
    let count = |state| standing.count(state);
    assert_eq!(count(OutcomeState::Sent), 8);
    assert_eq!(
        (count(OutcomeState::Refused), count(OutcomeState::Parked), count(OutcomeState::Open)),
        (1, 1, 0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_opened_again_is_not_closed_by_who_has_not_heard_of_it() {
    let address = database().await;
    let ledger = connect(&address).await;
    let campaign = running(&ledger, "heard", 4, 4).await;
    let watch = admin(&address).await;
    let held = claim(&*ledger, campaign, 1, LEASE).await;
    let refused: Vec<_> = (0..4).map(|place| settled(place, 0, Fate::Refused, Some("NO"))).collect();
    ledger.record(&held.lease, &refused, LEASE).await.unwrap();
    // Both begin while somebody else has the chunk locked, and the opening is first in the queue.
    let mut holder = admin(&address).await;
    let holding = holder.transaction().await.unwrap();
    holding.execute("SELECT FROM favor_chunks FOR UPDATE", &[]).await.unwrap();
    let (opener, closer) = (Arc::clone(&ledger), Arc::clone(&ledger));
    let opening = tokio::spawn(async move {
        let which = Reopen { states: vec![OutcomeState::Refused], codes: vec![] };
        opener.reopen(campaign, &which).await.unwrap()
    });
    waiting(&watch, 1).await;
    let closing = tokio::spawn(async move { closer.finish(&held.lease, Finish::Done).await.unwrap() });
    waiting(&watch, 2).await;
    holding.rollback().await.unwrap();
    assert_eq!(opening.await.unwrap(), 4);
    closing.await.unwrap();
    assert_eq!(claim(&*ledger, campaign, 2, LEASE).await.tasks.len(), 4);
    tallies_agree(&watch).await;
}

/// Works until the campaign has no open coupon, whatever the database does meanwhile. Each chunk is recorded in
/// pieces, its codes in an order of this worker's own.
async fn work(ledger: Arc<PostgresLedger>, campaign: CampaignId, number: u32) {
    let insist = async |error: favor_campaign::LedgerError| {
        assert!(error.is_temporary(), "{error:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    loop {
        let claim = match ledger.claim(campaign, &worker(number), Duration::from_secs(2)).await {
            Ok(Claimed::Chunk(claim)) => claim,
            Ok(Claimed::AllDone) => return,
            Ok(Claimed::Later { .. }) => {
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            }
            Err(error) => {
                insist(error).await;
                continue;
            }
        };
        let mut outcomes: Vec<_> = claim.tasks.iter().map(|task| outcome(task.place)).collect();
        if number % 2 == 1 {
            outcomes.reverse();
        }
        let mut is_lost = false;
        for piece in outcomes.chunks(10) {
            is_lost |= loop {
                match ledger.record(&claim.lease, piece, Duration::from_secs(2)).await {
                    Ok(recorded) => break recorded == Recorded::Lost,
                    Err(error) => insist(error).await,
                }
            };
        }
        if !is_lost {
            while let Err(error) = ledger.finish(&claim.lease, Finish::Done).await {
                insist(error).await;
            }
        }
    }
}

/// What becomes of a person's coupon, always the same.
fn outcome(place: u64) -> favor_campaign::Settlement {
    match place % 5 {
        0 => settled(place, 0, Fate::Refused, Some("RULE_LIMIT")),
        1 => settled(place, 0, Fate::Parked, Some("A")),
        2 => settled(place, 0, Fate::Unknown, Some("timeout")),
        3 => settled(place, 0, Fate::Refused, Some("USER_NOT_EXISTS")),
        _ => sent(place, 0),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_workers_record_at_once_and_never_wait_in_a_circle() {
    const PEOPLE: u64 = 8_000;
    let address = database().await;
    let ledgers = join_all((0..4).map(|_| connect(&address))).await;
    let campaign = running(&ledgers[0], "sixteen", PEOPLE, 100).await;
    let workers =
        (0..16).map(|number| tokio::spawn(work(Arc::clone(&ledgers[number as usize % 4]), campaign, number)));
    try_join_all(workers).await.unwrap();
    let standing = ledgers[0].standing(campaign).await.unwrap();
    assert_eq!((standing.count(OutcomeState::Open), standing.count(OutcomeState::Sent)), (0, PEOPLE / 5));
    let admin = admin(&address).await;
    tallies_agree(&admin).await;
    // The server counts at the latest when a connection ends.
    ledgers.iter().for_each(|ledger| ledger.close());
    let others =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
        AND backend_type = 'client backend'";
    until(async || number(&admin, others).await == 0).await;
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    assert_eq!(number(&admin, deadlocks).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_goes_on_after_connections_are_cut() {
    const PEOPLE: u64 = 4_000;
    let address = database().await;
    let ledger = connect(&address).await;
    let campaign = running(&ledger, "cut", PEOPLE, 100).await;
    let workers = (0..6).map(|number| tokio::spawn(work(Arc::clone(&ledger), campaign, number)));
    let workers = tokio::spawn(try_join_all(workers.collect::<Vec<_>>()));
    let admin = admin(&address).await;
    let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
    let mut cuts = 0;
    while !workers.is_finished() {
        cuts += number(&admin, cut).await;
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    workers.await.unwrap().unwrap();
    assert!(cuts > 0);
    assert_eq!(number(&admin, "SELECT count(*) FROM favor_outcomes WHERE state <> 'open'").await, 4_000);
    tallies_agree(&admin).await;
}
