//! `favor certs …`

mod check;
mod download;
mod held;
mod list;
mod refresh;
mod status;
mod verdict;
mod watch;

use crate::args::{self, Global};
use crate::exit::Exit;
use crate::output::Output;

pub(crate) async fn run(command: args::Certs, global: &Global, output: &Output) -> anyhow::Result<Exit> {
    match command {
        args::Certs::List => list::run(global, output).await,
        args::Certs::Download(download) => download::run(&download, global, output).await,
        args::Certs::Check(check) => check::run(&check, global, output).await,
        args::Certs::Watch => watch::run(global, output).await,
        args::Certs::Refresh(refresh) => refresh::run(&refresh, output).await,
        args::Certs::Status(status) => status::run(&status, output),
    }
}
