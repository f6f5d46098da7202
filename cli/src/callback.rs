//! `favor callback …`

mod address;
pub(crate) mod forward;
mod list;
mod listen;
mod merchants;
pub(crate) mod place;
mod replay;
mod report;
mod selection;
pub(crate) mod server;
mod shown;
mod trigger;
mod unpark;

use crate::args::{self, Global};
use crate::exit::Exit;
use crate::output::Output;

pub(crate) async fn run(command: args::Callback, global: &Global, output: &Output) -> anyhow::Result<Exit> {
    match command {
        args::Callback::Set(args) => address::set(&args, global, output).await,
        args::Callback::Get => address::get(global, output).await,
        args::Callback::Listen(args) => listen::run(&args, global, output).await,
        args::Callback::Trigger(args) => trigger::run(&args, global, output).await,
        args::Callback::Replay(args) => replay::run(&args, global, output).await,
        args::Callback::List(args) => list::run(&args, global, output).await,
        args::Callback::Unpark(args) => unpark::run(&args, global, output).await,
    }
}
