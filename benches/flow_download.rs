//! What a flow file's download costs: CPU time over that of plain reqwest streaming to the same disk plus SHA-1
//! alone, and peak memory for a large and a small file. See the README beside this file. Linux only.

#![expect(clippy::print_stdout, reason = "its output is what it is run for")]
#![expect(clippy::print_stderr, reason = "what went wrong goes there")]
#![expect(clippy::float_arithmetic, reason = "ratios of times, no money")]

#[path = "flow_download/server.rs"]
mod server;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use favor::prelude::*;
use favor::stock::DownloadOptions;
use futures_util::StreamExt as _;
use rustix::time::{ClockId, clock_gettime};
use sha1::{Digest as _, Sha1};

use crate::server::{BLOCK, Server, block};

const USAGE: &str = "\
usage: cargo bench --bench flow_download -- [options]
  --mib N       size of the file; 1024 unless given
  --rounds N    rounds; 5 unless given
  --check       fail when a bar is broken";
/// CPU time, as a multiple of plain streaming plus SHA-1 alone.
const BAR: f64 = 1.25;
/// Peak memory for the large file, and how much more that may be than for the small one.
const MEMORY_BAR_KIB: u64 = 24 * 1024;
const GROWTH_BAR_KIB: u64 = 4 * 1024;
const SMALL_MIB: u64 = 16;

struct Options {
    mib: u64,
    rounds: u32,
    check: bool,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words[..] {
        ["--serve", mib] => mib.parse().map_err(Into::into).and_then(|mib| Ok(server::serve(mib)?)),
        ["--memory-client", address] => memory_client(address),
        _ if words.contains(&"--list") => Ok(ExitCode::SUCCESS),
        _ => match options(&words) {
            Some(options) => measure(&options),
            None => {
                eprintln!("{USAGE}");
                return ExitCode::from(2);
            }
        },
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

/// Cargo gives `--bench` when it benches; without it this is a short trial that judges nothing.
fn options(words: &[&str]) -> Option<Options> {
    let mut options = Options { mib: 1024, rounds: 5, check: false };
    let mut trial = true;
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match *word {
            "--bench" => trial = false,
            "--check" => options.check = true,
            "--mib" => options.mib = rest.next()?.parse().ok()?,
            "--rounds" => options.rounds = rest.next()?.parse().ok().filter(|rounds| *rounds > 0)?,
            _ => return None,
        }
    }
    Some(if trial { Options { mib: SMALL_MIB, rounds: 1, check: false } } else { options })
}

fn measure(options: &Options) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(options.mib)?;
    let runtime = runtime()?;
    println!("a file of {} MiB, {} rounds; CPU time of the process, in seconds", options.mib, options.rounds);
    println!("round     ours    again   stream    SHA-1  ours/(stream+SHA-1)     A/A");
    let (mut ratios, mut controls) = (Vec::new(), Vec::new());
    for round in 1..=options.rounds {
        let ours = spent(|| runtime.block_on(ours(&server.address, &folder.path().join("ours"))))?;
        let stream = spent(|| runtime.block_on(stream(&server.address, &folder.path().join("stream"))))?;
        let hash = spent(|| {
            hash(options.mib);
            Ok(())
        })?;
        let again = spent(|| runtime.block_on(self::ours(&server.address, &folder.path().join("ours"))))?;
        let [ours, again, stream, hash] = [ours, again, stream, hash].map(|time| time.as_secs_f64());
        let (ratio, control) = (ours / (stream + hash), again / ours);
        println!(
            "{round:>5} {ours:>8.3} {again:>8.3} {stream:>8.3} {hash:>8.3} {ratio:>20.3} {control:>7.3}"
        );
        ratios.push(ratio);
        controls.push(control);
    }
    let (ratio, control) = (median(&mut ratios), median(&mut controls));
    println!("median ratio {ratio:.3} (bar {BAR}), median A/A {control:.3}");
    let large = peak(&server.address)?;
    let small = peak(&Server::start(SMALL_MIB)?.address)?;
    println!(
        "peak resident memory: {large} KiB for {} MiB (bar {MEMORY_BAR_KIB}), {small} KiB for {SMALL_MIB} MiB \
         (at most {GROWTH_BAR_KIB} less)",
        options.mib
    );
    let holds = ratio <= BAR && large < MEMORY_BAR_KIB && large <= small + GROWTH_BAR_KIB;
    println!("the bars {}", if holds { "hold" } else { "are BROKEN" });
    Ok(if options.check && !holds { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

fn spent(
    work: impl FnOnce() -> Result<(), Box<dyn std::error::Error>>,
) -> Result<Duration, Box<dyn std::error::Error>> {
    let now = || Duration::try_from(clock_gettime(ClockId::ProcessCPUTime));
    let before = now()?;
    work()?;
    Ok(now()?.saturating_sub(before))
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The link of a flow may come unsigned, so the server signs nothing.
fn client(address: &str) -> Result<Client, Box<dyn std::error::Error>> {
    let key = PrivateKey::from_pem(include_str!("../core/tests/it/keys/merchant.pem"))?;
    let signer = MerchantSigner::new("1900000109".parse()?, "0C4A", key)?;
    let platform = PublicKey::from_pem(include_str!("../core/tests/it/keys/public-key-public.pem"))?;
    let keys = PlatformKeys::public_key("PUB_KEY_ID_0119000001092026052000000000000001", platform)?;
    Ok(Client::builder(signer, keys).base_url(format!("http://{address}")).build()?)
}

/// The library's download.
async fn ours(address: &str, to: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let client = client(address)?;
    let flow = Stocks::new(&client).use_flow(&"15300001".parse()?);
    flow.download_with(to, &DownloadOptions::default().replace(true)).await?;
    Ok(())
}

/// What anybody would write without checking anything.
async fn stream(address: &str, to: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let response = reqwest::Client::new().get(format!("http://{address}/file")).send().await?;
    let mut body = response.bytes_stream();
    let mut file = std::fs::File::create(to)?;
    while let Some(chunk) = body.next().await {
        file.write_all(&chunk?)?;
    }
    file.sync_all()?;
    Ok(())
}

fn hash(mib: u64) {
    let block = block();
    let mut hash = Sha1::new();
    for _ in 0..mib {
        hash.update(&block);
    }
    std::hint::black_box(hash.finalize());
}

/// The peak memory of a fresh process that downloads the server's file.
fn peak(address: &str) -> Result<u64, Box<dyn std::error::Error>> {
    let output = Command::new(std::env::current_exe()?)
        .args(["--memory-client", address])
        .stderr(Stdio::inherit())
        .output()?;
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

fn memory_client(address: &str) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    runtime()?.block_on(ours(address, &folder.path().join("file")))?;
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    println!("{}", line.trim().trim_end_matches("kB").trim());
    Ok(ExitCode::SUCCESS)
}

const _: () = assert!(BLOCK == 1 << 20, "a block is a MiB");
