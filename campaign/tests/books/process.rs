//! What needs a process of its own: the standard input, and how much memory is used. The process is this test program,
//! started with one test to run.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use favor_campaign::list::{ListSource, read};

/// Tells the process its folder.
const FOLDER: &str = "FAVOR_TEST_FOLDER";

/// Runs one of the ignored tests below with something on its standard input, and returns what it says.
fn run(test: &str, folder: &Path, input: &[u8]) -> String {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "--test-threads=1", test])
        .env(FOLDER, folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    text
}

#[test]
#[ignore = "run by `a_list_may_come_on_the_standard_input`"]
fn reads_its_standard_input() {
    let list = read(&ListSource::new("-")).unwrap();
    let facts = list.facts();
    println!("\n{}: {} people, {} duplicates", facts.file, facts.people, facts.duplicates);
}

#[test]
fn a_list_may_come_on_the_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let text = run("process::reads_its_standard_input", folder.path(), b"b\na\nb\n");
    assert!(text.contains("\n-: 2 people, 1 duplicates\n"), "{text}");
    let text = run("process::reads_its_standard_input", folder.path(), b"");
    assert!(text.contains("\n-: 0 people, 0 duplicates\n"), "{text}");
}

/// Memory is counted in /proc.
#[cfg(target_os = "linux")]
mod memory {
    use std::path::PathBuf;

    use favor_campaign::{FlowCover, ReconcileOptions, Reconciliation};

    use super::*;

    /// The most memory that this process ever had, in KiB.
    fn peak() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    fn folder() -> PathBuf {
        std::env::var_os(FOLDER).expect("another test runs this one").into()
    }

    fn list(people: u64) -> PathBuf {
        let file = folder().join("list.csv");
        let mut out = std::io::BufWriter::new(std::fs::File::create(&file).unwrap());
        writeln!(out, "openid,unionid").unwrap();
        for number in 0..people {
            let scattered = number * 7_919 % people;
            writeln!(out, "oTea{scattered:024},u{scattered:027}").unwrap();
        }
        out.flush().unwrap();
        file
    }

    #[test]
    #[ignore = "run by `memory_does_not_grow_with_the_list`"]
    fn reads_a_small_and_a_large_list() {
        let read_all = |people: u64| {
            let mut list = read(&ListSource::new(list(people)).memory(1 << 20)).unwrap();
            let read = list.people().unwrap().map(Result::unwrap).count();
            assert_eq!(u64::try_from(read).unwrap(), people);
            peak()
        };
        let small = read_all(20_000);
        println!("\ngrew {} KiB", read_all(200_000) - small);
    }

    #[test]
    #[ignore = "run by `memory_does_not_grow_with_the_flows`"]
    fn reconciles_a_small_and_a_large_flow() {
        let header = "批次id,优惠id,优惠类型,优惠金额（元）,订单总金额（元）,交易类型,支付单号,消耗时间,消耗商户号,设备号,银行流水号,单品信息";
        let reconcile = |rows: u64| {
            let file = folder().join("flow.csv");
            let mut flow = std::io::BufWriter::new(std::fs::File::create(&file).unwrap());
            write!(flow, "{header}\r\n").unwrap();
            for number in 0..rows {
                let id = number * 7_919 % rows;
                let (coupon, payment) = (format!("`c{id:017}"), format!("`t{id:027}"));
                write!(
                    flow,
                    "`1530,{coupon},`全场代金券,`5.00,`30.00,`支付,{payment},`2026-11-01 10:00:00,`1,\"\",\"\",\"\"\r\n"
                )
                .unwrap();
            }
            write!(flow, "总条数\r\n`{rows}\r\n").unwrap();
            flow.flush().unwrap();
            let stock = "1530".parse().unwrap();
            let mut reconciliation = Reconciliation::new(stock, &ReconcileOptions::default().memory(1 << 20));
            let input = std::io::BufReader::new(std::fs::File::open(&file).unwrap());
            reconciliation.add_use_flow("flow", input, FlowCover::Whole).unwrap();
            let now = chrono::DateTime::parse_from_rfc3339("2026-11-21T18:00:00+08:00").unwrap();
            let reconciled = reconciliation.finish(now).unwrap();
            assert_eq!(reconciled.totals().use_of_others.count, rows);
            assert!(reconciled.totals().balance());
        };
        reconcile(10_000);
        let before = peak();
        reconcile(100_000);
        println!("\ngrew {} KiB", peak() - before);
    }

    fn grew(test: &str) -> u64 {
        let folder = tempfile::tempdir().unwrap();
        let text = run(test, folder.path(), b"");
        let line = text.lines().find_map(|line| line.strip_prefix("grew ")).expect("it says how much");
        line.strip_suffix(" KiB").unwrap().parse().unwrap()
    }

    #[test]
    fn memory_does_not_grow_with_the_list() {
        // 180,000 people more are 12 MB.
        let grown = grew("process::memory::reads_a_small_and_a_large_list");
        assert!(grown < 6 << 10, "{grown} KiB more");
    }

    #[test]
    fn memory_does_not_grow_with_the_flows() {
        // 90,000 lines more are 14 MB in the sort.
        let grown = grew("process::memory::reconciles_a_small_and_a_large_flow");
        assert!(grown < 6 << 10, "{grown} KiB more");
    }
}
