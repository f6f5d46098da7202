//! `favor callback set|get`: where notifications go.

use favor_callback::{CallbackAddress, NotifyUrl};

use crate::args::{Global, SetCallback, Switch};
use crate::exit::Exit;
use crate::output::Output;
use crate::settings::Settings;
use crate::stock::local;

pub(crate) async fn set(args: &SetCallback, global: &Global, output: &Output) -> anyhow::Result<Exit> {
    // Before any setting is looked at, since this is the likelier mistake.
    let url = NotifyUrl::new(args.url.as_str())?;
    let client = Settings::load(global)?.client()?;
    let push = args.switch.map(|switch| switch == Switch::On);
    let updated = CallbackAddress::new(&client).set_switched(&url, push).await?;
    if output.is_json() {
        output.raw_json(updated.raw())?;
    } else {
        // The platform may answer the address without its scheme.
        output.facts([
            ("notifications go to", url.to_string()),
            ("since", local(&updated.update_time)),
            ("next", "favor callback get".to_owned()),
        ])?;
    }
    Ok(Exit::Done)
}

pub(crate) async fn get(global: &Global, output: &Output) -> anyhow::Result<Exit> {
    let client = Settings::load(global)?.client()?;
    let set = CallbackAddress::new(&client).get().await;
    let set = set.inspect_err(|error| {
        if error.api().is_some_and(|api| api.status() == 404) {
            output
                .talk("no address is set yet: favor callback set https://shop.example.com/wechatpay/coupons");
        }
    })?;
    if output.is_json() {
        output.raw_json(set.raw())?;
    } else {
        let url = Some(&set.notify_url).filter(|url| !url.is_empty());
        let url = url.map_or_else(|| "nowhere: no address is set".to_owned(), String::clone);
        output.facts([("merchant", set.mchid.to_string()), ("notifications go to", url)])?;
    }
    Ok(Exit::Done)
}
