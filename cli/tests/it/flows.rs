//! `favor stock use-flow` and `refund-flow`: the command, killed, and on a full disk.

use std::process::{Command, Stdio};

use crate::file_server::{FileReply, FileServer, sha1_of};
use crate::run::{MirrorProcess, Ran, favor, run};
use crate::stock_and_coupon::running_stock;

/// A merchant's settings for a server that signs nothing: flow links may come unsigned.
fn favor_at(server: &FileServer, folder: &std::path::Path) -> Command {
    let keys = concat!(env!("CARGO_MANIFEST_DIR"), "/../mirror/keys");
    let public =
        run(Command::new("openssl").args(["rsa", "-pubout", "-in", &format!("{keys}/public-key.pem")]));
    assert_eq!(public.code, Some(0), "openssl is needed (apt-get install openssl): {public:?}");
    std::fs::write(folder.join("pub_key.pem"), public.stdout).unwrap();
    let mut command = favor(folder);
    command
        .env("FAVOR_BASE_URL", server.url())
        .env("FAVOR_MCHID", "1900000109")
        .env("FAVOR_SERIAL_NO", "0C4A")
        .env("FAVOR_PRIVATE_KEY_FILE", format!("{keys}/merchant-1.pem"))
        .env("FAVOR_PUBLIC_KEY_ID", "PUB_KEY_ID_0000000000000000000000000000")
        .env("FAVOR_PUBLIC_KEY_FILE", "pub_key.pem");
    command
}

fn flow_file(rows: usize) -> Vec<u8> {
    let mut file = String::from(
        "批次id,优惠id,优惠类型,优惠金额（元）,订单总金额（元）,交易类型,支付单号,消耗时间,消耗商户号,设备号,银行流水号,单品信息\r\n",
    );
    for row in 0..rows {
        file.push_str(&format!(
            "`15300001,`{},`全场代金券,`5.00,`38.50,`支付,`{},`2026-11-27 18:00:41,`,\"\",\"\",\"\"\r\n",
            18_180_000_000_001_usize + row,
            4_200_000_000_000_usize + row
        ));
    }
    file.push_str(&format!("总条数\r\n`{rows}\r\n"));
    file.into_bytes()
}

fn names(folder: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name != "pub_key.pem").collect();
    names.sort();
    names
}

#[test]
fn a_flow_is_downloaded_and_summed() {
    let mirror = MirrorProcess::start(&[]);
    let stock_id = running_stock(&mirror);
    for person in ["oA", "oB", "oC"] {
        let sent = mirror.run(&["coupon", "send", &stock_id, person, "--output", "json"]).json();
        let coupon = sent["coupon_id"].as_str().unwrap();
        mirror.control("POST", &format!("coupons/{coupon}/redeem"), r#"{"total_amount":3850}"#);
        if person == "oC" {
            mirror.control("POST", &format!("coupons/{coupon}/refund"), "{}");
        }
    }
    let early = mirror.run(&["stock", "use-flow", &stock_id, "--to", "use.csv"]);
    assert_eq!(early.code, Some(1), "{early:?}");
    assert!(early.stderr.contains("RESOURCE_NOT_EXISTS"), "{early:?}");
    mirror.control("POST", "clock", r#"{"advance_seconds":2764800}"#);

    let table = mirror.run(&["stock", "use-flow", &stock_id, "--to", "use.csv", "--summary"]);
    assert_eq!(table.code, Some(0), "{table:?}");
    for words in ["rows", "3", "15.00 yuan", "115.50 yuan", "as announced"] {
        assert!(table.stdout.contains(words), "{words} is missing in {}", table.stdout);
    }
    let again = mirror.run(&["stock", "use-flow", &stock_id, "--to", "use.csv"]);
    assert_eq!(again.code, Some(2), "{again:?}");
    assert!(again.stderr.contains("use.csv exists"), "{again:?}");

    let json = mirror.run(&[
        "stock",
        "refund-flow",
        &stock_id,
        "--to",
        "use.csv",
        "--replace",
        "--summary",
        "--output",
        "json",
    ]);
    let json = json.json();
    assert_eq!((&json["summary"]["all"]["rows"], &json["bad_rows"]), (&1.into(), &0.into()), "{json}");
    assert_eq!(json["summary"]["all"]["discount"], 500);
}

#[test]
fn a_file_that_is_not_as_announced_exits_with_3() {
    let file = flow_file(10);
    let server = FileServer::planned(move |_| ("0".repeat(40), FileReply::whole(file.clone())));
    let folder = tempfile::tempdir().unwrap();
    let ran =
        run(favor_at(&server, folder.path()).args(["stock", "use-flow", "15300001", "--to", "use.csv"]));
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("SHA-1") && ran.stderr.contains("nothing was kept"), "{ran:?}");
    assert!(names(folder.path()).is_empty());
}

#[cfg(unix)]
#[test]
fn killed_in_the_middle_nothing_has_the_final_name_and_the_next_run_cleans_up() {
    let file = flow_file(2_000);
    let (served, cut) = (file.clone(), file.len() / 2);
    let server = FileServer::planned(move |attempt| {
        let first = attempt == 0;
        let reply =
            FileReply { cut_at: first.then_some(cut), stall: first, ..FileReply::whole(served.clone()) };
        (sha1_of(&served), reply)
    });
    let folder = tempfile::tempdir().unwrap();
    let download = ["stock", "use-flow", "15300001", "--to", "use.csv"];
    let mut child = favor_at(&server, folder.path()).args(download).stderr(Stdio::null()).spawn().unwrap();
    server.stalled.lock().unwrap().recv().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(names(folder.path()), [".use.csv.favor-part"], "half a file, under its hidden name");

    let ran = run(favor_at(&server, folder.path()).args(download));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(names(folder.path()), ["use.csv"]);
    assert_eq!(std::fs::read(folder.path().join("use.csv")).unwrap(), file);
}

/// A file system of 256 KiB in a mount namespace of its own, where the command runs.
#[cfg(target_os = "linux")]
fn on_a_small_disk(server: &FileServer, folder: &std::path::Path) -> Ran {
    let inner = favor_at(server, folder);
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c"]).arg(
        "mount -t tmpfs -o size=256k tmpfs small && \
         \"$FAVOR_BIN\" stock use-flow 15300001 --to small/use.csv; code=$?; ls -A small; exit $code",
    );
    command.current_dir(folder).env("FAVOR_BIN", inner.get_program()).env("NO_COLOR", "1");
    for (name, value) in inner.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    run(&mut command)
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_named_and_leaves_nothing() {
    let server = FileServer::of(flow_file(5_000));
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("small")).unwrap();
    let ran = on_a_small_disk(&server, folder.path());
    assert_eq!(ran.code, Some(2), "unshare (util-linux) with user namespaces is needed: {ran:?}");
    assert!(ran.stderr.contains("No space left on device") && ran.stderr.contains("use.csv"), "{ran:?}");
    assert_eq!(ran.stdout, "", "the hidden file is removed too");
}

#[cfg(unix)]
#[test]
fn a_folder_that_may_not_be_written_is_named() {
    let server = FileServer::of(flow_file(10));
    let folder = tempfile::tempdir().unwrap();
    // Not even root writes there.
    let ran = run(favor_at(&server, folder.path()).args([
        "stock",
        "use-flow",
        "15300001",
        "--to",
        "/proc/use.csv",
    ]));
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("/proc/"), "{ran:?}");
}
