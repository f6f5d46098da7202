//! `favor callback …`

mod address;
mod trigger;

use crate::args::{self, Global};
use crate::exit::Exit;
use crate::output::Output;

pub(crate) async fn run(command: args::Callback, global: &Global, output: &Output) -> anyhow::Result<Exit> {
    match command {
        args::Callback::Set(args) => address::set(&args, global, output).await,
        args::Callback::Get => address::get(global, output).await,
        args::Callback::Trigger(args) => trigger::run(&args, global, output).await,
    }
}
