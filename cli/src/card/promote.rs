//! `favor card whitelist` and `landing-page`.

use favor_card::{CreateLandingPage, Distribution, TestWhitelist};
use serde_json::json;

use super::{Desk, file};
use crate::args::DataFile;

pub(crate) async fn whitelist(desk: &Desk<'_>, args: &DataFile) -> anyhow::Result<()> {
    let list: TestWhitelist = file::object(&args.file, "", desk.output)?;
    desk.confirm("replace the list of users who may claim cards that are not approved")?;
    Distribution::new(&desk.client).set_test_whitelist(&list).await?;
    let openids = list.openid.as_ref().map_or(0, Vec::len);
    let names = list.username.as_ref().map_or(0, Vec::len);
    let line = format!(
        "from now on {} may claim cards that are not approved, and nobody else",
        if openids + names == 1 { "1 user".to_owned() } else { format!("{} users", openids + names) }
    );
    desk.done(&json!({"openids": openids, "usernames": names}), &line)
}

pub(crate) async fn landing_page(desk: &Desk<'_>, args: &DataFile) -> anyhow::Result<()> {
    let page: CreateLandingPage = file::object(&args.file, "", desk.output)?;
    desk.confirm("make a page on which users claim cards")?;
    let made = Distribution::new(&desk.client).create_landing_page(&page).await?;
    if desk.output.is_json() {
        return desk.output.json(&*made);
    }
    let id = made.page_id.map(|id| ("page", id.to_string()));
    desk.output.facts([("address", made.url.clone())].into_iter().chain(id))
}
