//! The states of a stock: the table of section 4.1, cell by cell.

use std::time::Duration;

use favor_mirror::{MerchantSeed, Redeem};
use serde_json::{Value, json};

use crate::harness::{FAVOR, Reply, USER, World, builder, damage, stock_body, with};

const BEGIN: &str = "2026-08-12T00:00:00+08:00";
const INSIDE: &str = "2026-08-13T00:00:00+08:00";
const ENDED: &str = "2026-09-10T00:00:00+08:00";
const MORNING_AFTER: &str = "2026-09-10T10:00:00+08:00";

const E1: (u16, &str, &str) = (404, "RESOURCE_NOT_EXISTS", "批次不存在");
const E2: (u16, &str, &str) = (400, "INVALID_REQUEST", "活动已结束或未激活");
const E3: (u16, &str, &str) = (400, "INVALID_REQUEST", "卡包信息尚未注册完成，请稍后重试");
const E4: (u16, &str, &str) = (404, "RESOURCE_NOT_EXISTS", "账单文件不存在");
const E5: (u16, &str, &str) = (403, "REQUEST_BLOCKED", "活动未开始或已结束");

/// What a cell of the table says.
#[derive(Clone, Copy)]
enum Cell {
    Refused((u16, &'static str, &'static str)),
    /// The state afterwards.
    Goes(&'static str),
    /// Success that changes nothing.
    Stays,
}
use Cell::{Goes, Refused, Stays};

/// A world in which a stock is in some state, in a file so that a state without a way in can be made.
struct Scene {
    world: World,
    stock: String,
    file: tempfile::TempDir,
}

impl Scene {
    async fn created() -> Self {
        let file = tempfile::tempdir().unwrap();
        let world = World::with(builder().data(file.path().join("data.sqlite"))).await;
        let body = with(stock_body("n1", 10, 5), "/available_begin_time", json!(BEGIN));
        let stock = world.created_stock(&body).await;
        Self { world, stock, file }
    }

    async fn running() -> Self {
        let scene = Self::created().await;
        scene.world.mirror.advance(Duration::from_secs(60)).await.unwrap();
        scene.world.start(&scene.stock).await.ok();
        scene
    }

    async fn at(self, now: &str) -> Self {
        self.world.clock(now).await;
        self
    }

    async fn after(self, action: &str) -> Self {
        self.world.act(&self.stock, action).await.ok();
        self
    }

    fn shown(&self, sql: &str) {
        damage(&self.file.path().join("data.sqlite"), sql);
    }

    async fn perform(&self, action: &str) -> Reply {
        match action {
            "send" => self.world.give(&self.stock, USER, "s-cell").await,
            "use-flow" | "refund-flow" => {
                self.world.get(&format!("{FAVOR}/stocks/{}/{action}", self.stock)).await
            }
            other => self.world.act(&self.stock, other).await,
        }
    }

    async fn check(&self, state: &str, action: &str, cell: Cell) {
        let before = self.status().await;
        let reply = self.perform(action).await;
        match cell {
            Refused((status, code, message)) => {
                assert_eq!(reply.error(), (status, code.into(), message.into()), "{action} when {state}");
                assert_eq!(self.status().await, before, "{action} when {state}");
            }
            Goes(to) => {
                assert_eq!(reply.status, 200, "{action} when {state}");
                assert_eq!(self.status().await, to, "{action} when {state}");
            }
            Stays => {
                let first = reply.ok();
                assert_eq!(self.status().await, before, "{action} when {state}");
                self.world.mirror.advance(Duration::from_millis(1_000)).await.unwrap();
                assert_eq!(self.perform(action).await.ok(), first, "{action} repeated when {state}");
            }
        }
    }

