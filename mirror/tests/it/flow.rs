//! Flow files: links, files, when they are there, and what can go wrong with them.

use std::time::Duration;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use favor_mirror::{FaultKind, FaultRule, GzipHash, MerchantSeed, Redeem, Refund};
use serde_json::{Value, json};

use crate::harness::{FAVOR, Reply, USER, World, builder, stock_body, with};

const HEADER: &str = "批次id,优惠id,优惠类型,优惠金额（元）,订单总金额（元）,交易类型,支付单号,消耗时间,消耗商户号,设备号,银行流水号,单品信息";

fn sha1(bytes: &[u8]) -> String {
    digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

struct Scene {
    world: World,
    stock: String,
    coupons: Vec<String>,
}

impl Scene {
    /// Two coupons used on the tenth of August, one of them refunded on the eleventh; the clock stands at the
    /// hour at which the files appear.
    async fn new() -> Self {
        let world = World::with(builder().merchant(MerchantSeed::new("1900000110"))).await;
        let stock = world.running_stock(&stock_body("n1", 10, 5)).await;
        let mut coupons = Vec::new();
        for n in 1..=3 {
            coupons.push(world.coupon(&stock, USER, &format!("s{n}")).await);
        }
        let odd = Redeem {
            total_amount: Some(3_850),
            device_no: Some("POS \"7\",\r\n".into()),
            bank_serial: Some("a,b".into()),
            ..Redeem::default()
        };
        world.mirror.redeem(&coupons[0], odd).await.unwrap();
        world.mirror.advance(Duration::from_secs(1)).await.unwrap();
        world.mirror.redeem(&coupons[1], Redeem::default()).await.unwrap();
        world.clock("2026-08-11T09:00:00+08:00").await;
        world.mirror.refund(&coupons[0], Refund::default()).await.unwrap();
        world.clock("2026-09-10T10:00:00+08:00").await;
        Self { world, stock, coupons }
    }

    async fn link(&self, name: &str) -> Reply {
        self.world.get(&format!("{FAVOR}/stocks/{}/{name}", self.stock)).await
    }

    async fn file(&self, link: &Reply) -> Vec<u8> {
        let reply = self.world.fetch_link(&link.ok()["url"]).await;
        assert_eq!(reply.status, 200);
        assert!(reply.header("wechatpay-signature").is_none());
        reply.body
    }

    fn plan(&self, kind: FaultKind, operation: &str) {
        self.world.mirror.plan(FaultRule::new(kind).operation(operation)).unwrap();
    }
}

#[tokio::test]
async fn the_use_flow_to_the_byte() {
    let scene = Scene::new().await;
    let link = scene.link("use-flow").await;
    assert!(link.is_signed_by(&scene.world.mirror.platform_certificates()[0].pem));
    let told = link.ok();
    assert_eq!(told["hash_type"], "SHA1");
    let prefix = format!("{}/v3/billdownload/file?token=", scene.world.mirror.base_url());
    assert!(told["url"].as_str().unwrap().starts_with(&prefix));
    let file = scene.file(&link).await;
    assert_eq!(told["hash_value"], sha1(&file));
    let (id, first, second) = (&scene.stock, &scene.coupons[0], &scene.coupons[1]);
    let expected = format!(
        "{HEADER}\r\n\
         `{id},`{first},`全场代金券,`5.00,`38.50,`支付,`4200000000202608100000000001,`2026-08-10 12:01:01,`1900000109,\"POS \"\"7\"\",\r\n\",\"a,b\",\"\"\r\n\
         `{id},`{second},`全场代金券,`5.00,`30.00,`支付,`4200000000202608100000000002,`2026-08-10 12:01:02,`1900000109,\"\",\"\",\"\"\r\n\
         总条数\r\n`2\r\n"
    );
    assert_eq!(String::from_utf8(file).unwrap(), expected);
}

#[tokio::test]
async fn the_refund_flow_to_the_byte() {
    let scene = Scene::new().await;
    let link = scene.link("refund-flow").await;
    let file = scene.file(&link).await;
    assert_eq!(link.ok()["hash_value"], sha1(&file));
    let (id, first) = (&scene.stock, &scene.coupons[0]);
    let expected = format!(
        "{HEADER},退款单号,退款时间\r\n\
         `{id},`{first},`全场代金券,`5.00,`38.50,`退款,`4200000000202608100000000001,`2026-08-10 12:01:01,`1900000109,\"POS \"\"7\"\",\r\n\",\"a,b\",\"\",`50300000000000000000000000001,`2026-08-11 09:00:00\r\n\
         总条数\r\n`1\r\n"
    );
    assert_eq!(String::from_utf8(file).unwrap(), expected);
}

#[tokio::test]
async fn the_files_of_a_day() {
    let scene = Scene::new().await;
    let link = scene.link("use-flow-by-day?bill_date=2026-08-10").await;
    assert!(link.is_signed_by(&scene.world.mirror.platform_certificates()[0].pem));
    let told = link.ok();
    let prefix = format!("{}/mkt/storage/bill/download?bill_params=", scene.world.mirror.base_url());
    assert!(told["url"].as_str().unwrap().starts_with(&prefix));
    assert_eq!(told["stock_useflow_count"], "2");
    let file = scene.file(&link).await;
    assert_eq!(told["stock_useflow_hash"], sha1(&file));
    let text = String::from_utf8(file).unwrap();
    let more = ",是否合单订单,微信支付合单单号,合单优惠总金额,合单订单总金额";
    assert!(text.starts_with(&format!("{HEADER}{more}\r\n")));
    assert!(text.contains(",\"UE9TICI3IiwNCg==\",\"a,b\",\"\",`,`,`,`\r\n"), "{text}");

    let link = scene.link("refund-flow-by-day?bill_date=2026-08-11").await;
    let told = link.ok();
    assert_eq!(told["stock_refundflow_count"], "1");
    let file = scene.file(&link).await;
    assert_eq!(told["stock_refundflow_hash"], sha1(&file));
    let text = String::from_utf8(file).unwrap();
    assert!(text.starts_with(&format!("{HEADER},退款单号,退款时间{more}\r\n")));
    assert!(text.contains(",`50300000000000000000000000001,`2026-08-11 09:00:00,`,`,`,`\r\n"), "{text}");

    // Nothing on that day.
    let none = scene.link("use-flow-by-day?bill_date=2026-08-11").await;
    none.refused(404, "RESOURCE_NOT_EXISTS", "账单文件不存在");
    assert_eq!(none.number(), 268_586_001);
    let none = scene.link("refund-flow-by-day?bill_date=2026-08-10").await;
    none.refused(404, "RESOURCE_NOT_EXISTS", "账单文件不存在");
    assert_eq!(none.number(), 268_586_003);
}

#[tokio::test]
async fn when_files_are_there() {
    let scene = Scene::new().await;
    let world = &scene.world;
    for (now, status) in [
        ("2026-08-11T12:00:00+08:00", 404),
        ("2026-09-10T09:59:59.999+08:00", 404),
        ("2026-09-10T10:00:00+08:00", 200),
    ] {
        world.clock(now).await;
        for name in ["use-flow", "refund-flow"] {
            assert_eq!(scene.link(name).await.status, status, "{name} at {now}");
        }
    }
    let day = "use-flow-by-day?bill_date=2026-08-10";
    for (now, status) in [
        ("2026-08-10T23:59:59+08:00", 400),
        ("2026-08-11T09:59:59.999+08:00", 404),
        ("2026-08-11T10:00:00+08:00", 200),
    ] {
        world.clock(now).await;
        assert_eq!(scene.link(day).await.status, status, "at {now}");
    }
    for bad in ["", "?bill_date=", "?bill_date=20260810", "?bill_date=2026-13-01"] {
        let reply = scene.link(&format!("use-flow-by-day{bad}")).await;
        assert_eq!((reply.status, reply.json()["code"].as_str()), (400, Some("PARAM_ERROR")), "{bad}");
    }
}

#[tokio::test]
async fn who_may_have_files() {
    let scene = Scene::new().await;
    let world = &scene.world;
    let other = world.credentials_of("1900000110");
    for name in ["use-flow", "refund-flow", "use-flow-by-day?bill_date=2026-08-10"] {
        let target = format!("{FAVOR}/stocks/{}/{name}", scene.stock);
        let reply = world.call_as(&other, "GET", &target, &Value::Null).await;
        reply.refused(403, "REQUEST_BLOCKED", "调用商户无权限");
        let missing = world.get(&format!("{FAVOR}/stocks/15399999/{name}")).await;
        missing.refused(404, "RESOURCE_NOT_EXISTS", "批次不存在");
    }
    let url = scene.link("use-flow").await.ok()["url"].as_str().unwrap().to_owned();
    let target = url.strip_prefix(world.mirror.base_url()).unwrap();
    let reply = world.call_as(&other, "GET", target, &Value::Null).await;
    reply.refused(403, "REQUEST_BLOCKED", "调用商户无权限");
    // Not signed, or signed over a path that was decoded.
    assert_eq!(world.control("GET", target, &Value::Null).await.status, 401);
    let decoded = target.replace("%2B", "+");
    let header = world.credentials().authorization("GET", &decoded, world.mirror.now().timestamp(), "");
    let reply = crate::harness::fetch(world.request("GET", target, "").header("Authorization", header)).await;
    assert_eq!(reply.unwrap().status, 401);
    let later = with(stock_body("n2", 10, 1), "/available_begin_time", json!("2026-09-11T00:00:00+08:00"));
    let later = with(later, "/available_end_time", json!("2026-09-12T00:00:00+08:00"));
    let empty = world.running_stock(&later).await;
    world.clock("2027-01-01T00:00:00+08:00").await;
    let nothing = world.get(&format!("{FAVOR}/stocks/{empty}/use-flow")).await;
    nothing.refused(404, "RESOURCE_NOT_EXISTS", "账单文件不存在");
}

#[tokio::test]
async fn a_link_lives_thirty_seconds_of_the_test_clock() {
    let scene = Scene::new().await;
    let link = scene.link("use-flow").await;
    let url = &link.ok()["url"];
    scene.world.mirror.advance(Duration::from_secs(30)).await.unwrap();
    assert_eq!(scene.world.fetch_link(url).await.status, 200);
    // As often as one likes.
    assert_eq!(scene.world.fetch_link(url).await.status, 200);
    scene.world.mirror.advance(Duration::from_millis(1)).await.unwrap();
    let late = scene.world.fetch_link(url).await;
    late.refused(400, "INVALID_REQUEST", "下载链接不存在或已失效");
    let unknown = scene.world.get("/v3/billdownload/file?token=x").await;
    unknown.refused(400, "INVALID_REQUEST", "下载链接不存在或已失效");
    let missing = scene.world.get("/v3/billdownload/file").await;
    assert_eq!(missing.json()["code"], "PARAM_ERROR");
    assert_eq!(scene.world.fetch_link(&scene.link("use-flow").await.ok()["url"]).await.status, 200);
}

#[tokio::test]
async fn hashes_and_addresses_that_are_wrong() {
    let scene = Scene::new().await;
    let certificate = scene.world.mirror.platform_certificates()[0].pem.clone();
    for name in ["use-flow", "refund-flow-by-day?bill_date=2026-08-11"] {
        scene.plan(FaultKind::WrongHash, "stock.*");
        let link = scene.link(name).await;
        assert!(link.is_signed_by(&certificate));
        let told = link.ok();
        let hash = told.get("hash_value").or(told.get("stock_refundflow_hash")).unwrap().as_str().unwrap();
        let true_hash = sha1(&scene.file(&link).await);
        assert_ne!(hash, true_hash);
        assert_eq!(hash.len(), 40);
    }
    for url in ["https://evil.example/file?token=1", "download://example.csv"] {
        scene.plan(FaultKind::LinkTo { url: url.into() }, "stock.use_flow");
        let link = scene.link("use-flow").await;
        assert!(link.is_signed_by(&certificate));
        assert_eq!(link.ok()["url"], url);
    }
    scene.plan(FaultKind::ExpiredLink, "stock.use_flow");
    let expired = scene.world.fetch_link(&scene.link("use-flow").await.ok()["url"]).await;
    expired.refused(400, "INVALID_REQUEST", "下载链接不存在或已失效");
    let link = scene.link("use-flow").await;
    scene.plan(FaultKind::ExpiredLink, "stock.flow_file");
    assert_eq!(scene.world.fetch_link(&link.ok()["url"]).await.status, 400);
    assert_eq!(scene.world.fetch_link(&link.ok()["url"]).await.status, 200);
}

#[tokio::test]
async fn files_that_do_not_arrive_as_they_are() {
    let scene = Scene::new().await;
    let url = scene.link("use-flow").await.ok()["url"].clone();
    let whole = scene.world.fetch_link(&url).await.body;
    let raw = || async {
        let target = url.as_str().unwrap().strip_prefix(scene.world.mirror.base_url()).unwrap();
        let now = scene.world.mirror.now().timestamp();
        let authorization = scene.world.credentials().authorization("GET", target, now, "");
        let request = format!(
            "GET {target} HTTP/1.1\r\nHost: x\r\nUser-Agent: t\r\nConnection: close\r\n\
             Authorization: {authorization}\r\n\r\n"
        );
        let answer = scene.world.raw(request.as_bytes()).await;
        let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap() + 4;
        (String::from_utf8(answer[..end].to_vec()).unwrap(), answer[end..].to_vec())
    };
    for (kind, arrives) in [
        (FaultKind::CutAfter { bytes: 100 }, 100),
        (FaultKind::CutAfter { bytes: 0 }, 0),
        (FaultKind::TruncatedBody, whole.len() / 2),
    ] {
        scene.plan(kind, "stock.flow_file");
        let (head, body) = raw().await;
        assert!(head.contains(&format!("Content-Length: {}\r\n", whole.len())), "{head}");
        assert_eq!(body, &whole[..arrives]);
    }
    scene.plan(FaultKind::CorruptBody, "stock.flow_file");
    let changed = scene.world.fetch_link(&url).await.body;
    assert!(changed.len() == whole.len() && changed != whole);
    scene.plan(FaultKind::OversizedBody { bytes: 1_000_000 }, "stock.flow_file");
    let padded = scene.world.fetch_link(&url).await.body;
    assert!(padded.len() == 1_000_000 && padded.starts_with(&whole));
    scene.plan(FaultKind::Slow { bytes_per_second: 4_000 }, "stock.flow_file");
    let slow = scene.world.fetch_link(&url).await.body;
    assert_eq!(slow, whole);
    scene.plan(
        FaultKind::Redirect { status: 302, location: "https://evil.example/x".into() },
        "stock.flow_file",
    );
    let (head, body) = raw().await;
    assert!(head.starts_with("HTTP/1.1 302") && body.is_empty(), "{head}");
    assert!(head.to_lowercase().contains("location: https://evil.example/x\r\n"), "{head}");
    assert_eq!(scene.world.fetch_link(&url).await.body, whole);
}

#[tokio::test]
async fn files_as_gzip() {
    use std::io::Read as _;
    let scene = Scene::new().await;
    let whole = scene.file(&scene.link("use-flow").await).await;
    let unpacked = |packed: &[u8]| {
        let mut bytes = Vec::new();
        flate2::read::GzDecoder::new(packed).read_to_end(&mut bytes).unwrap();
        bytes
    };
    for hash in [GzipHash::Packed, GzipHash::Unpacked] {
        scene.plan(FaultKind::Gzip { hash }, "stock.use_flow");
        let link = scene.link("use-flow").await;
        let packed = scene.file(&link).await;
        assert!(packed.starts_with(&[0x1F, 0x8B]));
        assert_eq!(unpacked(&packed), whole);
        let hashed = if hash == GzipHash::Packed { &packed } else { &whole };
        assert_eq!(link.ok()["hash_value"], sha1(hashed));
    }
    let link = scene.link("use-flow").await;
    assert_eq!(scene.file(&link).await, whole);
    scene.plan(FaultKind::Gzip { hash: GzipHash::Unpacked }, "stock.flow_file");
    assert_eq!(unpacked(&scene.file(&link).await), whole);
    assert_eq!(scene.file(&link).await, whole);
}

/// More records than one portion, all of them there once and in order.
#[tokio::test]
async fn a_long_file_is_whole() {
    let world = World::new().await;
    let stock = world.running_stock(&stock_body("n1", 10_000, 1)).await;
    world.mirror.fill_flow(&stock, 9_000).await.unwrap();
    world.clock("2026-08-11T10:00:00+08:00").await;
    let target = format!("{FAVOR}/stocks/{stock}/use-flow-by-day?bill_date=2026-08-10");
    let told = world.get(&target).await.ok();
    assert_eq!(told["stock_useflow_count"], "9000");
    let file = world.fetch_link(&told["url"]).await.body;
    assert_eq!(told["stock_useflow_hash"], sha1(&file));
    let text = String::from_utf8(file).unwrap();
    let coupons: Vec<_> =
        text.lines().skip(1).take(9_000).map(|line| line.split(',').nth(1).unwrap()).collect();
    assert!(coupons.is_sorted());
    assert_eq!(coupons.first(), Some(&"`18180000000001"));
    assert_eq!(coupons.last(), Some(&"`18180000009000"));
    assert!(text.ends_with("总条数\r\n`9000\r\n"));
}
