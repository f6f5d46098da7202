//! Campaigns in PostgreSQL, which many processes work on.

use favor_store::testing::TestCluster;

use super::shop::{Shop, openid};
use crate::lines::Process;

fn worker(shop: &Shop, more: &[&str]) -> Process {
    let worker = shop.spawn(&[&["campaign", "worker"], more].concat());
    worker.wait(1, |line| line["event"] == "ready");
    worker
}

#[test]
fn workers_share_the_campaigns_of_their_merchant_and_another_takes_over_from_the_dead() {
    let cluster = TestCluster::start();
    let shop = Shop::on(&cluster, "shared");
    // More people than one worker takes at a time, and one who keeps both campaigns from ending.
    let (one, two) =
        (shop.plan("one", 1_200, &["--rate", "100000"]), shop.plan("two", 60, &["--rate", "100000"]));
    shop.hold_up(7);
    // A short lease, so that the work of those that die is taken over soon.
    let workers: Vec<Process> = (0..3).map(|_| worker(&shop, &["--lease", "3s"])).collect();
    for name in ["one", "two"] {
        let started = shop.ok(&["campaign", "start", name, "--leave-to-workers"]);
        assert!(started.stderr.contains("favor campaign worker"), "{started:?}");
    }
    for worker in &workers {
        worker.wait(2, |line| line["event"] == "taken");
    }
    for name in ["one", "two"] {
        shop.until(name, |stands| stands["open"] == 1);
    }
    for worker in workers {
        worker.kill();
    }
    shop.no_faults();
    let heir = worker(&shop, &["--lease", "3s"]);
    for (name, people) in [("one", 1_200), ("two", 60)] {
        let done = shop.until(name, |stands| stands["state"] == "finished");
        assert_eq!(done["sent"], people);
    }
    let (status, lines, talk) = heir.stop();
    assert_eq!(status.code(), Some(0), "{talk}");
    assert_eq!(lines.last().unwrap()["event"], "stopped");
    assert!(lines.iter().any(|line| line["event"] == "taken" && line["name"] == "one"), "{lines:?}");
    assert!(lines[0]["ledger"].as_str().unwrap().starts_with("PostgreSQL at"), "{lines:?}");
    shop.everybody_has_one(&one, 1_200);
    shop.everybody_has_one(&two, 60);
}

#[test]
fn started_twice_it_has_two_workers() {
    let cluster = TestCluster::start();
    let shop = Shop::on(&cluster, "twice");
    let stock = shop.plan("twice", 240, &["--rate", "80"]);
    shop.hold_up(0);
    let first = shop.spawn(&["campaign", "start", "twice", "--every", "100ms"]);
    first.wait(1, |line| line["sent"].as_u64().unwrap() > 0);
    let second = shop.spawn(&["campaign", "start", "twice", "--every", "100ms"]);
    second.wait(1, |line| line["event"] == "started");
    shop.no_faults();
    for process in [first, second] {
        let (status, lines, talk) = process.end();
        assert_eq!((status.code(), &lines.last().unwrap()["sent"]), (Some(0), &240.into()), "{talk}");
    }
    shop.everybody_has_one(&stock, 240);
}

#[test]
fn a_database_that_is_gone_for_a_while_is_waited_for() {
    let mut cluster = TestCluster::start();
    let shop = Shop::on(&cluster, "gone");
    let stock = shop.plan("gone", 240, &["--rate", "80"]);
    shop.hold_up(0);
    let running = shop.spawn(&["campaign", "start", "gone", "--every", "100ms"]);
    let working = worker(&shop, &["--lease", "3s"]);
    running.wait(1, |line| line["sent"].as_u64().unwrap() > 0);
    cluster.stop_immediate();
    running.wait(1, |line| line["event"] == "held" && line["held_by"] == "ledger");
    // A new one cannot begin, and says so.
    let refused = shop.run(&["campaign", "start", "gone"]);
    assert!(refused.code == Some(2) && refused.stderr.contains("PostgreSQL at"), "{refused:?}");
    cluster.start_again();
    shop.no_faults();
    let (status, lines, talk) = running.end();
    assert_eq!((status.code(), &lines.last().unwrap()["sent"]), (Some(0), &240.into()), "{talk}");
    assert_eq!(working.stop().0.code(), Some(0));
    shop.everybody_has_one(&stock, 240);
}

#[test]
fn the_password_of_a_database_comes_by_the_environment_and_is_never_shown() {
    let cluster = TestCluster::start();
    let mut shop = Shop::on(&cluster, "secret");
    shop.plan("spring", 5, &[]);
    let ledger = shop.ledger.take().unwrap();
    shop.ledger = Some(ledger.replace("favor@", "favor:sesame@"));
    let shown = shop.ok(&["campaign", "list"]);
    assert!(shown.stdout.contains("spring") && !shown.stdout.contains("sesame"), "{shown:?}");
    let wrong = shop.run(&["campaign", "list", "--ledger", shop.ledger.as_ref().unwrap()]);
    assert!(wrong.code == Some(2) && wrong.stderr.contains("FAVOR_LEDGER"), "{wrong:?}");
    assert!(!wrong.stderr.contains("sesame"), "{wrong:?}");
    let report = shop.ok(&["campaign", "report", "spring", "--out", "r.csv", "-v"]);
    assert!(!report.stderr.contains(&openid(0)), "{report:?}");
}
