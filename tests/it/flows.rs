//! What happened to coupons, and what the flow files say of it: equal, for any history.

use std::io::BufReader;
use std::path::Path;
use std::time::Duration;

use favor::prelude::*;
use favor::stock::{Flow, FlowError, FlowReader, FlowSummary, OwnedFlowRow};
use favor_mirror::{FaultKind, FaultRule, GzipHash, Mirror, Redeem, Refund};
use proptest::prelude::*;

use crate::harness::{World, openid, refusal};

const UNTIL_FLOWS: Duration = Duration::from_secs(32 * 86_400);

fn rows_of(path: &Path) -> Vec<OwnedFlowRow> {
    let mut reader = FlowReader::new(BufReader::new(std::fs::File::open(path).unwrap())).unwrap();
    let rows: Vec<_> = reader.rows().collect::<Result<_, _>>().unwrap();
    let count = reader.finish().unwrap();
    assert_eq!((usize::try_from(count.rows).unwrap(), count.bad_rows), (rows.len(), 0));
    rows
}

async fn fetched(flow: &Flow) -> Vec<OwnedFlowRow> {
    let folder = tempfile::tempdir().unwrap();
    let file = flow.download(folder.path().join("flow.csv")).await.unwrap();
    rows_of(&file.path)
}

/// One coupon's fate.
#[derive(Clone, Debug)]
struct Fate {
    device: Option<String>,
    bank_serial: Option<String>,
    total: i64,
    refunded: bool,
}

fn fate() -> impl Strategy<Value = Option<Fate>> {
    // Whatever a cashier's machine may call itself: commas, quotes, backticks, line breaks, Chinese.
    let text = prop::option::of("[a-zA-Z0-9,\"`\\n\\r 总条数（）()-]{0,12}");
    let fate = (text.clone(), text, 3000..1_000_000_i64, any::<bool>());
    prop::option::weighted(
        0.8,
        fate.prop_map(|(device, bank_serial, total, refunded)| Fate { device, bank_serial, total, refunded }),
    )
}

async fn live(fates: Vec<Option<Fate>>) {
    let world = World::with(Mirror::builder(), |client| client).await;
    let stock_id = world.running(&world.stock_request(100, 50, "flow")).await;
    let (mut used, mut refunded) = (Vec::new(), Vec::new());
    for (at, fate) in fates.iter().enumerate() {
        let request = world.send_request(&stock_id, &format!("n{at}"));
        let coupon = world.coupons.send(&openid("oFlow"), &request).await.unwrap().coupon_id.clone();
        let Some(fate) = fate else { continue };
        let payment = Redeem {
            total_amount: Some(fate.total),
            device_no: fate.device.clone().map(String::into_bytes),
            bank_serial: fate.bank_serial.clone(),
            ..Redeem::default()
        };
        let record = world.mirror.redeem(coupon.as_str(), payment).await.unwrap();
        let how = record.consume_information.unwrap();
        let seen = world.coupons.get(&openid("oFlow"), &coupon, &world.appid).await.unwrap();
        assert_eq!(seen.status, CouponStatus::Used);
        assert_eq!(seen.consume_information.as_ref().unwrap().transaction_id.as_str(), how.transaction_id);
        used.push((coupon.clone(), fate.clone(), how.transaction_id));
        if fate.refunded {
            world.mirror.refund(coupon.as_str(), Refund::default()).await.unwrap();
            refunded.push(coupon);
        }
    }
    world.mirror.advance(UNTIL_FLOWS).await.unwrap();

    let flow = world.stocks.use_flow(&stock_id);
    if used.is_empty() {
        let error = flow.link().await.unwrap_err();
        assert_eq!(
            refusal(&error),
            (404, "RESOURCE_NOT_EXISTS".into(), Outcome::Refused),
            "an empty flow has no file"
        );
        return;
    }
    let rows = fetched(&flow).await;
    assert_eq!(rows.len(), used.len());
    for (coupon, fate, transaction) in &used {
        let row =
            rows.iter().find(|row| row.transaction_id.as_ref().unwrap().as_str() == transaction).unwrap();
        assert_eq!(row.coupon_id.as_ref(), Some(coupon));
        assert_eq!(row.discount, Some(Fen::new(500).unwrap()));
        assert_eq!(row.order_total, Some(Fen::new(fate.total).unwrap()));
        let text = |given: &Option<String>| given.clone().unwrap_or_default();
        assert_eq!(
            row.device.as_ref().map(|device| device.as_text().as_bytes().to_vec()).unwrap_or_default(),
            text(&fate.device).into_bytes()
        );
        assert_eq!(
            row.bank_serial.as_ref().map(|serial| serial.as_text().as_bytes().to_vec()).unwrap_or_default(),
            text(&fate.bank_serial).into_bytes()
        );
    }
    if !refunded.is_empty() {
        let rows = fetched(&world.stocks.refund_flow(&stock_id)).await;
        let mut of_file: Vec<_> = rows.iter().map(|row| row.coupon_id.clone().unwrap()).collect();
        let mut of_history = refunded.clone();
        of_file.sort();
        of_history.sort();
        assert_eq!(of_file, of_history);
        assert!(rows.iter().all(|row| row.refund_id.is_some() && row.refund_time.is_some()));
    }
    let audit = world.mirror.audit().await;
    assert!(audit.ok, "{:?}", audit.findings);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_the_platform_writes_is_read_back_equal(fates in prop::collection::vec(fate(), 0..10)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(live(fates));
    }
}

