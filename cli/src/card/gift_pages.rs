//! `favor card gift page …`

use favor_card::{ControlInfo, GiftPage as Page, GiftPageChanges, GiftPages, PageControl};
use serde_json::json;

use super::{Desk, file};
use crate::args::{GiftPage, MaintainGiftPage};

pub(crate) async fn run(desk: &Desk<'_>, command: &GiftPage) -> anyhow::Result<()> {
    let pages = GiftPages::new(&desk.client);
    match command {
        GiftPage::Add(args) => {
            let page: Page = file::object(&args.file, "page", desk.output)?;
            desk.confirm("add a page that sells gift cards")?;
            let added = pages.add(&page).await?;
            if desk.output.is_json() {
                return desk.output.json(&*added);
            }
            desk.output.facts([("page", added.page_id.clone())])
        }
        GiftPage::Get(args) => {
            let answer = pages.get(&args.page_id).await?;
            if desk.output.is_json() {
                return desk.output.json(&answer.page);
            }
            desk.output.facts(facts(&answer.page))
        }
        GiftPage::Update(args) => {
            let changes: GiftPageChanges = file::object(&args.file, "page", desk.output)?;
            let id = &changes.page_id;
            desk.confirm(&format!("change gift page {id}"))?;
            pages.update(&changes).await?;
            desk.done(&json!({"page_id": id, "updated": true}), &format!("{id} is changed"))
        }
        GiftPage::List => {
            let list = pages.list().await?;
            if desk.output.is_json() {
                return list.page_id_list.iter().try_for_each(|id| desk.output.json(&json!({"page_id": id})));
            }
            desk.output.rows(
                ["page"],
                list.page_id_list.iter().map(|id| [id.clone()]).collect(),
                "no gift pages",
            )
        }
        GiftPage::Maintain(args) => maintain(desk, &pages, args).await,
    }
}

async fn maintain(desk: &Desk<'_>, pages: &GiftPages, args: &MaintainGiftPage) -> anyhow::Result<()> {
    let which = args.page_id.as_ref().map_or("all gift pages".to_owned(), |id| format!("gift page {id}"));
    let asked = if args.end { format!("put {which} back") } else { format!("take {which} off") };
    desk.confirm(&asked)?;
    let answer = match &args.page_id {
        Some(id) => pages.maintain(id, !args.end).await?,
        None => pages.maintain_all(!args.end).await?,
    };
    if desk.output.is_json() {
        return desk.output.json(&*answer);
    }
    desk.output.rows(["page", "state"], answer.control_info.as_ref().map_or_else(Vec::new, rows), "done")
}

/// What is off, and who took it off.
fn rows(info: &ControlInfo) -> Vec<[String; 2]> {
    let all = state(info.biz_control_type.as_ref(), info.system_biz_control_type.as_ref());
    let each = info.list.iter().map(|page| {
        let state = state(page.page_control_type.as_ref(), page.system_page_control_type.as_ref());
        [page.page_id.clone(), state]
    });
    [["all".to_owned(), all]].into_iter().chain(each).collect()
}

fn state(by_merchant: Option<&PageControl>, by_platform: Option<&PageControl>) -> String {
    match (by_merchant, by_platform) {
        (Some(PageControl::Merchant), _) => "off, by the merchant".to_owned(),
        (_, Some(PageControl::Platform)) => "off, by the platform".to_owned(),
        (Some(other @ PageControl::Unknown(_)), _) | (_, Some(other @ PageControl::Unknown(_))) => {
            other.to_string()
        }
        _ => "on".to_owned(),
    }
}

fn facts(page: &Page) -> Vec<(&'static str, String)> {
    let flag = |flag: Option<bool>| if flag == Some(true) { "yes" } else { "no" }.to_owned();
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let mut facts = vec![
        ("page", text(&page.page_id)),
        ("title", text(&page.page_title)),
        ("banner", page.banner_pic_url.clone()),
        ("several cards in an order", flag(page.support_multi)),
        ("for oneself", flag(page.support_buy_for_self)),
        ("receipts", flag(page.need_receipt)),
        ("address", text(&page.address)),
        ("telephone", text(&page.service_phone)),
        ("about refunds", text(&page.biz_description)),
    ];
    for theme in &page.theme_list {
        let cards: Vec<_> = theme.item_list.iter().map(|item| item.card_id.to_string()).collect();
        let faces = theme.pic_item_list.len();
        facts.push(("theme", format!("{}: {}; faces: {faces}", theme.title, cards.join(", "))));
    }
    facts.retain(|(_, value)| !value.is_empty());
    facts
}
