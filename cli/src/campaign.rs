//! `favor campaign …`

mod again;
mod audit;
mod budget;
mod changed;
mod control;
mod discard;
mod find;
mod holds;
mod list;
mod live;
mod next;
mod pilot;
mod place;
mod plan;
mod policy_file;
mod reconcile;
mod report;
mod retry;
mod shown;
mod speed;
mod start;
mod summary;
mod watch;
pub(crate) mod work;
mod worker;

use crate::args::{self, Global};
use crate::exit::Exit;
use crate::output::Output;

pub(crate) async fn run(command: args::Campaign, global: &Global, output: &Output) -> anyhow::Result<Exit> {
    match command {
        args::Campaign::Plan(args) => plan::run(&args, global, output).await,
        args::Campaign::Start(args) => start::run(&args, global, output).await,
        args::Campaign::Worker(args) => worker::run(&args, global, output).await,
        args::Campaign::Watch(args) => watch::run(&args, global, output).await,
        args::Campaign::Retry(args) => retry::run(&args, global, output).await,
        args::Campaign::Report(args) => report::run(&args, global, output).await,
        args::Campaign::Audit(args) => audit::run(&args, global, output).await,
        args::Campaign::Reconcile(args) => reconcile::run(&args, global, output).await,
        args::Campaign::Pause(args) => control::pause(&args, global, output).await,
        args::Campaign::Resume(args) => control::resume(&args, global, output).await,
        args::Campaign::Stop(args) => control::stop(&args, global, output).await,
        args::Campaign::List(args) => list::campaigns(&args, global, output).await,
        args::Campaign::History(args) => list::history(&args, global, output).await,
        args::Campaign::Purge(args) => discard::purge(&args, global, output).await,
        args::Campaign::Discard(args) => discard::discard(&args, global, output).await,
    }
}