    async fn status(&self) -> String {
        self.world.stock(&self.stock).await["status"].as_str().unwrap().to_owned()
    }
}

/// Each row is made anew for each of its cells.
async fn row<F, Fut>(state: &str, make: F, cells: [(&str, Cell); 7])
where
    F: Fn() -> Fut,
    Fut: Future<Output = Scene>,
{
    for (action, cell) in cells {
        make().await.check(state, action, cell).await;
    }
}

fn cells(cells: [Cell; 7]) -> [(&'static str, Cell); 7] {
    let [start, pause, restart, stop, send, uses, refunds] = cells;
    [
        ("start", start),
        ("pause", pause),
        ("restart", restart),
        ("stop", stop),
        ("send", send),
        ("use-flow", uses),
        ("refund-flow", refunds),
    ]
}

#[tokio::test]
async fn no_such_stock() {
    let world = World::new().await;
    let scene = Scene { world, stock: "15399999".into(), file: tempfile::tempdir().unwrap() };
    for action in ["start", "pause", "restart", "stop", "send", "use-flow", "refund-flow"] {
        let (status, code, message) = E1;
        scene.perform(action).await.refused(status, code, message);
    }
}

#[tokio::test]
async fn under_review() {
    let make = || async {
        let scene = Scene::created().await.at(INSIDE).await;
        scene.shown("UPDATE stocks SET status = 'audit'");
        scene
    };
    let e2 = Refused(E2);
    row("audit", make, cells([e2, e2, e2, e2, e2, Refused(E4), Refused(E4)])).await;
}

#[tokio::test]
async fn unactivated() {
    Scene::created().await.check("new", "start", Refused(E3)).await;
    let make = || async { Scene::created().await.at(INSIDE).await };
    let (e2, e4) = (Refused(E2), Refused(E4));
    row("unactivated", make, cells([Goes("running"), e2, e2, Goes("stoped"), e2, e4, e4])).await;
}

#[tokio::test]
async fn running() {
    let (e2, e4) = (Refused(E2), Refused(E4));
    let before = [Stays, Goes("paused"), Stays, e2, Refused(E5), e4, e4];
    row("running, before begin", Scene::running, cells(before)).await;
    let inside = || async { Scene::running().await.at(INSIDE).await };
    let expected = [Stays, Goes("paused"), Stays, e2, Goes("running"), e4, e4];
    row("running, in the window", inside, cells(expected)).await;
}

#[tokio::test]
async fn paused() {
    let make = || async { Scene::running().await.at(INSIDE).await.after("pause").await };
    let (e2, e4) = (Refused(E2), Refused(E4));
    row("paused", make, cells([e2, Stays, Goes("running"), e2, Refused(E5), e4, e4])).await;
}

#[tokio::test]
async fn ended() {
    let used = || async {
        let scene = Scene::running().await.at(INSIDE).await;
        for n in 0..2 {
            let coupon = scene.world.coupon(&scene.stock, USER, &format!("s{n}")).await;
            scene.world.mirror.redeem(&coupon, Redeem::default()).await.unwrap();
            if n == 1 {
                scene.world.mirror.refund(&coupon, favor_mirror::Refund::default()).await.unwrap();
            }
        }
        scene
    };
    let (e2, e4, e5) = (Refused(E2), Refused(E4), Refused(E5));
    let at_end = || async { used().await.at(ENDED).await };
    row("ended", at_end, cells([e2, e2, e2, e2, e5, e4, e4])).await;
    let later = || async { used().await.at(MORNING_AFTER).await };
    row("ended, 10:00", later, cells([e2, e2, e2, e2, e5, Goes("stoped"), Goes("stoped")])).await;
    let paused = || async { used().await.after("pause").await.at(MORNING_AFTER).await };
    row("ended while paused", paused, cells([e2, e2, e2, e2, e5, Goes("stoped"), Goes("stoped")])).await;
    let unused = || async { Scene::created().await.at(MORNING_AFTER).await };
    row("ended, never started", unused, cells([e2, e2, e2, e2, e2, e4, e4])).await;
}

#[tokio::test]
async fn stopped() {
    let make = || async { Scene::created().await.at(INSIDE).await.after("stop").await };
    let (e2, e4) = (Refused(E2), Refused(E4));
    row("stopped", make, cells([e2, e2, e2, Stays, e2, e4, e4])).await;
    let scene = make().await;
    assert_eq!(scene.world.stock(&scene.stock).await["stop_time"], INSIDE);
    scene.at(MORNING_AFTER).await.check("stopped, then ended", "stop", Stays).await;
}

#[tokio::test]
async fn replies_name_their_time_and_are_signed() {
    let scene = Scene::running().await.at(INSIDE).await;
    let certificate = scene.world.mirror.platform_certificates()[0].pem.clone();
    let paused = scene.perform("pause").await;
    assert!(paused.is_signed_by(&certificate));
    assert_eq!(paused.ok(), json!({"pause_time": INSIDE, "stock_id": scene.stock}));
    scene.world.mirror.advance(Duration::from_secs(1)).await.unwrap();
    let restarted = scene.perform("restart").await.ok();
    assert_eq!(restarted, json!({"restart_time": "2026-08-13T00:00:01+08:00", "stock_id": scene.stock}));
    scene.world.mirror.advance(Duration::from_secs(1)).await.unwrap();
    assert_eq!(scene.perform("restart").await.ok(), restarted);
    // It gives coupons again, and the start time is the first one.
    scene.perform("send").await.ok();
    assert_eq!(scene.world.stock(&scene.stock).await["start_time"], "2026-08-10T12:01:00+08:00");
    let fresh = Scene::created().await.at(INSIDE).await;
    let stopped = fresh.perform("stop").await.ok();
    assert_eq!(stopped, json!({"stop_time": INSIDE, "stock_id": fresh.stock}));
}

#[tokio::test]
async fn only_the_creator_acts() {
    let world = World::with(builder().merchant(MerchantSeed::new("1900000110"))).await;
    let stock = world.running_stock(&stock_body("n1", 10, 1)).await;
    let other = world.credentials_of("1900000110");
    for action in ["pause", "restart", "stop"] {
        let target = format!("{FAVOR}/stocks/{stock}/{action}");
        for named in ["1900000109", "1900000110"] {
            let body = json!({ "stock_creator_mchid": named });
            let reply = world.call_as(&other, "POST", &target, &body).await;
            reply.refused(403, "REQUEST_BLOCKED", "调用商户无权限");
        }
        world.call("POST", &target, &json!({})).await.refused(400, "PARAM_ERROR", "商户号必填");
        assert_eq!(world.call("POST", &target, &Value::Null).await.number(), 270_924_345);
    }
    world.assert_sound(&world.mirror.audit().await);
}

/// The 502nd stock of a merchant cannot be started, and production does not say why.
#[tokio::test]
async fn a_merchant_takes_part_in_so_many_running_stocks() {
    let stock = |state: &str| {
        format!(
            "[[stocks]]\nname = \"Tea\"\nstate = \"{state}\"\ncoupon_amount_fen = 100\nthreshold_fen = 200\n\
             coupons = 5\n"
        )
    };
    let seed = stock("running").repeat(501) + &stock("created");
    let world = World::with(builder().seed(favor_mirror::Seed::parse(&seed).unwrap())).await;
    let list =
        "/v3/marketing/favor/stocks?offset=0&limit=10&stock_creator_mchid=1900000109&status=unactivated";
    let last = world.get(list).await.ok()["data"][0]["stock_id"].as_str().unwrap().to_owned();
    world.start(&last).await.refused(500, "SYSTEM_ERROR", "系统错误");
    assert_eq!(world.mirror.requests(1, 0)[0].rule.unwrap().id, "start.crowded_merchant");
    // One less is enough.
    let running = list.replace("unactivated", "running");
    let one = world.get(&running).await.ok()["data"][0]["stock_id"].as_str().unwrap().to_owned();
    world.act(&one, "pause").await.ok();
    world.start(&last).await.ok();
}
