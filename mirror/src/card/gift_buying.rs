//! What users do on gift-card pages: buy, send to a friend, take.

use rusqlite::Connection;
use serde::Deserialize;
use serde_json::{Value, json};

use super::account::is_verified;
use super::ask::{Ask, Failed, ensure, told};
use super::body::{Body, is_openid};
use super::codes::{begin, less_stock, taken};
use super::event::{self, Field};
use super::gift_orders::{named, shown};
use super::gift_page::TEXT;
use super::gift_pages::{self, Page};
use super::people;
use crate::ids;
use crate::ledger::card::accounts;
use crate::ledger::card::cards::{self, Card, DELETE};
use crate::ledger::card::codes::{self, Code, State};
use crate::ledger::card::gift_orders::{self, GiftItem, GiftOrder, ItemState};
use crate::ledger::card::happenings::{self, Happening};
use crate::ledger::card::things;
use crate::moment::Moment;
use crate::random;
use crate::rules::card::{
    CARD_STATUS, GET_LIMIT, GIFT_CHAT_ROOM, GIFT_CHOICE, GIFT_LIST, GIFT_MULTI, GIFT_OFF, GIFT_ORDER,
    GIFT_REFUNDED, GIFT_SELF, GIFT_SENT, GIFT_TOTAL, GIFT_WORDS, NO_PAY, OPENID, STOCK, USER_CARD_STATUS,
};

/// Claims of a card by one user where the card says nothing.
const USUAL_GET_LIMIT: i64 = 50;
/// Most cards of one order where no source has a number.
const MOST_CARDS: usize = 100;
/// How long a gift waits for its taker.
const GIFT_DAYS: i64 = 1;

/// What a user buys.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Buy {
    pub(crate) page_id: String,
    /// Who buys and pays.
    pub(crate) openid: String,
    /// Theme of the page, and face of the theme, from 0.
    pub(crate) theme: usize,
    pub(crate) picture: usize,
    /// Cards of the theme; one that is bought twice is there twice.
    pub(crate) card_ids: Vec<String>,
    /// The buyer's own words, in the place of the page's.
    pub(crate) message: Option<String>,
    pub(crate) outer_str: String,
    /// Not to give away.
    pub(crate) for_self: bool,
}

/// To whom an order goes.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Send {
    pub(crate) order_id: String,
    /// Into a group, where each card is taken by itself.
    pub(crate) chat_room: bool,
}

/// Who takes it.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Accept {
    pub(crate) order_id: String,
    pub(crate) openid: String,
}

/// The account that a page is of.
pub(crate) fn owner_of_page(db: &Connection, page_id: &str) -> rusqlite::Result<Option<String>> {
    things::owner(db, gift_pages::KIND, page_id)
}

/// What is chosen on a page.
struct Choice {
    picture: String,
    image_id: String,
    message: String,
}

fn chosen(page: &Page, buy: &Buy) -> Result<Choice, Failed> {
    let themes = Body(&page.body).objects("theme_list")?.unwrap_or_default();
    let theme = *themes.get(buy.theme).ok_or(&GIFT_CHOICE)?;
    let faces = theme.objects("pic_item_list")?.unwrap_or_default();
    let face = *faces.get(buy.picture).ok_or(&GIFT_CHOICE)?;
    let items = theme.objects("item_list")?.unwrap_or_default();
    let sold =
        |card_id: &String| items.iter().any(|item| item.0.get("card_id").is_some_and(|id| id == card_id));
    ensure(buy.card_ids.iter().all(sold), &GIFT_CHOICE)?;
    let text = |key: &str| Ok::<_, Failed>(face.text(key, TEXT)?.unwrap_or_default().to_owned());
    Ok(Choice {
        picture: text("background_pic_url")?,
        image_id: text("outer_img_id")?,
        message: text("default_gifting_msg")?,
    })
}

