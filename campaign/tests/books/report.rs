//! Reports of campaigns.

use std::collections::HashMap;

use data_encoding::HEXLOWER;
use favor_campaign::report::{
    OpenidForm, ReportError, ReportOptions, Summary, summary, write_csv, write_csv_file, write_json_lines,
};
use favor_campaign::{Books as _, Campaign, Ledger as _, Order, OutcomeState, overlap};
use sha2::{Digest as _, Sha256};

use crate::world::{Told, World, person};

type Line = HashMap<String, String>;

async fn csv_of(world: &World, campaign: &Campaign, options: ReportOptions) -> (Vec<Line>, Summary) {
    let mut out = Vec::new();
    let summary = write_csv(&world.ledger, campaign, &mut out, options).await.unwrap();
    let mut reader = csv::Reader::from_reader(&out[..]);
    (reader.deserialize().collect::<Result<_, _>>().unwrap(), summary)
}

/// One that was sent to four of seven people, two coupons each; one was refused, one is unknown, one is open.
async fn sent(world: &World) -> Campaign {
    let stock = world.running_stock(100, 2).await;
    let campaign = world.campaign("spring", &stock, 7, 2).await;
    world
        .send(&campaign, |openid, _, answer| match openid {
            openid if *openid == person(4) => Some(Told::Refused("RULE_LIMIT".into())),
            openid if *openid == person(5) => Some(Told::Unknown),
            openid if *openid == person(6) => None,
            _ => Some(Told::Sent(answer.unwrap())),
        })
        .await;
    world.again(&campaign.manifest.name).await
}

#[tokio::test]
async fn a_report_has_a_line_for_each_coupon() {
    let world = World::new().await;
    let campaign = sent(&world).await;
    let (lines, summary) = csv_of(&world, &campaign, ReportOptions::default()).await;
    assert_eq!(lines.len(), 14);
    let numbers = campaign.manifest.numbers();
    for (at, line) in lines.iter().enumerate() {
        let (openid, slot) = (person(at / 2), u32::try_from(at % 2).unwrap());
        let is = |column: &str, value: &str| assert_eq!(line[column], value, "{column} of {at}");
        is("openid", openid.as_str());
        is("line", &(7 - at / 2).to_string());
        is("slot", &slot.to_string());
        is("out_request_no", numbers.of(&openid, slot).as_str());
        match at / 2 {
            0..4 => {
                is("state", "sent");
                let coupon = world.mirror.coupon(&line["coupon_id"]).await.unwrap();
                assert_eq!(coupon.openid, openid.as_str());
            }
            4 => {
                is("state", "refused");
                is("code", "RULE_LIMIT");
                is("message", "said, \"RULE_LIMIT\"");
            }
            5 => is("state", "unknown"),
            _ => {
                is("state", "open");
                is("attempts", "0");
                is("settled_at", "");
            }
        }
        if at / 2 < 6 {
            is("attempts", "2");
            is("request_id", "req-1");
            let time = |column: &str| favor_core::time::from_wire(&line[column]).unwrap();
            assert_eq!((time("settled_at") - time("first_tried_at")).num_seconds(), 2);
            assert!(line["settled_at"].ends_with("+08:00"));
        }
    }
    assert_eq!((summary.people, summary.coupons, summary.people_with_coupons), (7, 14, 4));
    assert_eq!(summary.count(OutcomeState::Sent), 8);
    assert_eq!(summary.count(OutcomeState::Open), 2);
    assert_eq!((summary.attempts, summary.repeated), (24, 12));
    assert_eq!(summary.given_yuan.unwrap().to_string(), "40.00");
    assert_eq!(summary.tallies(), campaign.standing.tallies, "rows and counters agree");
    assert!(summary.seconds.unwrap() >= 2);
    assert!(summary.per_second.unwrap() > rust_decimal::Decimal::ZERO);
    let alone = favor_campaign::report::summary(&world.ledger, &campaign).await.unwrap();
    assert_eq!(alone, summary);
    let json = serde_json::to_value(&summary).unwrap();
    assert_eq!(json["given_yuan"], "40.00");
    assert_eq!(json["states"]["sent"], 8);
    assert_eq!(json["codes"][0]["code"], "RULE_LIMIT");
}

