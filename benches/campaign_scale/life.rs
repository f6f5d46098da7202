//! A campaign from its list to its report.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use favor::campaign::list::{self, ListSource};
use favor::campaign::report::{self, ReportOptions};
use favor::campaign::{
    Answer, CampaignName, Ended, Ledger as _, Manifest, Order, OutcomeState, Runner, Sender, SqliteLedger,
    import,
};
use favor::core::{AppId, Clock as _, CouponId, MerchantId, OpenId, StockId, SystemClock, time};
use favor::coupon::SendCoupon;
use futures_util::future::BoxFuture;

use crate::Failed;
use crate::meter::Phase;

/// Far more than it comes to: nothing waits for the limit.
const PER_SECOND: u32 = 1_000_000;
const IN_FLIGHT: u32 = 1_000;

pub(crate) fn run(people: u64, folder: &Path) -> Result<Vec<Phase>, Failed> {
    let folder = tempfile::Builder::new().prefix("favor-scale").tempdir_in(folder)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let file = folder.path().join("people.csv");
    write_list(people, &file)?;
    let mut phases = Vec::new();

    let phase = Phase::begin("list")?;
    let mut sorted = list::read(&ListSource::new(&file))?;
    phases.push(phase.end()?);
    if sorted.facts().people != people {
        return Err("the list has another number of people".into());
    }

    let phase = Phase::begin("import")?;
    let ledger = Arc::new(runtime.block_on(SqliteLedger::open(folder.path().join("campaigns.sqlite")))?);
    let manifest = manifest(sorted.facts().clone())?;
    let campaign = runtime.block_on(import(&*ledger, &manifest, &mut sorted))?;
    phases.push(phase.end()?);
    drop(sorted);

    let phase = Phase::begin("send")?;
    runtime.block_on(ledger.order(campaign, Order::Start))?;
    let runner = Runner::builder(ledger.clone(), Arc::new(AtOnce::default()), manifest.name.clone()).build();
    let ended = runtime.block_on(runner.run(std::future::pending()))?;
    phases.push(phase.end()?);
    if ended != Ended::Finished {
        return Err("the campaign did not finish".into());
    }

    let phase = Phase::begin("report")?;
    let campaign = runtime.block_on(ledger.campaign(&manifest.name))?;
    let to = folder.path().join("report.csv");
    runtime.block_on(report::write_csv_file(&*ledger, &campaign, &to, ReportOptions::default()))?;
    phases.push(phase.end()?);
    check(people, campaign.standing.count(OutcomeState::Sent), &to)?;
    runtime.block_on(ledger.close());
    Ok(phases)
}

/// One openid per line, in no order.
fn write_list(people: u64, file: &Path) -> Result<(), Failed> {
    let mut list = BufWriter::new(File::create(file)?);
    writeln!(list, "openid")?;
    for number in 0..people {
        // An odd factor gives each number one of its own.
        let shuffled = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        writeln!(list, "oScale_{shuffled:016x}_{:04}", number % 10_000)?;
    }
    Ok(list.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?)
}

fn manifest(facts: favor::campaign::ListFacts) -> Result<Manifest, Failed> {
    let merchant = MerchantId::new("1900000001")?;
    let mut manifest = Manifest::new(
        CampaignName::new("scale")?,
        merchant.clone(),
        StockId::new("16474341")?,
        merchant,
        AppId::new("wx0123456789abcdef")?,
        facts,
        time::beijing(&SystemClock::new().now()),
    );
    (manifest.pace.per_second, manifest.pace.in_flight) = (PER_SECOND, IN_FLIGHT);
    Ok(manifest)
}

/// A platform that has an answer at once, a new coupon for each request.
#[derive(Debug, Default)]
struct AtOnce(AtomicU64);

impl Sender for AtOnce {
    fn send<'a>(&'a self, _: &'a OpenId, _: &'a SendCoupon) -> BoxFuture<'a, Answer> {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        let answer = Answer {
            result: Ok(CouponId::new(format!("{number:020}")).expect("20 digits are a coupon's id")),
            request_id: Some(format!("08F7{number:024X}-0")),
        };
        Box::pin(std::future::ready(answer))
    }
}

fn check(people: u64, sent: u64, report: &Path) -> Result<(), Failed> {
    let mut lines = 0;
    for line in BufReader::new(File::open(report)?).lines() {
        lines += u64::from(line?.contains(",sent,"));
    }
    if (sent, lines) == (people, people) {
        return Ok(());
    }
    Err(format!("{sent} of {people} coupons were sent, and the report tells of {lines}").into())
}
