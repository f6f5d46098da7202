//! `favor certs list`

use serde_json::json;

use crate::args::Global;
use crate::certs::held::{self, HeldKey};
use crate::exit::Exit;
use crate::expiry::beijing;
use crate::output::Output;
use crate::settings::Settings;

pub(crate) async fn run(global: &Global, output: &Output) -> anyhow::Result<Exit> {
    let client = Settings::load(global)?.client()?;
    let keys = held::ask(&client).await?;
    let keys = held::of(&keys, client.clock().now());
    if output.is_json() {
        output.json(&json!({ "mchid": client.merchant_id(), "keys": keys }))?;
    } else {
        let heading = ["kind", "serial or id", "valid from", "until", "days left", "trusted by"];
        output.rows(heading, keys.iter().map(row).collect(), "no keys")?;
    }
    Ok(Exit::Done)
}

fn row(key: &HeldKey) -> [String; 6] {
    let moment = |moment: Option<_>| moment.map_or_else(|| "-".to_owned(), beijing);
    let trusted_by = match key.trusted_by {
        "file" => "the file in the profile",
        _ => "the APIv3 key, and the answer's signature",
    };
    [
        key.kind.replace('_', " "),
        key.id.clone(),
        moment(key.not_before),
        if key.not_after.is_none() { "no end".to_owned() } else { moment(key.not_after) },
        key.days_left.map_or_else(|| "-".to_owned(), |days| days.to_string()),
        trusted_by.to_owned(),
    ]
}