#[tokio::test]
async fn lines_can_be_chosen_and_openids_hidden() {
    let world = World::new().await;
    let campaign = sent(&world).await;
    let refused = ReportOptions::default().states([OutcomeState::Refused, OutcomeState::Unknown]);
    let (lines, summary) = csv_of(&world, &campaign, refused.clone().openids(OpenidForm::Sha256)).await;
    assert_eq!((lines.len(), summary.coupons), (4, 14), "the summary counts all");
    assert_eq!(lines[0]["openid"], HEXLOWER.encode(&Sha256::digest(person(4).as_str())));
    let (lines, _) =
        csv_of(&world, &campaign, refused.codes(["RULE_LIMIT"]).openids(OpenidForm::Hidden)).await;
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["openid"], "");

    let mut json = Vec::new();
    write_json_lines(&world.ledger, &campaign, &mut json, ReportOptions::default()).await.unwrap();
    let json: Vec<serde_json::Value> =
        String::from_utf8(json).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(json.len(), 14);
    assert_eq!(json[0]["openid"], person(0).as_str());
    assert!(json[13]["coupon_id"].is_null());
}

#[tokio::test]
async fn a_report_file_is_private_and_whole_or_not_there() {
    let world = World::new().await;
    let campaign = sent(&world).await;
    let file = world.folder.path().join("report.csv");
    std::fs::write(&file, "old").unwrap();
    write_csv_file(&world.ledger, &campaign, &file, ReportOptions::default()).await.unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), 15);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let nowhere = world.folder.path().join("nowhere").join("report.csv");
    let error =
        write_csv_file(&world.ledger, &campaign, &nowhere, ReportOptions::default()).await.unwrap_err();
    assert!(matches!(error, ReportError::File { .. }), "{error}");

    /// A disk that is full.
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let error = write_csv(&world.ledger, &campaign, Full, ReportOptions::default()).await.unwrap_err();
    assert!(matches!(error, ReportError::Write(_)), "{error}");
    let left = std::fs::read_dir(world.folder.path()).unwrap();
    let parts = left.filter(|entry| entry.as_ref().unwrap().file_name().to_str().unwrap().contains(".part"));
    assert_eq!(parts.count(), 0);
}

#[tokio::test]
async fn a_purged_campaign_is_reported_without_people() {
    let world = World::new().await;
    let campaign = sent(&world).await;
    world.ledger.order(campaign.id, Order::Stop).await.unwrap();
    world.ledger.purge(campaign.id).await.unwrap();
    let campaign = world.again(&campaign.manifest.name).await;
    let (lines, summary) = csv_of(&world, &campaign, ReportOptions::default()).await;
    assert_eq!((lines.len(), summary.coupons), (14, 14));
    assert!(lines.iter().all(|line| line["openid"].is_empty() && line["out_request_no"].is_empty()));
    assert!(summary.given_yuan.is_some());
}

#[tokio::test]
async fn whom_campaigns_have_in_common_is_counted() {
    let world = World::new().await;
    let [stock, elsewhere] = world.running_stocks([(100, 2), (100, 2)]).await;
    let first = world.campaign("first", &stock, 10, 1).await;
    let first = world.send_all(&first).await;
    world.campaign("elsewhere", &elsewhere, 10, 1).await;
    // Every other person, and some more.
    let text: String = (0..20).map(|number| person(number * 2).as_str().to_owned() + "\n").collect();
    let source = favor_campaign::list::ListSource::new(world.list_file(&text));
    let mut list = favor_campaign::list::read(&source).unwrap();
    let mut manifest = world.manifest("second", &stock, list.facts());
    let second = favor_campaign::import(&world.ledger, &manifest, &mut list).await.unwrap();
    manifest.name = "third".parse().unwrap();
    manifest.key = "first".into();
    favor_campaign::import(&world.ledger, &manifest, &mut list).await.unwrap();

    let found = overlap(&world.ledger, second).await.unwrap();
    let names: Vec<_> = found.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["first", "third"]);
    assert_eq!((found[0].people, found[0].have_coupons, found[0].same_numbers), (5, 5, false));
    assert_eq!((found[1].people, found[1].have_coupons), (20, 0));
    let found = overlap(&world.ledger, first.id).await.unwrap();
    assert_eq!((found[1].name.as_str(), found[1].people, found[1].same_numbers), ("third", 5, true));

    world.ledger.order(first.id, Order::Stop).await.ok();
    world.ledger.purge(first.id).await.unwrap();
    let found = overlap(&world.ledger, second).await.unwrap();
    assert!(found[0].not_comparable.unwrap().contains("purged"));
    assert!(summary(&world.ledger, &first).await.is_ok());
    assert!(overlap(&world.ledger, favor_campaign::CampaignId(99)).await.is_err());
}
