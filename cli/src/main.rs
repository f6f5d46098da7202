//! The `favor` command: parse, run, exit.

mod amount;
mod args;
mod callback;
mod campaign;
mod card;
mod certs;
mod confirm;
mod coupon;
mod decrypt;
mod demo;
mod doctor;
mod env;
mod exit;
mod expiry;
mod flow;
mod image;
mod key_files;
mod mirror;
mod output;
mod place;
mod profile;
mod progress;
mod sample_stock;
mod saved;
mod settings;
mod sign;
mod stock;
mod verify;
mod when;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Args, Command};
use crate::exit::Exit;
use crate::output::Output;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() };
        }
    };
    let output = Output::new(args.global.output, args.global.color, args.global.quiet);
    // A daemon has nobody to show anything to but its log.
    let watches = matches!(args.command, Command::Certs(args::Certs::Watch));
    log(args.global.verbose.max(watches.into()));
    // A panic is our bug; the message of the default hook stays, and the exit code says so.
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(args, &output)));
    match result {
        Ok(Ok(exit)) => exit.into(),
        Ok(Err(error)) => {
            let exit = exit::report(&error, &output);
            if exit != Exit::Done {
                output.name_next();
            }
            exit.into()
        }
        Err(_) => {
            output.talk("this is a bug in favor; please report it with the lines above");
            output.name_next();
            Exit::Bug.into()
        }
    }
}

fn run(args: Args, output: &Output) -> anyhow::Result<Exit> {
    let Args { global, command } = args;
    let runtime = match &command {
        Command::Certs(args::Certs::Watch) => favor_certs::runtime()?,
        _ => tokio::runtime::Builder::new_multi_thread().enable_all().build()?,
    };
    runtime.block_on(async {
        match command {
            Command::Demo(demo) => demo::run(demo, output).await,
            Command::Mirror(mirror) => mirror::run(mirror, &global, output).await,
            Command::Doctor(doctor) => doctor::run(doctor, &global, output).await,
            Command::Stock(command) => stock::run(command, &global, output).await,
            Command::Coupon(command) => coupon::run(command, &global, output).await,
            Command::Image(command) => image::run(command, &global, output).await,
            Command::Callback(command) => callback::run(*command, &global, output).await,
            Command::Campaign(command) => campaign::run(*command, &global, output).await,
            Command::Card(card) => card::run(*card, &global, output).await,
            Command::Verify(verify) => verify::run(verify, &global, output).await,
            Command::Decrypt(decrypt) => decrypt::run(&decrypt, &global, output),
            Command::Certs(command) => certs::run(command, &global, output).await,
            Command::Sign(sign) => sign::run(&sign, &global, output).await,
        }
    })
}

fn log(verbosity: u8) {
    let level = match verbosity {
        0 => return,
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let filter = ["core", "callback", "campaign", "card", "certs", "mirror"]
        .map(|part| format!("favor_{part}={level}"))
        .join(",");
    let filter = format!("warn,{filter}");
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false).init();
}
