//! The processes that work on a campaign: one imports the list, others send.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use favor::core::time::beijing;
use favor::core::{Clock as _, SystemClock};
use favor_campaign::*;

use crate::child;
use crate::network::Network;
use crate::point::Points;
use crate::sabotage::{FalseLedger, FalseSender, Sabotage, Saboteur};
use crate::store::Store;
use crate::watched::Watched;
use crate::world::{self, LIST};

/// What a worker calls itself.
pub const NAME: &str = "FAVOR_CHAOS_WORKER";
/// How long it holds a chunk without a sign of life, in milliseconds.
pub const LEASE: &str = "FAVOR_CHAOS_LEASE";
/// Each such send is answered by a forger.
pub const FORGED_EACH: &str = "FAVOR_CHAOS_FORGED_EACH";

/// Faster than any machine here sends: what is tested is not the pace.
const PER_SECOND: u32 = 20_000;
const IN_FLIGHT: u32 = 40;

pub fn run_import(folder: &Path) -> ExitCode {
    runtime().block_on(import_list(folder));
    ExitCode::SUCCESS
}

/// Plans the campaign, imports its people and starts it; goes on where an earlier process was killed.
async fn import_list(folder: &Path) {
    let points = Arc::new(Points::of_this_process());
    let ledger = Store::in_folder(folder).open().await;
    let books = Watched::new(ledger, points, folder.to_owned());
    let text = |name: &str| world::read(folder, name);
    let source = ListSource::new(folder.join(LIST));
    let mut list = tokio::task::spawn_blocking(move || list::read(&source)).await.unwrap().unwrap();
    let merchant: favor::prelude::MerchantId = text("mchid").parse().unwrap();
    let mut manifest = Manifest::new(
        campaign_name(),
        merchant.clone(),
        text("stock_id").parse().unwrap(),
        merchant,
        text("appid").parse().unwrap(),
        list.facts().clone(),
        beijing(&SystemClock::new().now()),
    );
    manifest.coupons_per_person = text("coupons_each").parse().unwrap();
    manifest.pace.per_second = PER_SECOND;
    manifest.pace.in_flight = IN_FLIGHT;
    let campaign = import(&books, &manifest, &mut list).await.unwrap();
    books.order(campaign, Order::Start).await.unwrap();
}

pub fn run_worker(folder: &Path) -> ExitCode {
    let runtime = runtime();
    let code = runtime.block_on(work(folder));
    // Without waiting for its input to end.
    runtime.shutdown_background();
    code
}

async fn work(folder: &Path) -> ExitCode {
    let points = Arc::new(Points::of_this_process());
    let saboteur = Sabotage::of_this_process().map(|kind| Saboteur::new(kind, folder.to_owned()));
    let books = Store::in_folder(folder).open().await;
    let mut ledger: Arc<dyn Ledger> = Arc::new(Watched::new(books, points.clone(), folder.to_owned()));
    let believed = saboteur.as_ref().map(|saboteur| saboteur.believed.clone());
    let forged_each = number(FORGED_EACH);
    let client = world::client(folder, |network: Network| {
        network.points(points).forged_each(forged_each).believed(believed)
    });
    let mut sender: Arc<dyn Sender> = Arc::new(ClientSender::new(&client));
    if let Some(saboteur) = saboteur {
        ledger = Arc::new(FalseLedger { saboteur: saboteur.clone(), inner: ledger, sender: sender.clone() });
        sender = Arc::new(FalseSender { saboteur, inner: sender });
    }
    let runner = Runner::builder(ledger, sender, campaign_name())
        .worker(WorkerId(std::env::var(NAME).unwrap()))
        .lease(Duration::from_millis(number(LEASE)))
        .build();
    let mut listening = child::told(|_| {});
    loop {
        match runner.run(async { drop((&mut listening).await) }).await {
            Ok(Ended::Finished) => return ExitCode::SUCCESS,
            // The database may be down just when a worker begins.
            Err(RunError::Ledger(error)) if error.is_temporary() && !listening.is_finished() => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            other => panic!("the runner ended with {other:?}"),
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn campaign_name() -> CampaignName {
    "chaos".parse().unwrap()
}

fn number(name: &str) -> u64 {
    std::env::var(name).unwrap().parse().unwrap()
}
