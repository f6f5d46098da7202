//! The life of a stock against a small reference model of the state table, through the real client and mirror.

use std::time::Duration;

use chrono::TimeDelta;
use favor::prelude::*;
use favor_mirror::Mirror;
use proptest::prelude::*;

use crate::harness::{World, openid, refusal};

const MINUTE: i64 = 60;
const DAY: i64 = 86_400;
/// The window of the stock under test, in seconds after its creation. No sum of waits ends on its edges: the wire has
/// whole seconds, so that on an edge itself the two sides may differ by the fraction.
const BEGINS: i64 = 2 * DAY + 30;
const ENDS: i64 = 5 * DAY + 30;

#[derive(Clone, Copy, Debug)]
enum Action {
    Start,
    Pause,
    Restart,
    Stop,
    Send,
    Wait(i64),
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        3 => Just(Action::Start),
        2 => Just(Action::Pause),
        2 => Just(Action::Restart),
        1 => Just(Action::Stop),
        3 => Just(Action::Send),
        2 => prop_oneof![Just(MINUTE + 1), Just(DAY), Just(2 * DAY)].prop_map(Action::Wait),
    ]
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Unactivated,
    Running,
    Paused,
    Stopped,
}

/// What the platform answers: done, or one of the refusals of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Done,
    /// `400 INVALID_REQUEST`: ended or not activated, or too soon.
    NotNow,
    /// `403 REQUEST_BLOCKED`: not begun, ended or paused.
    Closed,
}

struct Model {
    state: State,
    now: i64,
    sent: u64,
}

impl Model {
    fn new() -> Self {
        Self { state: State::Unactivated, now: 0, sent: 0 }
    }

    fn ended(&self) -> bool {
        self.now > ENDS
    }

    fn answer(&mut self, action: Action) -> Answer {
        use State::{Paused, Running, Stopped, Unactivated};
        match (action, self.state) {
            (Action::Wait(seconds), _) => self.now += seconds,
            (Action::Send, Running) if self.ended() || self.now < BEGINS => return Answer::Closed,
            (Action::Send, Running) => self.sent += 1,
            (Action::Send, Paused) => return Answer::Closed,
            (Action::Send, _) => return Answer::NotNow,
            (Action::Stop, Stopped) => {}
            (_, Stopped) => return Answer::NotNow,
            _ if self.ended() => return Answer::NotNow,
            (Action::Start, Unactivated) if self.now < MINUTE => return Answer::NotNow,
            (Action::Start, Unactivated | Running) | (Action::Restart, Running | Paused) => {
                self.state = Running
            }
            (Action::Pause, Running | Paused) => self.state = Paused,
            (Action::Stop, Unactivated) => self.state = Stopped,
            (Action::Start | Action::Pause | Action::Restart | Action::Stop, _) => return Answer::NotNow,
        }
        Answer::Done
    }

    fn status(&self) -> StockStatus {
        match self.state {
            _ if self.ended() => StockStatus::Stopped,
            State::Unactivated => StockStatus::Unactivated,
            State::Running => StockStatus::Running,
            State::Paused => StockStatus::Paused,
            State::Stopped => StockStatus::Stopped,
        }
    }
}

fn answered<T>(result: Result<T, Error>) -> Answer {
    let Err(error) = result else { return Answer::Done };
    match refusal(&error) {
        (400, code, Outcome::Refused) if code == "INVALID_REQUEST" => Answer::NotNow,
        (403, code, Outcome::Refused) if code == "REQUEST_BLOCKED" => Answer::Closed,
        other => panic!("{other:?}: {error:?}"),
    }
}

async fn live(actions: Vec<Action>) {
    let world = World::with(Mirror::builder(), |client| client).await;
    world.mirror.freeze_clock().await.unwrap();
    let now = world.mirror.now();
    let mut request = world.stock_request(1000, 50, "life");
    request.available_begin_time = now + TimeDelta::seconds(BEGINS);
    request.available_end_time = now + TimeDelta::seconds(ENDS);
    let stock_id = world.stocks.create(&request).await.unwrap().stock_id.clone();
    let mut model = Model::new();
    for (at, action) in actions.into_iter().enumerate() {
        let expected = model.answer(action);
        let got = match action {
            Action::Start => answered(world.stocks.start(&stock_id).await),
            Action::Pause => answered(world.stocks.pause(&stock_id).await),
            Action::Restart => answered(world.stocks.restart(&stock_id).await),
            Action::Stop => answered(world.stocks.stop(&stock_id).await),
            Action::Send => {
                let request = world.send_request(&stock_id, &format!("n{at}"));
                answered(world.coupons.send(&openid("oLife"), &request).await)
            }
            Action::Wait(seconds) => {
                world.mirror.advance(Duration::from_secs(seconds.unsigned_abs())).await.unwrap();
                Answer::Done
            }
        };
        assert_eq!(got, expected, "step {at}: {action:?} at {} s in {:?}", model.now, model.state);
        let stock = world.stocks.get(&stock_id).await.unwrap();
        assert_eq!(stock.status, model.status(), "step {at}: {action:?}");
        assert_eq!(stock.distributed_coupons, model.sent);
        let now = world.mirror.now();
        let may = |can: bool, action| can == (answer_only(&model, action) == Answer::Done);
        if model.now >= MINUTE && model.state == State::Unactivated {
            assert!(may(stock.can_start(now), Action::Start), "can_start at step {at}");
        }
        // A stop repeated is answered as done, but there is nothing left to stop.
        if model.state != State::Stopped {
            assert!(may(stock.can_stop(now), Action::Stop), "can_stop at step {at}");
        }
        if model.state == State::Running {
            assert!(may(stock.can_pause(now), Action::Pause), "can_pause at step {at}");
            assert!(may(stock.gives_out(now), Action::Send), "gives_out at step {at}");
        }
        if model.state == State::Paused {
            assert!(may(stock.can_restart(now), Action::Restart), "can_restart at step {at}");
        }
    }
    let audit = world.mirror.audit().await;
    assert!(audit.ok, "{:?}", audit.findings);
    world.mirror.shutdown().await;
}

fn answer_only(model: &Model, action: Action) -> Answer {
    Model { state: model.state, now: model.now, sent: model.sent }.answer(action)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_platform_and_the_table_agree(actions in prop::collection::vec(action(), 1..14)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(live(actions));
    }
}