/// A stock with `uses` redemptions, after its end.
async fn ended(uses: i64) -> (World, StockId) {
    let world = World::new().await;
    let stock_id = world.running(&world.stock_request(1_000_000, 1, "ended")).await;
    world.mirror.fill_flow(stock_id.as_str(), uses).await.unwrap();
    world.mirror.advance(UNTIL_FLOWS).await.unwrap();
    (world, stock_id)
}

#[tokio::test]
async fn flows_are_there_from_ten_on_the_day_after_the_end() {
    let world = World::new().await;
    let stock_id = world.running(&world.stock_request(10, 1, "when")).await;
    let sent = world.coupons.send(&openid("oWhen"), &world.send_request(&stock_id, "n")).await.unwrap();
    world.mirror.redeem(sent.coupon_id.as_str(), Redeem::default()).await.unwrap();
    let stock = world.stocks.get(&stock_id).await.unwrap();
    let flow = world.stocks.use_flow(&stock_id);
    let day_after = favor::core::time::beijing_day(&stock.available_end_time) + chrono::Days::new(1);
    let ten = favor::core::time::from_wire(&format!("{day_after}T10:00:00+08:00")).unwrap();
    for (moment, there) in
        [(stock.available_end_time, false), (ten - chrono::TimeDelta::seconds(1), false), (ten, true)]
    {
        world.mirror.set_clock(moment).await.unwrap();
        assert_eq!(stock.has_flows(world.mirror.now()), there, "{moment}");
        assert_eq!(flow.link().await.is_ok(), there, "{moment}");
    }
}

#[tokio::test]
async fn a_large_flow_adds_up() {
    let (world, stock_id) = ended(20_000).await;
    let folder = tempfile::tempdir().unwrap();
    let file = world.stocks.use_flow(&stock_id).download(folder.path().join("use.csv")).await.unwrap();
    let mut reader = FlowReader::new(BufReader::new(std::fs::File::open(&file.path).unwrap())).unwrap();
    let mut summary = FlowSummary::new();
    while let Some(row) = reader.next_row() {
        summary.add(&row.unwrap()).unwrap();
    }
    assert_eq!(summary.rows(), 20_000);
    assert_eq!(summary.discount(), Fen::new(500).unwrap().checked_mul(20_000).unwrap());
}

#[tokio::test]
async fn a_day_has_its_own_file_with_its_count() {
    let world = World::new().await;
    let stock_id = world.running(&world.stock_request(10, 5, "days")).await;
    let today = favor::core::time::beijing_day(&world.mirror.now());
    for at in 0..3 {
        let sent = world
            .coupons
            .send(&openid("oDay"), &world.send_request(&stock_id, &format!("n{at}")))
            .await
            .unwrap();
        let payment = Redeem { device_no: Some("POS-7".into()), ..Redeem::default() };
        world.mirror.redeem(sent.coupon_id.as_str(), payment).await.unwrap();
    }
    world.mirror.advance(Duration::from_secs(2 * 86_400)).await.unwrap();
    let flow = world.stocks.use_flow_by_day(&stock_id, today);
    let folder = tempfile::tempdir().unwrap();
    let file = flow.download(folder.path().join("day.csv")).await.unwrap();
    assert_eq!(file.records, Some(3));
    let rows = rows_of(&file.path);
    assert_eq!(
        rows[0].device.as_ref().unwrap().as_text().as_bytes(),
        b"UE9TLTc=",
        "the device is Base64 in a day's file"
    );
    let error = world.stocks.refund_flow_by_day(&stock_id, today).link().await.unwrap_err();
    assert_eq!(error.api().unwrap().status(), 404);
}

#[tokio::test]
async fn the_platforms_own_faults_are_survived_or_leave_nothing() {
    let (world, stock_id) = ended(2_000).await;
    let flow = world.stocks.use_flow(&stock_id);
    let plan = |operation: &str, kind: FaultKind, times: u64| {
        world.mirror.plan(FaultRule::new(kind).operation(operation).times(times)).unwrap();
    };
    let attempts = async |operation: &str, kind: FaultKind| {
        let folder = tempfile::tempdir().unwrap();
        plan(operation, kind, 1);
        flow.download(folder.path().join("use.csv")).await.unwrap().attempts
    };
    assert_eq!(attempts("stock.flow_file", FaultKind::TruncatedBody).await, 2);
    assert_eq!(attempts("stock.flow_file", FaultKind::Cut).await, 2);
    assert_eq!(attempts("stock.flow_file", FaultKind::HtmlError).await, 2);

    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("use.csv");
    plan("stock.use_flow", FaultKind::WrongHash, 3);
    let error = flow.download(&target).await.unwrap_err();
    assert!(matches!(error, FlowError::Hash { .. }), "{error:?}");
    world.mirror.clear_faults();
    for hash in [GzipHash::Packed, GzipHash::Unpacked] {
        let folder = tempfile::tempdir().unwrap();
        let rule = FaultRule::new(FaultKind::Gzip { hash }).operation("stock.use_flow");
        world.mirror.plan(rule).unwrap();
        let file = flow.download(folder.path().join("use.csv")).await.unwrap();
        assert_eq!(rows_of(&file.path).len(), 2_000, "{hash:?}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
