//! Plans against the stocks of a mirror.

use std::time::Duration;

use chrono::TimeDelta;
use favor_campaign::{
    Finding, Manifest, OpenValue, Plan, Severity, check_manifest, check_stock, estimate, judge_stock,
};
use favor_core::{MerchantId, StockId};
use favor_mirror::FaultRule;

use crate::world::{FACE, World, fen};

fn codes(findings: &[Finding], severity: Severity) -> Vec<&'static str> {
    findings.iter().filter(|finding| finding.severity == severity).map(|finding| finding.code).collect()
}

fn errors(findings: &[Finding]) -> Vec<&'static str> {
    codes(findings, Severity::Error)
}

async fn plan(world: &World, stock: &StockId, people: usize, change: impl FnOnce(&mut Manifest)) -> Plan {
    let mut list = world.list(people);
    let mut manifest = world.manifest("spring", stock, list.facts());
    manifest.face_value = None;
    change(&mut manifest);
    Plan::make(&world.client, manifest, &mut list).await.unwrap()
}

#[tokio::test]
async fn a_good_plan_has_nothing_against_it() {
    let world = World::new().await;
    let stock = world.running_stock(1_000, 2).await;
    let plan = plan(&world, &stock, 500, |manifest| manifest.coupons_per_person = 2).await;
    assert!(plan.may_start(), "{:?}", plan.findings);
    assert_eq!(codes(&plan.findings, Severity::Warning), [] as [&str; 0], "{:?}", plan.findings);
    assert_eq!(plan.manifest.face_value, Some(fen(FACE)));
    assert_eq!((plan.estimate.coupons, plan.estimate.value), (1_000, Some(fen(500_000))));
    assert_eq!(plan.estimate.takes, Duration::from_secs(3));
    let stock = plan.stock.unwrap();
    assert_eq!(stock.distributed_coupons, 0, "nothing was sent");
    let sends =
        |request: &favor_mirror::LoggedRequest| request.method == "POST" && request.path.contains("/users/");
    assert!(!world.mirror.requests(100, 0).iter().any(sends));
}

#[tokio::test]
async fn what_does_not_suffice_is_named() {
    let world = World::new().await;
    let [stock, wide] = world.running_stocks([(100, 1), (100, 5)]).await;
    let short = plan(&world, &stock, 101, |_| {}).await;
    assert_eq!(errors(&short.findings), ["count.too-few", "budget.too-small"]);
    let twice = plan(&world, &stock, 10, |manifest| manifest.coupons_per_person = 2).await;
    assert_eq!(errors(&twice.findings), ["limit.too-low"]);
    let value = OpenValue { coupon_value: fen(100), coupon_minimum: fen(200) };
    let open = plan(&world, &stock, 10, |manifest| manifest.open_value = Some(value)).await;
    assert_eq!(errors(&open.findings), ["value.fixed"]);
    assert!(!open.may_start());

    let loose = plan(&world, &wide, 10, |_| {}).await;
    assert_eq!(codes(&loose.findings, Severity::Warning), ["limit.no-fence"]);
    assert!(loose.may_start());

    let request = favor_coupon::SendCoupon::new(
        wide.clone(),
        "n1".parse().unwrap(),
        world.appid.clone(),
        world.client.merchant_id().clone(),
    );
    world.coupons.send(&crate::world::person(0), &request).await.unwrap();
    let again = plan(&world, &wide, 10, |_| {}).await;
    assert_eq!(codes(&again.findings, Severity::Warning), ["limit.no-fence", "people.have-coupons"]);
    assert!(codes(&again.findings, Severity::Note).contains(&"count.given"));
}

#[tokio::test]
async fn each_state_of_a_stock_is_told() {
    let world = World::new().await;
    let created = world.stocks.create(&world.stock_request(100, 1)).await.unwrap();
    let stock = created.stock_id.clone();
    let found = |plan: Plan| errors(&plan.findings);
    assert_eq!(found(plan(&world, &stock, 10, |_| {}).await), ["stock.not-started"]);
    world.mirror.advance(Duration::from_secs(61)).await.unwrap();
    world.stocks.start(&stock).await.unwrap();
    assert!(found(plan(&world, &stock, 10, |_| {}).await).is_empty());
    world.stocks.pause(&stock).await.unwrap();
    assert_eq!(found(plan(&world, &stock, 10, |_| {}).await), ["stock.paused"]);
    world.stocks.restart(&stock).await.unwrap();

    // The client's clock stays, so its end is judged by a later one.
    let list = world.list(10);
    let manifest = world.manifest("spring", &stock, list.facts());
    let live = world.stocks.get(&stock).await.unwrap().into_value();
    let caller = world.client.merchant_id().clone();
    let at = |now| errors(&judge_stock(&live, &manifest, &caller, now));
    assert_eq!(at(live.available_end_time + TimeDelta::seconds(1)), ["window.ended"]);
    assert_eq!(at(live.available_begin_time - TimeDelta::seconds(1)), ["window.not-begun"]);
    let late = judge_stock(&live, &manifest, &caller, live.available_end_time);
    assert_eq!(codes(&late, Severity::Warning), ["window.too-short"]);
    let other =
        judge_stock(&live, &manifest, &MerchantId::new("1900000999").unwrap(), live.available_begin_time);
    assert_eq!(errors(&other), ["sender.other"]);
    assert_eq!(codes(&other, Severity::Warning), ["sender.not-creator"]);
}

