//! What every ledger must do. Each test gets an empty one.

pub(crate) mod limits;
pub(crate) mod orders;
pub(crate) mod outcomes;
pub(crate) mod planning;
pub(crate) mod repairs;
pub(crate) mod work;

use std::sync::Arc;
use std::time::Duration;

use favor_campaign::{
    Books, Campaign, CampaignId, CampaignName, Claim, Claimed, Fate, Finish, LedgerError, ListFacts,
    Manifest, Order, OutcomeState, Recipient, Recorded, Row, Settlement, State, Tally, WorkerId,
};
use favor_core::{AppId, CouponId, MerchantId, OpenId, StockId, Timestamp, time};
use futures_util::future::BoxFuture;

pub(crate) const LEASE: Duration = Duration::from_secs(600);

/// A ledger, and power over the time that it goes by.
pub(crate) trait Place: Send + Sync {
    fn books(&self) -> Arc<dyn Books>;
    /// Lets time pass. Where nobody can move the clock, everything that is due, held, paused or limited until a moment
    /// is so until an earlier one.
    fn pass(&self, time: Duration) -> BoxFuture<'_, ()>;
    fn now(&self) -> BoxFuture<'_, Timestamp>;
}

/// Declares a test for each of the promises, in a ledger's own module.
macro_rules! contract {
    ($place:expr; $($module:ident: $($name:ident)*;)*) => {$(
        mod $module {
            #[allow(unused_imports, reason = "what makes a place may come from there")]
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $name() {
                    let place = $place.await;
                    crate::ledger::contract::$module::$name(&place).await;
                }
            )*
        }
    )*};
    ($place:expr) => {
        crate::ledger::contract::contract! { $place;
            planning:
                a_campaign_comes_back_as_it_was
                an_import_goes_on_where_it_stopped
                gaps_and_disorder_are_refused
                exactly_the_people_announced_are_sealed
                a_sealed_campaign_takes_nobody_more
                a_name_means_one_campaign
                campaigns_are_listed_in_their_order
                an_unknown_campaign_is_said_to_be_unknown
                what_was_never_started_can_be_discarded
                large_batches_are_taken;
            work:
                chunks_are_claimed_in_their_order_and_each_once
                only_a_running_campaign_is_worked_on
                a_lapsed_lease_goes_to_the_next
                a_zombie_changes_nothing
                a_lapsed_lease_that_nobody_wanted_still_holds
                recording_makes_a_lease_last
                what_is_given_back_is_due_later
                done_with_open_coupons_gives_back
                ending_twice_does_no_harm
                a_chunk_whose_coupons_are_settled_is_not_claimed
                what_a_dead_worker_settled_is_not_done_again
                workers_are_counted
                many_tasks_claim_each_chunk_once;
            outcomes:
                what_is_recorded_is_there
                what_was_sent_stays_sent
                what_was_not_sent_may_still_be
                a_record_is_all_or_nothing
                a_coupon_twice_in_one_record_counts_once
                nothing_recorded_is_a_heartbeat
                tallies_are_in_order_and_add_up
                odd_texts_come_back
                many_tasks_record_and_the_tallies_agree;
            orders:
                every_order_in_every_state
                a_pause_says_why
                a_pause_by_a_person_is_not_overridden
                a_pause_ends_when_its_time_has_come
                a_campaign_ends_when_nothing_is_open
                a_stopped_campaign_goes_on
                a_campaign_of_nobody_ends
                the_history_tells_it_all;
            repairs:
                settled_coupons_are_opened_again
                sent_ones_are_never_opened
                opening_by_state_and_code
                opening_goes_through_all_chunks
                a_finished_campaign_with_opened_coupons_can_go_on
                a_held_chunk_with_opened_coupons_is_not_closed
                openids_are_forgotten
                only_what_has_ended_is_purged
                everybody_is_found_and_nobody_else
                rows_come_page_by_page;
            limits:
                reserved_calls_do_not_overlap
                the_rate_is_kept_by_many_tasks
                no_more_than_wanted_and_no_more_than_a_second
                what_was_not_used_is_lost
                slowed_down_and_up_again
                once_a_second_at_most
                another_rate_starts_at_full
                limits_do_not_share
                a_limit_needs_a_rate;
        }
    };
}
pub(crate) use contract;

pub(crate) fn at(second: i64) -> Timestamp {
    time::from_wire("2026-05-20T09:00:00+08:00").unwrap() + chrono::TimeDelta::seconds(second)
}

pub(crate) fn manifest(name: &str) -> Manifest {
    Manifest::new(
        name.parse().unwrap(),
        MerchantId::new("1900000001").unwrap(),
        StockId::new("16474341").unwrap(),
        MerchantId::new("1900000001").unwrap(),
        AppId::new("wx0123456789abcdef").unwrap(),
        ListFacts { file: "people.csv".to_owned(), rows: 10, people: 10, ..ListFacts::default() },
        at(0),
    )
}

pub(crate) fn openid(place: u64) -> OpenId {
    OpenId::new(format!("o{place:010}")).unwrap()
}

pub(crate) fn people(places: std::ops::Range<u64>) -> Vec<Recipient> {
    places.map(|place| Recipient { place, line: place * 2 + 7, openid: openid(place) }).collect()
}

