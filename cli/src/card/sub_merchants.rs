//! `favor card sub-merchant …`

use anyhow::bail;
use favor_card::{
    Categories, ListSubMerchants, SubMerchant, SubMerchantStatus, SubMerchantSubmission, SubMerchants,
};

use super::{Desk, file};
use crate::args::{DataFile, SubMerchantCommand};
use crate::saved;
use crate::stock::local;

/// As many as one call gives.
const PAGE: i64 = 100;

pub(crate) async fn run(desk: &Desk<'_>, command: &SubMerchantCommand) -> anyhow::Result<()> {
    let shops = SubMerchants::new(&desk.client);
    match command {
        SubMerchantCommand::Add(args) => {
            let submission = read(desk, args)?;
            desk.confirm(&format!("submit the shop {} for review", submission.brand_name))?;
            shown(desk, &shops.create(&submission).await?.info)
        }
        SubMerchantCommand::Update { shop, data } => {
            let mut submission = read(desk, data)?;
            let id = shop.merchant_id;
            if submission.merchant_id.is_some_and(|given| given != id) {
                let name = saved::name(Some(&data.file));
                bail!("{name} is for another shop than {id}: take merchant_id out of it");
            }
            submission.merchant_id = Some(id);
            desk.confirm(&format!("submit shop {id} again, which is then reviewed again,"))?;
            shown(desk, &shops.update(&submission).await?.info)
        }
        SubMerchantCommand::Get(args) => shown(desk, &shops.get(args.merchant_id).await?.info),
        SubMerchantCommand::List { status } => list(desk, &shops, status.as_ref()).await,
        SubMerchantCommand::Categories => {
            let categories = shops.categories().await?;
            if desk.output.is_json() {
                return desk.output.json(&*categories);
            }
            desk.output.rows(
                ["first", "second", "name", "papers"],
                categories_in_rows(&categories),
                "no categories",
            )
        }
    }
}

fn read(desk: &Desk<'_>, args: &DataFile) -> anyhow::Result<SubMerchantSubmission> {
    file::object(&args.file, "info", desk.output)
}

fn shown(desk: &Desk<'_>, shop: &SubMerchant) -> anyhow::Result<()> {
    if desk.output.is_json() { desk.output.json(shop) } else { desk.output.facts(facts(shop)) }
}

async fn list(
    desk: &Desk<'_>,
    shops: &SubMerchants,
    status: Option<&SubMerchantStatus>,
) -> anyhow::Result<()> {
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let mut request = ListSubMerchants::new(after, PAGE);
        request.status = status.cloned();
        let page = shops.list(&request).await?.into_value();
        let is_full = i64::try_from(page.info_list.len())? >= PAGE;
        all.extend(page.info_list);
        match page.next_begin_id {
            // One that stands still would never end.
            Some(next) if is_full && next > after => after = next,
            _ => break,
        }
    }
    if desk.output.is_json() {
        return all.iter().try_for_each(|shop| desk.output.json(shop));
    }
    let rows = all.iter().map(row).collect();
    desk.output.rows(["shop", "name", "state", "authorised until"], rows, "no shops")
}

fn row(shop: &SubMerchant) -> [String; 4] {
    [
        shop.merchant_id.to_string(),
        shop.brand_name.clone().unwrap_or_default(),
        shop.status.as_ref().map(state).unwrap_or_default(),
        shop.end_time.as_ref().map(local).unwrap_or_default(),
    ]
}

fn state(status: &SubMerchantStatus) -> String {
    let words = match status {
        SubMerchantStatus::Checking => "under review",
        SubMerchantStatus::Approved => "approved",
        SubMerchantStatus::Rejected => "refused by review",
        SubMerchantStatus::Expired => "authorisation has ended",
        other => return other.to_string(),
    };
    format!("{words} ({status})")
}

fn facts(shop: &SubMerchant) -> Vec<(&'static str, String)> {
    let category = match (shop.primary_category_id, shop.secondary_category_id) {
        (Some(first), Some(second)) => format!("{first}, {second}"),
        _ => String::new(),
    };
    let mut facts = vec![
        ("shop", shop.merchant_id.to_string()),
        ("name", shop.brand_name.clone().unwrap_or_default()),
        ("account", shop.app_id.clone().unwrap_or_default()),
        ("state", shop.status.as_ref().map(state).unwrap_or_default()),
        ("category", category),
        ("submitted", shop.create_time.as_ref().map(local).unwrap_or_default()),
        ("changed", shop.update_time.as_ref().map(local).unwrap_or_default()),
        ("authorised until", shop.end_time.as_ref().map(local).unwrap_or_default()),
        ("logo", shop.logo_url.clone().unwrap_or_default()),
    ];
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

fn categories_in_rows(categories: &Categories) -> Vec<[String; 4]> {
    let mut rows = Vec::new();
    for first in &categories.category {
        let name = first.category_name.clone().unwrap_or_default();
        for second in &first.secondary_category {
            rows.push([
                first.primary_category_id.to_string(),
                second.secondary_category_id.to_string(),
                format!("{name}, {}", second.category_name.clone().unwrap_or_default()),
                second.need_qualification_stuffs.clone().unwrap_or_default().join(", "),
            ]);
        }
    }
    rows
}
