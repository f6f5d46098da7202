//! What is asked often must cost the same however long the list is.

use std::time::Duration;

use favor_campaign::{Books, CampaignId, Finish, Ledger, OutcomeState, PostgresLedger, Reopen};
use favor_store::postgres::tokio_postgres::Client;

use super::place::{
    LEASE, admin, all_sent, claim, connect_with, database, named, number, openid, running, settled, until,
};

/// People, and people of a chunk. The list must be long enough that nobody would rather read all of it.
const PEOPLE: i64 = 100_000;
const CHUNK: i64 = 100;

/// Each call that is made for every chunk or more often, more often than the server makes up its mind about a plan.
async fn all_calls(ledger: &PostgresLedger, campaign: CampaignId) {
    for round in 0..8 {
        let held = claim(ledger, campaign, 1, LEASE).await;
        let (first, rest) = held.tasks.split_at(10);
        ledger.record(&held.lease, &all_sent(first), LEASE).await.unwrap();
        let refused: Vec<_> = rest
            .iter()
            .map(|task| settled(task.place, 0, favor_campaign::Fate::Refused, Some("NO")))
            .collect();
        ledger.record(&held.lease, &refused, LEASE).await.unwrap();
        let how = if round == 0 { Finish::GiveBack { after: Duration::ZERO } } else { Finish::Done };
        ledger.finish(&held.lease, how).await.unwrap();
        ledger.standing(campaign).await.unwrap();
        named(ledger, "long").await;
        ledger.rows(campaign, Some(held.tasks[0].place), 100).await.unwrap();
        assert!(ledger.find(campaign, &openid(held.tasks[1].place)).await.unwrap().is_some());
    }
}

const SCANS: &str = "SELECT coalesce(sum(seq_scan), 0)::bigint FROM pg_stat_user_tables
    WHERE relname IN ('favor_people', 'favor_outcomes', 'favor_chunks', 'favor_history', 'favor_former_outcomes')";
const LOOKS: &str =
    "SELECT coalesce(sum(idx_scan), 0)::bigint FROM pg_stat_user_tables WHERE relname LIKE 'favor_%'";

/// The server counts what a connection did, at the latest, when it ends.
async fn counted(admin: &Client, sql: &str) -> i64 {
    let others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
        AND pid <> pg_backend_pid() AND backend_type IN ('client backend', 'autovacuum worker')";
    until(async || number(admin, others).await == 0).await;
    number(admin, sql).await
}

#[tokio::test]
async fn no_call_reads_a_whole_table() {
    let address = database().await;
    let admin = admin(&address).await;
    // What this connection does itself is not to be counted.
    admin.batch_execute("SET enable_seqscan = off").await.unwrap();
    let ledger = connect_with(&address, 1).await;
    let campaign = running(&ledger, "long", 100, 100).await;
    let held = claim(&*ledger, campaign, 1, LEASE).await;
    ledger.record(&held.lease, &all_sent(&held.tasks), LEASE).await.unwrap();
    ledger.finish(&held.lease, Finish::Done).await.unwrap();
    // The list grows by what a long import would bring.
    let grow = format!(
        "INSERT INTO favor_people SELECT 1, n, n, 'o' || lpad(n::text, 10, '0') FROM generate_series(100, {last}) AS n;
        INSERT INTO favor_chunks (campaign, chunk, first_place, last_place)
            SELECT 1, n, n * {CHUNK}, (n + 1) * {CHUNK} - 1 FROM generate_series(1, {chunks}) AS n;
        UPDATE favor_campaigns SET people = {PEOPLE};
        ANALYZE favor_people, favor_chunks",
        last = PEOPLE - 1,
        chunks = PEOPLE / CHUNK - 1,
    );
    admin.batch_execute(&grow).await.unwrap();
    ledger.close();
    let (scans, looks) = (counted(&admin, SCANS).await, counted(&admin, LOOKS).await);

    // One connection, so that it goes on with plans that it made when there were no outcomes.
    let ledger = connect_with(&address, 1).await;
    all_calls(&ledger, campaign).await;
    let settle = format!(
        "INSERT INTO favor_outcomes (campaign, place, slot, state, code, attempts, first_tried_at, settled_at)
            SELECT 1, n, 0, 'refused', 'X', 1, now(), now() FROM generate_series({half}, {last}) AS n;
        INSERT INTO favor_tallies VALUES (1, 'refused', 'X', {half});
        UPDATE favor_chunks SET is_open = false, due = now() WHERE campaign = 1 AND chunk >= {half} / {CHUNK}",
        half = PEOPLE / 2,
        last = PEOPLE - 1,
    );
    admin.batch_execute(&settle).await.unwrap();
    all_calls(&ledger, campaign).await;
    admin.batch_execute("ANALYZE").await.unwrap();
    all_calls(&ledger, campaign).await;
    ledger.close();
    assert_eq!(counted(&admin, SCANS).await, scans, "a table that grows was read from its start to its end");
    assert!(counted(&admin, LOOKS).await > looks + 100);

    // Opened again by parts, each by the index.
    let ledger = connect_with(&address, 1).await;
    let which = Reopen { states: vec![OutcomeState::Refused], codes: vec!["X".to_owned()] };
    assert_eq!(ledger.reopen(campaign, &which).await.unwrap(), u64::try_from(PEOPLE / 2).unwrap());
    ledger.close();
    assert_eq!(counted(&admin, SCANS).await, scans, "opening again read a table from its start to its end");
}