/// A user buys cards on a page, and pays at once.
pub(crate) fn buy(ask: &Ask<'_>, buy: &Buy) -> Result<Value, Failed> {
    ensure(is_openid(&buy.openid), &OPENID)?;
    let page = gift_pages::named(ask, &buy.page_id)?;
    ensure(!page.off && !gift_pages::all_off(ask)?, &GIFT_OFF)?;
    ensure(accounts::find(ask.db, ask.appid)?.pay, &NO_PAY)?;
    ensure((1..=MOST_CARDS).contains(&buy.card_ids.len()), &GIFT_LIST)?;
    let may = |key: &str| Ok::<_, Failed>(Body(&page.body).flag(key)?.unwrap_or(false));
    ensure(buy.card_ids.len() == 1 || may("support_multi")?, &GIFT_MULTI)?;
    ensure(!buy.for_self || may("support_buy_for_self")?, &GIFT_SELF)?;
    let own_words = buy.message.as_ref().is_some_and(|words| !words.is_empty());
    ensure(buy.message.as_ref().is_none_or(|words| words.len() <= TEXT), &GIFT_WORDS)?;
    ensure(buy.outer_str.len() <= 128, &GIFT_WORDS)?;
    let choice = chosen(&page, buy)?;
    let id = gift_orders::next(ask.db)?;
    let seed = crate::ledger::first_ids::seed(ask.db)?.unwrap_or(0);
    let mut order = GiftOrder {
        id,
        order_id: format!("Z2{}", random::alphanumeric(24)),
        appid: ask.appid.to_owned(),
        page_id: buy.page_id.clone(),
        trans_id: format!("4200{}", ids::digits("gift", seed, id, 24)),
        created: ask.now,
        paid: ask.now,
        total_fen: 0,
        buyer: buy.openid.clone(),
        outer_str: buy.outer_str.clone(),
        picture: choice.picture,
        image_id: choice.image_id,
        message: buy.message.clone().filter(|_| own_words).unwrap_or(choice.message),
        own_words,
        chat_room: false,
        refunded: None,
    };
    let mut bought = Vec::new();
    for card_id in &buy.card_ids {
        let (card, code, price) = sold(ask, card_id, &order)?;
        order.total_fen = order.total_fen.checked_add(price).ok_or(&GIFT_TOTAL)?;
        bought.push((card, code, price));
    }
    gift_orders::save(ask.db, &order)?;
    let (state, accepter) =
        if buy.for_self { (ItemState::Taken, buy.openid.as_str()) } else { (ItemState::Held, "") };
    for (place, (_, code, price_fen)) in (0..).zip(&bought) {
        let item = GiftItem {
            order: order.id,
            place,
            code: code.id,
            price_fen: *price_fen,
            state,
            accepter: accepter.to_owned(),
        };
        gift_orders::save_item(ask.db, &item)?;
    }
    tell(ask.db, &order, &order.buyer, ("giftcard_pay_done", &[]), ask.now)?;
    if buy.for_self {
        for (card, code, _) in &bought {
            people::received(ask, card, code, &people::Received::default())?;
        }
    }
    about(ask, &order)
}

/// One card goes from the stock to the buyer.
fn sold(ask: &Ask<'_>, card_id: &str, order: &GiftOrder) -> Result<(Card, Code, i64), Failed> {
    let mut card = ask.card_named(card_id)?;
    ensure(card.status != DELETE && is_verified(&card), &CARD_STATUS)?;
    let base = &card.body["base_info"];
    let price = base["giftcard_info"]["price"].as_i64().unwrap_or(0);
    let limit = base["get_limit"].as_i64().unwrap_or(USUAL_GET_LIMIT);
    let had = codes::claimed_by(ask.db, card.id, &order.buyer)?;
    ensure(limit == 0 || had < limit, &GET_LIMIT)?;
    ensure(card.quantity > 0, &STOCK)?;
    let mut code = taken(ask, &card, None)?;
    people::hand_over(&mut code, &order.buyer);
    begin(&card, &mut code, ask.now);
    code.claimed = Some(ask.now);
    code.outer_str.clone_from(&order.outer_str);
    code.face.insert("order_id".to_owned(), order.order_id.clone().into());
    code.face.insert("background_pic_url".to_owned(), order.picture.clone().into());
    codes::save(ask.db, &code)?;
    happenings::insert(ask.db, card.id, Happening::Receive, &order.buyer, ask.now)?;
    if code.active {
        happenings::insert(ask.db, card.id, Happening::Active, &order.buyer, ask.now)?;
    }
    less_stock(ask, &mut card)?;
    Ok((card, code, price))
}

/// An event about an order.
fn tell(
    db: &Connection,
    order: &GiftOrder,
    openid: &str,
    (event, flags): (&str, &[(&str, bool)]),
    now: Moment,
) -> rusqlite::Result<()> {
    let mut fields = vec![("PageId", Field::Text(&order.page_id)), ("OrderId", Field::Text(&order.order_id))];
    fields.extend(flags.iter().map(|(key, flag)| (*key, Field::Text(if *flag { "true" } else { "false" }))));
    event::raise(db, &order.appid, openid, event, &fields, now)
}

/// It goes to a friend, or comes back.
fn tell_sent(db: &Connection, order: &GiftOrder, returned: bool, now: Moment) -> rusqlite::Result<()> {
    let flags = [("IsChatRoom", order.chat_room), ("IsReturnBack", returned)];
    tell(db, order, &order.buyer, ("giftcard_send_to_friend", &flags), now)
}