#[tokio::test]
async fn a_daily_budget_makes_days_of_it() {
    let world = World::new().await;
    let mut request = world.stock_request(100, 1);
    request.stock_use_rule = request.stock_use_rule.max_amount_by_day(fen(10 * FACE));
    let created = world.stocks.create(&request).await.unwrap();
    world.mirror.advance(Duration::from_secs(61)).await.unwrap();
    world.stocks.start(&created.stock_id).await.unwrap();
    let plan = plan(&world, &created.stock_id, 35, |_| {}).await;
    assert_eq!(codes(&plan.findings, Severity::Warning), ["budget.daily"]);
    assert_eq!(plan.estimate.budget_days, Some(4));
    assert_eq!(plan.estimate.takes, Duration::from_secs(3 * 86_400));
}

#[tokio::test]
async fn a_stock_or_appid_that_is_not_there_is_told() {
    let world = World::new().await;
    let stock = world.running_stock(100, 1).await;
    let missing = plan(&world, &"99999999".parse().unwrap(), 10, |_| {}).await;
    assert_eq!(errors(&missing.findings), ["stock.not-found"]);
    assert!(missing.stock.is_none());
    let appid = plan(&world, &stock, 10, |manifest| manifest.appid = "wxnobody".parse().unwrap()).await;
    assert_eq!(errors(&appid.findings), ["appid.not-bound"]);

    let fault = FaultRule::new(favor_mirror::FaultKind::Cut).operation("stock.get");
    world.mirror.plan(fault).unwrap();
    let list = world.list(1);
    let cut = check_stock(&world.client, &world.manifest("spring", &stock, list.facts())).await;
    assert_eq!(errors(&cut), ["stock.unreadable"]);
}

#[tokio::test]
async fn a_manifest_is_looked_at_alone() {
    let world = World::new().await;
    let list = world.list(3);
    let stock: StockId = "15300001".parse().unwrap();
    let of = |change: &dyn Fn(&mut Manifest)| {
        let mut manifest = world.manifest("spring", &stock, list.facts());
        change(&mut manifest);
        let findings = check_manifest(&manifest);
        findings.iter().map(|finding| (finding.severity, finding.code)).collect::<Vec<_>>()
    };
    use Severity::{Error, Note, Warning};
    assert_eq!(of(&|_| {}), []);
    assert_eq!(of(&|manifest| manifest.list.people = 0), [(Error, "list.empty")]);
    assert_eq!(of(&|manifest| manifest.list.malformed = 2), [(Warning, "list.malformed")]);
    assert_eq!(of(&|manifest| manifest.list.duplicates = 2), [(Note, "list.duplicates")]);
    assert_eq!(of(&|manifest| manifest.coupons_per_person = 0), [(Error, "coupons.none")]);
    assert_eq!(of(&|manifest| manifest.coupons_per_person = 61), [(Error, "coupons.too-many")]);
    assert_eq!(of(&|manifest| manifest.key.clear()), [(Error, "key.empty")]);
    assert_eq!(of(&|manifest| manifest.key = "other".into()), [(Note, "key.given")]);
    assert_eq!(of(&|manifest| manifest.pace.per_second = 0), [(Error, "pace.zero")]);
    assert_eq!(of(&|manifest| manifest.pace.per_second = 501), [(Warning, "pace.above-limit")]);
}

#[tokio::test]
async fn the_time_it_takes_is_estimated() {
    let world = World::new().await;
    let mut list = world.list(1).facts().clone();
    list.people = 864_000;
    let mut manifest = world.manifest("spring", &"15300001".parse().unwrap(), &list);
    manifest.pace.per_second = 100;
    let takes = |manifest: &Manifest| estimate(manifest, None).takes.as_secs();
    assert_eq!(takes(&manifest), 8_640);
    manifest.pace.ramp_up_seconds = 100;
    assert_eq!(takes(&manifest), 8_685, "45 s are lost while it climbs");
    manifest.pace.ramp_up_seconds = 0;
    let time = |hour, minute| chrono::NaiveTime::from_hms_opt(hour, minute, 0).unwrap();
    let window = |from, to| favor_campaign::DailyWindow { from, to };
    // 23:00 to 01:00, and half an hour of it twice: 2 h a day.
    manifest.pace.windows = vec![window(time(23, 0), time(1, 0)), window(time(0, 15), time(0, 45))];
    assert_eq!(takes(&manifest), 86_400 + 1_440);
    manifest.list.people = u64::MAX;
    assert!(takes(&manifest) > 0);
}
