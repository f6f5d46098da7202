//! The platform as far as sends go: gives each number one coupon, keeps limits, forgets to answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use favor_campaign::{Answer, Sender, Trouble};
use favor_core::{Clock as _, CouponId, OpenId, Outcome};
use favor_coupon::SendCoupon;
use futures_util::future::BoxFuture;

use crate::clock::ModelClock;
use crate::dice::Dice;
use crate::world::Sabotage;

/// What it does wrong, in thousandths of the requests, and what it refuses.
#[derive(Clone, Debug, Default)]
pub(crate) struct Habits {
    /// The longest time a request takes, one way, in milliseconds.
    pub(crate) slowness: u64,
    /// Answers lost after the coupon was given.
    pub(crate) lost: u64,
    /// Internal errors, half of them after the coupon was given.
    pub(crate) internal: u64,
    /// Requests that never arrive.
    pub(crate) cut: u64,
    /// Answers whose signature does not hold.
    pub(crate) unsigned: u64,
    /// Refusals by a limit that is not reached.
    pub(crate) false_limits: u64,
    /// Requests a second over which it says "too fast"; none means any number.
    pub(crate) most_per_second: Option<usize>,
    /// When nothing can be reached.
    pub(crate) outage: Option<(Duration, Duration)>,
    /// When everything is answered with an internal error.
    pub(crate) broken: Option<(Duration, Duration)>,
    /// Coupons in all; none means any number.
    pub(crate) budget: Option<usize>,
    /// Coupons a day.
    pub(crate) daily_budget: Option<usize>,
    /// People whose last digit is this get a code nobody knows.
    pub(crate) odd_people: bool,
    /// People to whom it always answers with an internal error.
    pub(crate) cursed: BTreeSet<String>,
    /// People it refuses for good.
    pub(crate) banned: BTreeSet<String>,
    /// From then on it says that signatures are wrong.
    pub(crate) bad_signature_from: Option<Duration>,
}

#[derive(Debug)]
pub(crate) struct Platform {
    given: Mutex<Given>,
    clock: Arc<ModelClock>,
    pub(crate) habits: Mutex<Habits>,
    dice: Dice,
}

#[derive(Debug, Default)]
pub(crate) struct Given {
    /// By number.
    pub(crate) coupons: BTreeMap<String, (OpenId, CouponId)>,
    pub(crate) refused: BTreeSet<String>,
    by_day: BTreeMap<chrono::NaiveDate, usize>,
    /// When each request left its worker.
    pub(crate) left: Vec<Duration>,
    /// When each request that was not turned away for haste arrived.
    arrived: Vec<Duration>,
    /// The numbers asked for, by person.
    pub(crate) asked: BTreeMap<String, BTreeSet<String>>,
    pub(crate) too_fast: usize,
}

/// One worker's way to the platform.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) platform: Arc<Platform>,
    under_way: Mutex<BTreeSet<String>>,
    pub(crate) sabotage: Sabotage,
}

impl Platform {
    pub(crate) fn new(clock: Arc<ModelClock>, habits: Habits, seed: u64) -> Self {
        Self { given: Mutex::default(), clock, habits: Mutex::new(habits), dice: Dice::new(seed) }
    }