/// A campaign of so many people, ready to start.
pub(crate) async fn planned(
    books: &dyn Books,
    name: &str,
    count: u64,
    chunk: u32,
    coupons_each: u32,
) -> CampaignId {
    let mut manifest = manifest(name);
    manifest.coupons_per_person = coupons_each;
    let (campaign, there) = books.begin(&manifest).await.unwrap();
    assert_eq!(there, 0);
    books.add_people(campaign, &people(0..count)).await.unwrap();
    books.seal(campaign, count, chunk).await.unwrap();
    campaign
}

/// A campaign of so many people that is running.
pub(crate) async fn running(
    books: &dyn Books,
    name: &str,
    count: u64,
    chunk: u32,
    coupons_each: u32,
) -> CampaignId {
    let campaign = planned(books, name, count, chunk, coupons_each).await;
    let standing = books.order(campaign, Order::Start).await.unwrap();
    assert_eq!(standing.state, State::Running);
    campaign
}

pub(crate) async fn named(books: &dyn Books, name: &str) -> Campaign {
    books.campaign(&CampaignName::new(name).unwrap()).await.unwrap()
}

pub(crate) fn worker(number: u32) -> WorkerId {
    WorkerId(format!("worker-{number}"))
}

/// A chunk that must be there.
pub(crate) async fn claim(books: &dyn Books, campaign: CampaignId, number: u32) -> Claim {
    match books.claim(campaign, &worker(number), LEASE).await.unwrap() {
        Claimed::Chunk(claim) => claim,
        other => panic!("no chunk: {other:?}"),
    }
}

/// How long until something may be there; there must be nothing now.
pub(crate) async fn claim_later(books: &dyn Books, campaign: CampaignId) -> Option<Duration> {
    match books.claim(campaign, &worker(99), LEASE).await.unwrap() {
        Claimed::Later { next } => next,
        other => panic!("not later: {other:?}"),
    }
}

pub(crate) fn sent(place: u64, slot: u32) -> Settlement {
    settled(place, slot, sent_as(&format!("C{place}-{slot}")), None)
}

pub(crate) fn sent_as(coupon_id: &str) -> Fate {
    Fate::Sent { coupon_id: CouponId::new(coupon_id).unwrap() }
}

pub(crate) fn settled(place: u64, slot: u32, fate: Fate, code: Option<&str>) -> Settlement {
    Settlement {
        place,
        slot,
        fate,
        attempts: 1,
        code: code.map(str::to_owned),
        message: code.map(|code| format!("because of {code}")),
        request_id: Some(format!("req-{place}-{slot}")),
        first_tried_at: at(1),
        settled_at: at(2),
    }
}

pub(crate) fn refused(place: u64, slot: u32, code: &str) -> Settlement {
    settled(place, slot, Fate::Refused, Some(code))
}

/// All of what is to be done as sent.
pub(crate) fn all_sent(claim: &Claim) -> Vec<Settlement> {
    let tasks = claim.tasks.iter();
    tasks.flat_map(|task| task.open.iter().map(|open| sent(task.place, open.slot))).collect()
}

pub(crate) async fn record(books: &dyn Books, claim: &Claim, settled: &[Settlement]) {
    assert_eq!(books.record(&claim.lease, settled, LEASE).await.unwrap(), Recorded::Done);
}

pub(crate) async fn done(books: &dyn Books, claim: &Claim) {
    assert_eq!(books.finish(&claim.lease, Finish::Done).await.unwrap(), Recorded::Done);
}

/// Works on all that is there, and sends each coupon.
pub(crate) async fn send_all(books: &dyn Books, campaign: CampaignId) {
    while let Claimed::Chunk(claim) = books.claim(campaign, &worker(1), LEASE).await.unwrap() {
        record(books, &claim, &all_sent(&claim)).await;
        done(books, &claim).await;
    }
}

pub(crate) async fn state(books: &dyn Books, campaign: CampaignId) -> State {
    books.standing(campaign).await.unwrap().state
}

pub(crate) fn tally(state: OutcomeState, code: &str, count: u64) -> Tally {
    Tally { state, code: code.to_owned(), count }
}

pub(crate) async fn tallies(books: &dyn Books, campaign: CampaignId) -> Vec<Tally> {
    books.standing(campaign).await.unwrap().tallies
}

pub(crate) async fn rows(books: &dyn Books, campaign: CampaignId) -> Vec<Row> {
    books.rows(campaign, None, 100_000).await.unwrap()
}

/// The states of all coupons, by place and slot.
pub(crate) async fn states(books: &dyn Books, campaign: CampaignId) -> Vec<OutcomeState> {
    let rows = rows(books, campaign).await;
    rows.iter().flat_map(|row| row.outcomes.iter().map(|outcome| outcome.state)).collect()
}

#[track_caller]
pub(crate) fn assert_not_now<T: std::fmt::Debug>(result: Result<T, LedgerError>, expected: State) {
    match result.unwrap_err() {
        LedgerError::NotNow { state, .. } => assert_eq!(state, expected),
        error => panic!("{error:?}"),
    }
}

pub(crate) fn pause(reason: &str, by_operator: bool) -> Order {
    Order::Pause { reason: reason.to_owned(), until: None, by_operator }
}
