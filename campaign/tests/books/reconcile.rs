//! Reconciliations of what a mirror did: its coupons, its notifications, its flow files.

use std::collections::HashMap;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use favor_callback::{CallbackAddress, Inbox as _, Intake, NotifyUrl, Receiver, Recipient, SqliteInbox};
use favor_campaign::report::OpenidForm;
use favor_campaign::{
    Books as _, Campaign, FlowCover, Ledger as _, Order, ReconcileCode as Code, ReconcileError,
    ReconcileOptions, Reconciled, Reconciliation,
};
use favor_core::{ApiV3Key, CouponId, StockId};
use favor_mirror::{Redeem, Refund};

use crate::world::{FACE, Told, World, person};

/// A server that stores what the mirror tells it.
struct Post {
    inbox: Arc<SqliteInbox>,
    server: tokio::task::JoinHandle<()>,
}

impl Post {
    async fn open(world: &World) -> Self {
        let inbox = Arc::new(SqliteInbox::open(world.folder.path().join("inbox.db")).await.unwrap());
        let api_v3_key = ApiV3Key::new(&world.mirror.merchant().api_v3_key).unwrap();
        let receiver = Receiver::builder(Recipient::of_client(&world.client, api_v3_key)).build();
        let router = axum::Router::new().route_service("/notify", Intake::new(receiver, inbox.clone()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = NotifyUrl::new(format!("http://{}/notify", listener.local_addr().unwrap())).unwrap();
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        CallbackAddress::new(&world.client).set(&url).await.unwrap();
        Self { inbox, server }
    }

    /// Waits until it has so many.
    async fn has(&self, count: u64) {
        for _ in 0..600 {
            if self.inbox.counts().await.unwrap().waiting >= count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{:?} of {count} notifications came", self.inbox.counts().await);
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn redeem(world: &World, coupon: &CouponId) {
    world.mirror.redeem(coupon.as_str(), Redeem::default()).await.unwrap();
    // So that what happens afterwards is later by whole seconds too.
    world.mirror.advance(Duration::from_secs(60)).await.unwrap();
}

async fn refund(world: &World, coupon: &CouponId, amount: Option<i64>) {
    world.mirror.refund(coupon.as_str(), Refund { amount }).await.unwrap();
    world.mirror.advance(Duration::from_secs(60)).await.unwrap();
}

/// The flow files after the end of the stock.
async fn flows(world: &World, stock: &StockId) -> [PathBuf; 2] {
    world.mirror.advance(Duration::from_secs(32 * 86_400)).await.unwrap();
    let paths = ["use.csv", "refund.csv"].map(|name| world.folder.path().join(name));
    let flows = [world.stocks.use_flow(stock), world.stocks.refund_flow(stock)];
    for (flow, path) in flows.iter().zip(&paths) {
        flow.download(path).await.unwrap();
    }
    paths
}

fn read(path: &Path) -> BufReader<std::fs::File> {
    BufReader::new(std::fs::File::open(path).unwrap())
}

/// All sources together.
async fn reconciled(
    world: &World,
    campaign: &Campaign,
    post: &Post,
    [uses, refunds]: &[PathBuf; 2],
) -> Reconciled {
    let stock = &campaign.manifest.stock_id;
    let mut reconciliation = Reconciliation::new(stock.clone(), &ReconcileOptions::default());
    reconciliation.add_stock(&world.stocks.get(stock).await.unwrap()).unwrap();
    reconciliation.add_campaign(&world.ledger, campaign).await.unwrap();
    reconciliation.add_inbox(&*post.inbox, None).await.unwrap();
    reconciliation.add_use_flow("use.csv", read(uses), FlowCover::Whole).unwrap();
    reconciliation.add_refund_flow("refund.csv", read(refunds)).unwrap();
    reconciliation.finish(world.now()).unwrap()
}

type Line = HashMap<String, String>;

fn lines(bytes: &[u8]) -> Vec<Line> {
    csv::Reader::from_reader(bytes).deserialize().collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn the_life_of_a_stock_balances_to_the_fen() {
    let world = World::new().await;
    let stock = world.running_stock(100, 2).await;
    let post = Post::open(&world).await;
    let campaign = world.campaign("spring", &stock, 20, 2).await;
    let campaign = world.send_all(&campaign).await;
    let coupon = async |number| world.coupon_of(&campaign, &person(number)).await;
    for number in 0..8 {
        redeem(&world, &coupon(number).await).await;
    }
    // Two given back whole, one in part, one in two parts, one five times over.
    refund(&world, &coupon(0).await, None).await;
    refund(&world, &coupon(1).await, None).await;
    refund(&world, &coupon(2).await, Some(1_234)).await;
    refund(&world, &coupon(3).await, Some(1_000)).await;
    refund(&world, &coupon(3).await, None).await;
    for _ in 0..4 {
        refund(&world, &coupon(4).await, None).await;
        redeem(&world, &coupon(4).await).await;
    }
    post.has(12).await;
    let files = flows(&world, &stock).await;
    let reconciled = reconciled(&world, &campaign, &post, &files).await;
    let totals = reconciled.totals();
    assert!(reconciled.is_clean(), "{:?} {totals:?}", reconciled.differences());
    assert_eq!((totals.sent.count, totals.sent.yuan()), (40, "200.00".to_owned()));
    assert_eq!((totals.used.count, totals.refunded.count, totals.expired.count), (5, 3, 32));
    assert_eq!((totals.unused.count, totals.callbacks), (0, 12));
    assert_eq!((totals.use_lines.count, totals.use_lines.yuan()), (12, "60.00".to_owned()));
    assert_eq!(totals.refund_lines.count, 9);
    assert_eq!(totals.pending.values().sum::<u64>(), 0);

    // The mirror's own books, told in other words.
    let mirror = world.mirror.audit().await;
    assert!(mirror.ok, "{:?}", mirror.findings);
    let mut out = Vec::new();
    reconciled.write_coupons_csv(&mut out, OpenidForm::Plain).unwrap();
    let coupons = lines(&out);
    assert_eq!(coupons.len(), 40);
    let numbers = campaign.manifest.numbers();
    for line in &coupons {
        let there = world.mirror.coupon(&line["coupon_id"]).await.unwrap();
        assert_eq!(line["openid"], there.openid);
        assert_eq!(
            line["out_request_no"],
            numbers.of(&line["openid"].parse().unwrap(), line["slot"].parse().unwrap()).as_str()
        );
        let expected = match line["fate"].as_str() {
            "used" => "USED",
            "refunded" | "expired" => "EXPIRED",
            other => panic!("{other}"),
        };
        assert_eq!(there.status, expected, "{line:?}");
        assert_eq!(line["codes"], "");
    }
    let five_times = coupon(4).await;
    let line = coupons.iter().find(|line| line["coupon_id"] == five_times.as_str()).unwrap();
    let told =
        ["payments", "callbacks", "used_yuan", "refunded_yuan", "net_yuan"].map(|name| line[name].as_str());
    assert_eq!(told, ["5", "5", "25.00", "20.00", "5.00"]);

    let file = world.folder.path().join("coupons.jsonl");
    reconciled.write_json_lines_file(&file, OpenidForm::Hidden).unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text.lines().count(), 40);
    assert!(!text.contains("oTea"));
    let json = serde_json::to_value(totals).unwrap();
    assert_eq!(json["sent"]["yuan"], "200.00");
    assert!(json["differences"].as_object().unwrap().is_empty());
}

#[tokio::test]
async fn each_thing_that_is_off_is_a_row() {
    let world = World::new().await;
    let [stock, elsewhere] = world.running_stocks([(100, 3), (100, 3)]).await;
    let campaign = world.campaign("spring", &stock, 9, 1).await;
    let taken = std::sync::Mutex::new(None);
    world
        .send(&campaign, |openid, _, answer| {
            let coupon = answer.unwrap();
            Some(match openid {
                openid if *openid == person(6) => Told::Unknown,
                openid if *openid == person(7) => {
                    *taken.lock().unwrap() = Some(coupon.clone());
                    Told::Sent(coupon)
                }
                // The same coupon as that of the person before.
                openid if *openid == person(8) => Told::Sent(taken.lock().unwrap().clone().unwrap()),
                _ => Told::Sent(coupon),
            })
        })
        .await;
    let campaign = world.again(&campaign.manifest.name).await;
    let coupon = async |number| world.coupon_of(&campaign, &person(number)).await;
    // Before there is anybody to tell.
    redeem(&world, &coupon(0).await).await;
    let post = Post::open(&world).await;
    for number in [1, 2, 3] {
        redeem(&world, &coupon(number).await).await;
    }
    refund(&world, &coupon(3).await, None).await;
    // By other hands than the campaign's, and on another stock.
    for (stock, number) in [(&stock, "other-1"), (&elsewhere, "other-2")] {
        let merchant = world.client.merchant_id().clone();
        let request = favor_coupon::SendCoupon::new(
            stock.clone(),
            number.parse().unwrap(),
            world.appid.clone(),
            merchant,
        );
        let sent = world.coupons.send(&person(50), &request).await.unwrap();
        redeem(&world, &sent.coupon_id.clone()).await;
    }
    post.has(5).await;
    let files = flows(&world, &stock).await;
    // One line is lost, and one is of an amount that cannot be.
    let text = std::fs::read_to_string(&files[0]).unwrap();
    let (lost, spoiled) = (coupon(1).await, coupon(2).await);
    let about = |line: &&str, id: &CouponId| line.contains(&format!("`{id},"));
    let kept = text.lines().filter(|line| !about(line, &lost)).map(|line| match about(&line, &spoiled) {
        true => line.replace("`5.00,", "`4.99,"),
        false => line.to_owned(),
    });
    let text: String = kept.map(|line| line.replace("`5\u{0}", "") + "\r\n").collect();
    let (records, total) = (text.lines().count() - 3, text.trim_end().rsplit_once('`').unwrap().0.to_owned());
    std::fs::write(&files[0], format!("{total}`{records}\r\n")).unwrap();

    let reconciled = reconciled(&world, &campaign, &post, &files).await;
    let totals = reconciled.totals();
    let found: HashMap<_, _> = totals.differences.iter().map(|(code, count)| (*code, *count)).collect();
    let expected = [
        (Code::FlowWithoutCallback, 1),
        (Code::CallbackWithoutFlow, 1),
        (Code::AmountDiffers, 1),
        (Code::UsedWithoutSend, 1),
        (Code::SentTwice, 1),
        (Code::SentWithoutTrace, 1),
        (Code::GivenWithoutSend, 1),
    ];
    assert_eq!(found, HashMap::from(expected), "{:?}", reconciled.differences());
    assert!(totals.balance(), "the sums agree whatever differs: {totals:?}");
    assert_eq!((totals.callbacks, totals.callbacks_of_others), (4, 1));
    assert_eq!(totals.use_of_others.fen, i128::from(FACE));
    assert_eq!((totals.sent_twice.count, totals.sends_unknown), (1, 1));

    let mut out = Vec::new();
    reconciled.write_differences_csv(&mut out).unwrap();
    let rows = lines(&out);
    assert_eq!(rows.len(), 7);
    let row = |code: Code| rows.iter().find(|row| row["code"] == code.as_str()).unwrap();
    assert_eq!(row(Code::AmountDiffers)["coupon_id"], spoiled.as_str());
    assert_eq!(row(Code::AmountDiffers)["text"], "it took off 4.99 yuan and is worth 5.00");
    assert_eq!(row(Code::CallbackWithoutFlow)["coupon_id"], lost.as_str());
    assert_eq!(row(Code::FlowWithoutCallback)["coupon_id"], coupon(0).await.as_str());
    assert!(row(Code::SentWithoutTrace)["text"].contains("line 3"), "{:?}", row(Code::SentWithoutTrace));
    let nowhere = world.folder.path().join("nowhere").join("rows.csv");
    let error = reconciled.write_differences_csv_file(&nowhere).unwrap_err();
    assert!(matches!(error, ReconcileError::File { .. }), "{error}");
}

#[tokio::test]
async fn a_stock_that_still_runs_is_reconciled_by_days_and_without_people() {
    let world = World::new().await;
    let [stock, elsewhere] = world.running_stocks([(100, 1), (100, 1)]).await;
    let campaign = world.campaign("spring", &stock, 4, 1).await;
    let campaign = world.send_all(&campaign).await;
    let post = Post::open(&world).await;
    let day = favor_core::time::beijing_day(&world.now());
    redeem(&world, &world.coupon_of(&campaign, &person(1)).await).await;
    post.has(1).await;
    world.ledger.order(campaign.id, Order::Finish).await.ok();
    world.ledger.order(campaign.id, Order::Stop).await.ok();
    world.ledger.purge(campaign.id).await.unwrap();
    let campaign = world.again(&campaign.manifest.name).await;

    let begin = async || {
        let mut reconciliation = Reconciliation::new(stock.clone(), &ReconcileOptions::default());
        reconciliation.add_stock(&world.stocks.get(&stock).await.unwrap()).unwrap();
        reconciliation.add_campaign(&world.ledger, &campaign).await.unwrap();
        reconciliation.add_inbox(&*post.inbox, None).await.unwrap();
        reconciliation
    };
    let today = begin().await.finish(world.now()).unwrap();
    assert!(today.is_clean(), "{:?}", today.differences());
    assert_eq!(today.totals().pending, [(Code::FlowPending, 1)].into());
    assert_eq!((today.totals().used.count, today.totals().unused.count), (1, 3));

    world.mirror.advance(Duration::from_secs(2 * 86_400)).await.unwrap();
    let file = world.folder.path().join("day.csv");
    world.stocks.use_flow_by_day(&stock, day).download(&file).await.unwrap();
    let mut later = begin().await;
    later.add_use_flow("day.csv", read(&file), FlowCover::Day(day)).unwrap();
    let later = later.finish(world.now()).unwrap();
    assert!(later.is_clean(), "{:?}", later.differences());
    assert_eq!((later.totals().pending.len(), later.totals().net.yuan()), (0, "5.00".to_owned()));

    let other = world.campaign("other", &elsewhere, 2, 1).await;
    let error = begin().await.add_campaign(&world.ledger, &other).await.unwrap_err();
    assert!(matches!(error, ReconcileError::OtherStock { .. }), "{error}");
    let error = begin().await.add_stock(&world.stocks.get(&elsewhere).await.unwrap()).unwrap_err();
    assert!(matches!(error, ReconcileError::NotThisStock(_)), "{error}");
}