/// The order for a phone: the merchant's view, the words, and where each card is.
pub(crate) fn about(ask: &Ask<'_>, order: &GiftOrder) -> Result<Value, Failed> {
    let mut told = shown(ask, order)?;
    let states: Vec<_> = gift_orders::items(ask.db, order.id)?.iter().map(|item| item.state.name()).collect();
    told.extend(told! {
        "message": order.message,
        "states": states,
        "refunded_at": order.refunded.map(|at| at.rfc3339()),
        "refund_fen": if order.refunded.is_some() { order.total_fen } else { 0 },
    });
    Ok(Value::Object(told))
}

/// The buyer sends what nobody has taken yet to a friend, or into a group.
pub(crate) fn send(ask: &Ask<'_>, send: &Send) -> Result<Value, Failed> {
    let mut order = named(ask, &send.order_id)?;
    ensure(order.refunded.is_none(), &GIFT_REFUNDED)?;
    let page = gift_pages::named(ask, &order.page_id)?;
    let multi = Body(&page.body).flag("support_multi")?.unwrap_or(false);
    ensure(!send.chat_room || multi, &GIFT_CHAT_ROOM)?;
    let items = gift_orders::items(ask.db, order.id)?;
    ensure(items.iter().all(|item| item.state != ItemState::Sent), &GIFT_SENT)?;
    let held: Vec<_> = items.into_iter().filter(|item| item.state == ItemState::Held).collect();
    ensure(!held.is_empty(), &GIFT_SENT)?;
    for mut item in held {
        let mut code = codes::by_number(ask.db, item.code)?.ok_or(&GIFT_ORDER)?;
        let open = matches!(code.state, State::Normal | State::GiftTimeout);
        ensure(open && !super::account::is_over(&code, ask.now), &USER_CARD_STATUS)?;
        people::check_givable(&code)?;
        code.state = State::Gifting;
        code.gift_due = Some(ask.now.plus_days(GIFT_DAYS));
        codes::save(ask.db, &code)?;
        happenings::insert(ask.db, code.card, Happening::Given, &order.buyer, ask.now)?;
        item.state = ItemState::Sent;
        gift_orders::save_item(ask.db, &item)?;
    }
    order.chat_room = send.chat_room;
    gift_orders::save(ask.db, &order)?;
    tell_sent(ask.db, &order, false, ask.now)?;
    about(ask, &order)
}

/// A friend takes what was sent: all of it, or one card where it went into a group.
pub(crate) fn accept(ask: &Ask<'_>, accept: &Accept) -> Result<Value, Failed> {
    ensure(is_openid(&accept.openid), &OPENID)?;
    let order = named(ask, &accept.order_id)?;
    let items = gift_orders::items(ask.db, order.id)?;
    let mut sent: Vec<_> = items.into_iter().filter(|item| item.state == ItemState::Sent).collect();
    ensure(order.refunded.is_none(), &GIFT_REFUNDED)?;
    ensure(!sent.is_empty(), &GIFT_SENT)?;
    sent.truncate(if order.chat_room { 1 } else { usize::MAX });
    let flags = [("IsChatRoom", order.chat_room)];
    tell(ask.db, &order, &accept.openid, ("giftcard_user_accept", &flags), ask.now)?;
    for item in sent {
        let code = codes::by_number(ask.db, item.code)?.ok_or(&GIFT_ORDER)?;
        let card = cards::by_number(ask.db, code.card)?.ok_or(&GIFT_ORDER)?;
        // The friend may get another code; the order follows it.
        people::accept(ask, &card, code, &accept.openid)?;
    }
    about(ask, &order)
}

/// A code that was on its way goes back to its buyer. Answers whether an order had sent it; of the order is told once,
/// when the last of its codes is back.
pub(super) fn back(db: &Connection, code: &Code, now: Moment) -> rusqlite::Result<bool> {
    let sent = gift_orders::item_of_code(db, code.id)?.filter(|item| item.state == ItemState::Sent);
    let Some(item) = sent else { return Ok(false) };
    let number = item.order;
    gift_orders::save_item(db, &GiftItem { state: ItemState::Held, ..item })?;
    let left = gift_orders::items(db, number)?.iter().any(|item| item.state == ItemState::Sent);
    if let Some(order) = gift_orders::by_number(db, number)?.filter(|_| !left) {
        tell_sent(db, &order, true, now)?;
    }
    Ok(true)
}

/// Orders of all accounts, newest first, each with the account.
pub(crate) fn all(ask: &Ask<'_>, limit: u32) -> Result<Value, Failed> {
    let mut list = Vec::new();
    for order in gift_orders::newest(ask.db, limit)? {
        let mut told = about(ask, &order)?;
        told["appid"] = json!(order.appid);
        list.push(told);
    }
    Ok(Value::Array(list))
}
