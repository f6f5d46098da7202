//! Lists and plans, good and bad.

use std::process::{Command, Stdio};

use serde_json::json;

use super::shop::{Shop, openid};

#[test]
fn lists_that_cannot_be_read_are_refused_with_what_to_do() {
    let shop = Shop::open();
    let stock = shop.stock(10, &[]);
    let good = openid(1);
    for (name, text, words) in [
        ("empty.csv", String::new(), "list.empty"),
        ("blank.csv", "\n\n\n".to_owned(), "list.empty"),
        ("header.csv", "openid,name\n".to_owned(), "list.empty"),
        ("columns.csv", format!("user,name\n{good},Lin\n"), "openid"),
        ("odd.csv", format!("openid\n{good}\noPerson\u{1}x\n"), "line 3: not an openid"),
        ("dots.csv", format!("{good}\n..\n"), "line 2: not an openid"),
        ("long.csv", format!("{good}\n{}\n", "x".repeat(200)), "line 2: an openid has at most"),
        ("fields.csv", format!("openid,name\n{good},Lin\n{good}\n"), "line 3: 1 field instead of 2"),
        ("quote.csv", format!("openid\n\"{good}\n"), "line 2: a quote is not closed"),
    ] {
        shop.file(name, &text);
        let ran = shop.run(&["campaign", "plan", name, "--stock", &stock]);
        assert!(matches!(ran.code, Some(1 | 2)), "{name}: {ran:?}");
        assert!(ran.stderr.contains(words), "{name}: {ran:?}");
    }
    std::fs::write(shop.mirror.folder.path().join("latin.csv"), b"openid\n\xe4\xff\n").unwrap();
    let ran = shop.run(&["campaign", "plan", "latin.csv", "--stock", &stock]);
    assert!(ran.code == Some(2) && ran.stderr.contains("line 2: not an openid"), "{ran:?}");
    let ran = shop.run(&["campaign", "plan", "none.csv", "--stock", &stock]);
    assert!(ran.code == Some(2) && ran.stderr.contains("none.csv"), "{ran:?}");
    std::fs::write(shop.mirror.folder.path().join("cut.csv.gz"), b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x4b")
        .unwrap();
    let ran = shop.run(&["campaign", "plan", "cut.csv.gz", "--stock", &stock]);
    assert!(ran.code == Some(2) && ran.stderr.contains("cut or damaged"), "{ran:?}");
    assert!(shop.run(&["campaign", "list"]).stderr.contains("there is no ledger"), "nothing was written");

    // The people that can be read, when told so; each bad row in a file.
    let told = ["campaign", "plan", "odd.csv", "--stock", &stock, "--skip-bad-rows", "--problems", "bad.csv"];
    let planned = shop.ok(&[&told[..], &["--output", "json"]].concat()).json();
    assert_eq!((&planned["list"]["people"], &planned["list"]["malformed"]), (&1.into(), &1.into()));
    let problems = shop.read("bad.csv");
    assert!(problems.contains("not-an-openid") && !problems.contains("oPerson"), "{problems}");
}

#[test]
fn a_list_of_one_from_stdin_by_a_column_of_another_name() {
    let shop = Shop::open();
    let stock = shop.stock(5, &[]);
    let list =
        shop.file("people.txt", &format!("\u{feff}name;x,user\r\n\"Lin, \"\"A\"\"\",{}\r\n", openid(0)));
    let plan = ["campaign", "plan", "-", "--stock", &stock, "--openid-column", "user"];
    let mut unnamed = shop.command(&plan);
    let ran = crate::run::run(unnamed.stdin(Stdio::from(std::fs::File::open(&list).unwrap())));
    assert!(ran.code == Some(2) && ran.stderr.contains("--name"), "{ran:?}");
    let mut named = shop.command(&plan);
    let ran = crate::run::run(named.args(["--name", "one"]).stdin(std::fs::File::open(&list).unwrap()));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(shop.start("one").1["sent"], 1);
    shop.everybody_has_one(&stock, 1);
}

#[test]
fn a_packed_list() {
    let shop = Shop::open();
    let stock = shop.stock(30, &[]);
    shop.list("packed.csv", 30);
    let packed =
        Command::new("gzip").arg("packed.csv").current_dir(shop.mirror.folder.path()).status().unwrap();
    assert!(packed.success());
    shop.ok(&["campaign", "plan", "packed.csv.gz", "--stock", &stock, "--rate", "100000"]);
    assert_eq!(shop.start("packed").1["sent"], 30);
    shop.everybody_has_one(&stock, 30);
}

#[test]
fn a_dry_run_looks_at_everything_and_writes_nothing() {
    let shop = Shop::open();
    let stock = shop.stock(30, &["--by-day", "50yuan"]);
    shop.list("spring.csv", 30);
    let dry = ["campaign", "plan", "spring.csv", "--stock", &stock, "--dry-run", "--window", "09:00-21:00"];
    let ran = shop.ok(&[&dry[..], &["--output", "json"]].concat());
    let planned = ran.json();
    assert_eq!((&planned["planned"], &planned["coupons"]), (&json!(false), &json!(30)));
    assert_eq!(planned["days_by_budget"], 3, "ten coupons a day: {planned}");
    let findings = planned["findings"].as_array().unwrap();
    assert!(
        findings.iter().any(|finding| finding["code"] == "budget.daily" && finding["severity"] == "warning")
    );
    assert!(ran.stderr.contains("a dry run"), "{ran:?}");
    assert!(!shop.mirror.folder.path().join("favor-campaigns.sqlite").exists());
    assert_eq!(shop.given(&stock).len(), 0);
}

#[test]
fn a_plan_repeated_changes_nothing_and_another_one_needs_another_name() {
    let shop = Shop::open();
    let stock = shop.stock(60, &[]);
    shop.list("spring.csv", 20);
    let plan = ["campaign", "plan", "spring.csv", "--stock", &stock, "--rate", "100000", "--output", "json"];
    assert_eq!(shop.ok(&plan).json()["was_planned"], false);
    let again = shop.ok(&plan);
    assert_eq!((&again.json()["was_planned"], &again.json()["planned"]), (&json!(true), &json!(true)));
    assert!(again.stderr.contains("planned before"), "{again:?}");
    shop.start("spring");
    shop.ok(&plan);
    assert_eq!(shop.stands("spring")["state"], "finished");
    shop.everybody_has_one(&stock, 20);

    shop.list("spring.csv", 21);
    let other = shop.run(&plan);
    assert!(other.code == Some(2) && other.stderr.contains("choose another name"), "{other:?}");
    // Under the key of the first, everybody who has a coupon gets the same one again.
    let more = [&plan[..], &["--name", "more", "--key", "spring", "--allow-again"]].concat();
    shop.ok(&more);
    assert_eq!(shop.start("more").1["sent"], 21);
    shop.everybody_has_one(&stock, 21);
}

#[test]
fn a_list_that_changed_after_planning_is_refused() {
    let shop = Shop::planned("spring", 10);
    shop.list("spring.csv", 12);
    let refused = shop.run(&["campaign", "start", "spring"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    for word in ["spring.csv", "favor campaign discard spring", "--as-planned"] {
        assert!(refused.stderr.contains(word), "{refused:?}");
    }
    assert_eq!(shop.stands("spring")["state"], "planned");
    let ran = shop.ok(&["campaign", "start", "spring", "--as-planned"]);
    assert!(ran.stdout.contains("\"sent\":10"), "{ran:?}");
    // Once begun, the ledger has the people, and the file does not matter any more.
    shop.list("spring.csv", 14);
    assert_eq!(shop.start("spring").0.code, Some(0));
}

#[test]
fn people_of_another_campaign_on_the_same_stock_are_shown() {
    let shop = Shop::open();
    let stock = shop.stock(40, &["--per-user", "2"]);
    shop.list("first.csv", 12);
    let first = ["campaign", "plan", "first.csv", "--stock", &stock, "--rate", "100000"];
    shop.ok(&first);
    let second: String = (8..20).map(|person| format!("{}\n", openid(person))).collect();
    shop.file("second.csv", &second);
    let plan = ["campaign", "plan", "second.csv", "--stock", &stock, "--rate", "100000", "--output", "json"];
    let refused = shop.run(&plan);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert_eq!(
        (&refused.json()["planned"], &refused.json()["overlaps"][0]["people"]),
        (&json!(false), &json!(4))
    );
    assert!(refused.stderr.contains("first") && refused.stderr.contains("--allow-again"), "{refused:?}");
    assert!(!shop.ok(&["campaign", "list"]).stdout.contains("second"), "the plan was taken back");
    let told = shop.ok(&[&plan[..], &["--allow-again"]].concat());
    assert!(told.stderr.contains("4 people"), "{told:?}");
    assert_eq!(
        (shop.start("first").1["sent"].clone(), shop.start("second").1["sent"].clone()),
        (12.into(), 12.into())
    );
    assert_eq!(shop.given(&stock).values().filter(|count| **count == 2).count(), 4);
}

#[test]
fn options_that_make_no_sense_are_refused_before_the_list_is_read() {
    let shop = Shop::open();
    shop.file("policy.toml", "[[rule]]\ncodee = \"X\"\nclass = \"park\"\n");
    let plan = ["campaign", "plan", "none.csv", "--stock", "15300001"];
    for (more, words) in [
        (["--window", "9-21"], "such as 09:00-21:00"),
        (["--window", "09:00-09:00"], "ends when it begins"),
        (["--rate", "0"], "0 is not in"),
        (["--coupons-per-person", "61"], "61 is not in"),
        (["--name", "a b"], "1 to 32"),
        (["--ramp-up", "ten"], "no length of time"),
        (["--policy", "policy.toml"], "codee"),
        (["--policy", "nowhere.toml"], "nowhere.toml"),
        (["--coupon-value", "5yuan"], "--coupon-minimum"),
        (["--ledger", "postgres://shop:sesame@db/favor"], "FAVOR_LEDGER"),
    ] {
        let ran = shop.run(&[&plan[..], &more[..]].concat());
        assert!(ran.code == Some(2) && ran.stderr.contains(words), "{more:?}: {ran:?}");
        assert!(!ran.stderr.contains("sesame"), "{ran:?}");
    }
}

#[test]
fn the_ledger_of_the_profile_lies_beside_it() {
    let world = crate::world::World::new();
    let mut world = world;
    world.set("ledger", "books/c.sqlite");
    std::fs::create_dir(world.folder.path().join("books")).unwrap();
    let ran = world.run(&["campaign", "list"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("books/c.sqlite"), "{ran:?}");
    world.set("ledger", "postgres://shop:sesame@db/favor");
    let ran = world.run(&["campaign", "list"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("ledger of the profile"), "{ran:?}");
}
