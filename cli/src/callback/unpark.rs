//! `favor callback unpark`: parked notifications made due again.

use serde_json::json;

use super::place::Place;
use super::selection;
use crate::args::{Global, Unpark};
use crate::exit::Exit;
use crate::output::Output;

pub(crate) async fn run(args: &Unpark, global: &Global, output: &Output) -> anyhow::Result<Exit> {
    let opened = Place::of(&args.place, global)?.open_existing().await?;
    let inbox = opened.inbox();
    let which = match &args.id {
        Some(name) => Some(selection::find(&*inbox, name).await?),
        None => None,
    };
    let unparked = inbox.unpark(which).await?;
    opened.close().await;
    if output.is_json() {
        output.json(&json!({ "unparked": unparked }))?;
    } else {
        output.line(&format!("{unparked} due again"))?;
    }
    if unparked == 0 && which.is_some() {
        output.complain("error", "it is not parked");
        return Ok(Exit::Refused);
    }
    Ok(Exit::Done)
}
