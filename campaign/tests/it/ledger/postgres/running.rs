//! Runners that share a limit, and what arrives at the other end.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use favor_campaign::{Answer, CampaignName, Ended, Ledger, OutcomeState, Runner, Sender};
use favor_core::{CouponId, OpenId};
use favor_coupon::SendCoupon;
use futures_util::future::{BoxFuture, join_all};

use super::place::{PATIENCE, admin, connect, database, named, number, running_at};

const RATE: u32 = 500;
/// Two and a half seconds' worth.
const PEOPLE: u64 = 1_250;

/// Answers at once, and notes when each send arrived.
#[derive(Debug, Default)]
struct Receiver(Mutex<Vec<Instant>>);

impl Sender for Receiver {
    fn send<'a>(&'a self, openid: &'a OpenId, _: &'a SendCoupon) -> BoxFuture<'a, Answer> {
        self.0.lock().unwrap().push(Instant::now());
        let coupon_id = CouponId::new(format!("C{}", openid.as_str())).unwrap();
        Box::pin(async { Answer { result: Ok(coupon_id), request_id: None } })
    }
}

async fn all_is_sent_within_the_limit_by(workers: usize) {
    let address = database().await;
    let ledgers = join_all((0..workers.min(4)).map(|_| connect(&address))).await;
    let campaign = running_at(&ledgers[0], "limit", PEOPLE, 50, RATE).await;
    let receiver = Arc::new(Receiver::default());
    let begun = Instant::now();
    let runs = (0..workers).map(|number| {
        let ledger: Arc<dyn Ledger> = Arc::clone(&ledgers[number % ledgers.len()]) as Arc<dyn Ledger>;
        let name = CampaignName::new("limit").unwrap();
        let runner = Runner::builder(ledger, Arc::clone(&receiver) as Arc<dyn Sender>, name);
        // However long this machine stops for, nobody takes a chunk over.
        let runner = runner.lease(PATIENCE).build();
        tokio::spawn(async move { runner.run(std::future::pending()).await.unwrap() })
    });
    for run in join_all(runs).await {
        assert_eq!(run.unwrap(), Ended::Finished);
    }
    let standing = named(&ledgers[0], "limit").await.standing;
    assert_eq!(standing.count(OutcomeState::Sent), PEOPLE);
    let admin = admin(&address).await;
    assert_eq!(number(&admin, "SELECT count(DISTINCT coupon_id) FROM favor_outcomes").await, 1_250);
    assert_eq!(ledgers[0].standing(campaign).await.unwrap().workers, 0);
    // Nobody was sent to twice. That no second holds more than the limit is shown where it is granted, by the database's
    // clock: on a busy machine workers hear late of their slots, and then some sends come closer together. All of
    // them together cannot be faster than they were granted, but for what a worker takes the way of the answer to be.
    let arrived = receiver.0.lock().unwrap();
    assert_eq!(u64::try_from(arrived.len()), Ok(PEOPLE));
    assert!(arrived.iter().max().unwrap().duration_since(begun) > Duration::from_secs(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn all_is_sent_within_the_limit_by_one_worker() {
    all_is_sent_within_the_limit_by(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_is_sent_within_the_limit_by_four_workers() {
    all_is_sent_within_the_limit_by(4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_is_sent_within_the_limit_by_sixteen_workers() {
    all_is_sent_within_the_limit_by(16).await;
}