    pub(crate) fn given(&self) -> MutexGuard<'_, Given> {
        self.given.lock().unwrap()
    }

    fn habits(&self) -> Habits {
        self.habits.lock().unwrap().clone()
    }

    async fn serve(self: Arc<Self>, openid: OpenId, number: String) -> Answer {
        let habits = self.habits();
        let now = self.clock.elapsed();
        let within =
            |span: &Option<(Duration, Duration)>| span.is_some_and(|(from, to)| (from..to).contains(&now));
        let no_answer = |outcome, code: &str| Answer {
            result: Err(Trouble {
                outcome,
                status: None,
                code: code.to_owned(),
                message: "no answer".to_owned(),
                retry_after: None,
            }),
            request_id: None,
        };
        if within(&habits.outage) || self.dice.thousandths(habits.cut / 2) {
            tokio::time::sleep(self.dice.millis(0, habits.slowness + 1)).await;
            return no_answer(Outcome::NotSent, "connect");
        }
        if self.dice.thousandths(habits.cut.div_ceil(2)) {
            tokio::time::sleep(self.dice.millis(0, habits.slowness + 1)).await;
            return no_answer(Outcome::Unknown, "interrupted");
        }
        tokio::time::sleep(self.dice.millis(0, habits.slowness + 1)).await;
        let internal = within(&habits.broken)
            || self.dice.thousandths(habits.internal)
            || habits.cursed.contains(openid.as_str());
        let worked =
            !within(&habits.broken) && !habits.cursed.contains(openid.as_str()) && self.dice.thousandths(500);
        if internal && !worked {
            return problem(500, "SYSTEM_ERROR", "系统繁忙", None);
        }
        let answer = self.decide(&habits, &openid, &number);
        tokio::time::sleep(self.dice.millis(0, habits.slowness + 1)).await;
        if internal {
            return problem(500, "SYSTEM_ERROR", "系统繁忙", None);
        }
        if self.dice.thousandths(habits.lost) {
            tokio::time::sleep(Duration::from_secs(10)).await;
            return no_answer(Outcome::Unknown, "timeout");
        }
        if answer.result.is_ok() && self.dice.thousandths(habits.unsigned) {
            return no_answer(Outcome::Unknown, "verification");
        }
        answer
    }

    fn decide(&self, habits: &Habits, openid: &OpenId, number: &str) -> Answer {
        let mut given = self.given();
        let now = self.clock.elapsed();
        if habits.bad_signature_from.is_some_and(|from| from <= now) {
            return problem(401, "SIGN_ERROR", "错误的签名，验签失败", None);
        }
        if let Some(most) = habits.most_per_second {
            let since = now.saturating_sub(Duration::from_secs(1));
            if given.arrived.iter().rev().take_while(|at| **at > since).count() >= most {
                given.too_fast += 1;
                let after = self.dice.thousandths(300).then(|| Duration::from_secs(1));
                return problem(429, "FREQUENCY_LIMIT_EXCEED", "接口限频", after);
            }
        }
        given.arrived.push(now);
        if let Some((owner, coupon)) = given.coupons.get(number) {
            assert!(owner == openid, "one number for two people");
            return Answer { result: Ok(coupon.clone()), request_id: Some("again".to_owned()) };
        }
        if habits.banned.contains(openid.as_str()) {
            given.refused.insert(number.to_owned());
            return problem(403, "USER_ACCOUNT_ABNORMAL", "用户非法", None);
        }
        if habits.odd_people && openid.as_str().ends_with('7') {
            return problem(403, "REQUEST_BLOCKED", "nobody has seen this", None);
        }
        if self.dice.thousandths(habits.false_limits) {
            return problem(403, "RULE_LIMIT", "用户已达最大领券次数", None);
        }
        if habits.budget.is_some_and(|budget| given.coupons.len() >= budget) {
            return problem(403, "NOT_ENOUGH", "批次预算不足", None);
        }
        let day = favor_core::time::beijing_day(&self.clock.wall());
        let today = given.by_day.entry(day).or_default();
        if habits.daily_budget.is_some_and(|budget| *today >= budget) {
            return problem(403, "NOT_ENOUGH", "发券超过单天限额", None);
        }
        *today += 1;
        let coupon = CouponId::new(format!("{}", 1000 + given.coupons.len())).unwrap();
        given.coupons.insert(number.to_owned(), (openid.clone(), coupon.clone()));
        Answer { result: Ok(coupon), request_id: Some("new".to_owned()) }
    }
}

fn problem(status: u16, code: &str, message: &str, retry_after: Option<Duration>) -> Answer {
    let outcome = if status < 500 { Outcome::Refused } else { Outcome::Unknown };
    let trouble = Trouble {
        outcome,
        status: Some(status),
        code: code.to_owned(),
        message: message.to_owned(),
        retry_after,
    };
    Answer { result: Err(trouble), request_id: Some("x".to_owned()) }
}

impl Line {
    pub(crate) fn new(platform: Arc<Platform>, sabotage: Sabotage) -> Self {
        Self { platform, under_way: Mutex::default(), sabotage }
    }
}

impl Sender for Line {
    fn send<'a>(&'a self, openid: &'a OpenId, request: &'a SendCoupon) -> BoxFuture<'a, Answer> {
        let mut number = request.out_request_no.as_str().to_owned();
        if self.sabotage == Sabotage::FreshNumbers {
            number = format!("{number}-{}", self.platform.dice.next());
        }
        let person = openid.as_str().to_owned();
        let alone = self.under_way.lock().unwrap().insert(person.clone());
        assert!(alone, "two requests of one worker for one person at once");
        let mut given = self.platform.given();
        given.left.push(self.platform.clock.elapsed());
        given.asked.entry(person.clone()).or_default().insert(number.clone());
        drop(given);
        // What was sent arrives, also when nobody waits for the answer any more.
        let served = tokio::spawn(self.platform.clone().serve(openid.clone(), number));
        Box::pin(async move {
            let mut answer = served.await.unwrap();
            let unsigned = matches!(&answer.result, Err(trouble) if trouble.code == "verification");
            if unsigned && self.sabotage == Sabotage::UnsignedTaken {
                answer.result = Ok(CouponId::new("1").unwrap());
            }
            self.under_way.lock().unwrap().remove(&person);
            answer
        })
    }
}
