//! `GET /_mirror/metrics`, read as a monitoring system would.

use std::collections::{BTreeMap, HashMap};

use favor_mirror::{FaultKind, FaultPlace, FaultRule, Redeem, Refund};
use serde_json::Value;

use crate::harness::{USER, World, builder, stock_body};

/// One line of values.
#[derive(Debug, PartialEq)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: String,
}

/// Reads the text format strictly: a type before each family, each family once, well-formed names and labels.
fn parse(text: &str) -> Vec<Sample> {
    assert!(text.ends_with('\n'));
    let mut types: HashMap<String, String> = HashMap::new();
    let mut samples = Vec::new();
    let mut family = String::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            assert!(rest.split_once(' ').is_some_and(|(_, help)| !help.is_empty()), "{line}");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert!(types.insert(name.to_owned(), kind.to_owned()).is_none(), "{name} twice");
            family = name.to_owned();
        } else {
            let (head, value) = line.rsplit_once(' ').unwrap();
            assert!(value.parse::<f64>().is_ok(), "{line}");
            let (name, labels) = match head.split_once('{') {
                Some((name, labels)) => (name, labels.strip_suffix('}').unwrap()),
                None => (head, ""),
            };
            let bare = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
            let belongs = if types[&family] == "histogram" { bare == Some(&family) } else { name == family };
            assert!(belongs, "{name} is not of {family}");
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name}");
            assert!(types[&family] != "counter" || name.ends_with("_total"), "{name}");
            let mut pairs = BTreeMap::new();
            let mut rest = labels;
            while !rest.is_empty() {
                let (label, after) = rest.split_once("=\"").unwrap();
                let end = (0..after.len())
                    .find(|&i| after.as_bytes()[i] == b'"' && (i == 0 || after.as_bytes()[i - 1] != b'\\'))
                    .unwrap();
                assert!(pairs.insert(label.to_owned(), after[..end].to_owned()).is_none(), "{line}");
                rest = after[end + 1..].trim_start_matches(',');
            }
            samples.push(Sample { name: name.to_owned(), labels: pairs, value: value.to_owned() });
        }
    }
    let unique: std::collections::HashSet<_> =
        samples.iter().map(|sample| format!("{} {:?}", sample.name, sample.labels)).collect();
    assert_eq!(unique.len(), samples.len());
    samples
}

fn value<'a>(samples: &'a [Sample], name: &str, labels: &[(&str, &str)]) -> Option<&'a str> {
    let fits = |sample: &&Sample| {
        sample.name == format!("favor_mirror_{name}")
            && labels.iter().all(|(label, text)| sample.labels.get(*label).is_some_and(|own| own == text))
    };
    samples.iter().find(fits).map(|sample| sample.value.as_str())
}

#[tokio::test]
async fn everything_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::with(builder().data(folder.path().join("data.sqlite"))).await;
    let id = world.running_stock(&stock_body("n1", 10, 2)).await;
    let coupon = world.coupon(&id, USER, "s1").await;
    world.coupon(&id, USER, "s1").await;
    world.coupon(&id, USER, "s2").await;
    world.give(&id, USER, "s3").await.refused(403, "REQUEST_BLOCKED", "用户被限领拦截");
    world.mirror.redeem(&coupon, Redeem::default()).await.unwrap();
    world.mirror.refund(&coupon, Refund::default()).await.unwrap();
    world.mirror.fill_flow(&id, 3).await.unwrap();
    let fault = FaultKind::Status { status: 503, code: "BUSY\"\\\n".to_owned(), message: None };
    world.mirror.plan(FaultRule::new(fault).place(FaultPlace::BeforeVerify).operation("coupon.*")).unwrap();
    world.give(&id, USER, "s4").await;

    let page = world.control("GET", "/_mirror/metrics", &Value::Null).await;
    assert_eq!(page.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let samples = parse(&String::from_utf8(page.body).unwrap());
    let is = |name: &str, labels: &[(&str, &str)], wanted: &str| {
        assert_eq!(value(&samples, name, labels), Some(wanted), "{name} {labels:?}");
    };
    let send = ("operation", "coupon.send");
    is("requests_total", &[send, ("verdict", "accepted"), ("code", "")], "3");
    is("requests_total", &[send, ("verdict", "refused"), ("code", "REQUEST_BLOCKED")], "1");
    is("requests_total", &[send, ("verdict", "faulted"), ("code", "BUSY\\\"\\\\\\n")], "1");
    is("request_duration_seconds_count", &[send], "5");
    is("request_duration_seconds_bucket", &[send, ("le", "+Inf")], "5");
    is("faults_total", &[("fault", "status"), ("place", "before_verify")], "1");
    is("coupons_sent_total", &[], "5");
    is("coupons_redeemed_total", &[], "4");
    is("coupons_refunded_total", &[], "1");
    is("build_info", &[("version", env!("CARGO_PKG_VERSION"))], "1");
    is("clock_frozen", &[], "1");
    is(
        "clock_timestamp_seconds",
        &[("clock", "test")],
        &format!("{}.000000", world.mirror.now().timestamp()),
    );
    is("merchants", &[], "1");
    let number = |name| value(&samples, name, &[]).unwrap().parse::<u64>().unwrap();
    assert!(number("writer_batches_total") > 5 && number("writer_largest_batch") >= 1);
    assert!(number("writer_jobs_total") >= number("writer_batches_total"));
    assert!(number("connections_open") >= 1);
    // Buckets only grow.
    let buckets: Vec<u64> = samples
        .iter()
        .filter(|sample| sample.name.ends_with("_bucket") && sample.labels["operation"] == "coupon.send")
        .map(|sample| sample.value.parse().unwrap())
        .collect();
    assert!(buckets.is_sorted() && buckets.len() > 10, "{buckets:?}");
}
