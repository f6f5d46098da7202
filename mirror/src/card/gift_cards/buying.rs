//! What users do on gift-card pages: buy, send to a friend, take.

use rusqlite::Connection;

use super::act::{AcceptGift, BuyGift, SendGift};
use super::orders::named;
use super::page::TEXT;
use super::pages::{self, Page};
use super::record::GiftOrderRecord;
use crate::card::account::{is_over, is_verified};
use crate::card::ask::{Ask, Failed, ensure};
use crate::card::body::{Body, is_openid, number_of};
use crate::card::codes::{begin, less_stock, taken};
use crate::card::event::{self, Field};
use crate::card::templates::get_limit;
use crate::card::{gifting, holder};
use crate::ids;
use crate::ledger::card::accounts;
use crate::ledger::card::cards::{self, Card, DELETE};
use crate::ledger::card::codes::{self, Code, State};
use crate::ledger::card::gift_orders::{self, GiftItem, GiftOrder, ItemState};
use crate::ledger::card::happenings::{self, Happening};
use crate::moment::Moment;
use crate::random;
use crate::rules::card::{
    CARD_STATUS, GET_LIMIT, GIFT_CHAT_ROOM, GIFT_CHOICE, GIFT_LIST, GIFT_MULTI, GIFT_OFF, GIFT_ORDER,
    GIFT_REFUNDED, GIFT_SELF, GIFT_SENT, GIFT_TOTAL, GIFT_WORDS, NO_PAY, OPENID, STOCK, TIME,
    USER_CARD_STATUS,
};

/// Most cards of one order where no source has a number.
const MOST_CARDS: usize = 100;
/// How long a gift waits for its taker.
const GIFT_DAYS: i64 = 1;

/// What is chosen on a page.
struct Choice {
    picture: String,
    image_id: String,
    message: String,
}

fn chosen(page: &Page, buy: &BuyGift) -> Result<Choice, Failed> {
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
pub(in crate::card) fn buy(ask: &Ask<'_>, buy: &BuyGift) -> Result<GiftOrderRecord, Failed> {
    ensure(is_openid(&buy.openid), &OPENID)?;
    let page = pages::named(ask, &buy.page_id)?;
    ensure(!page.off && !pages::all_off(ask)?, &GIFT_OFF)?;
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
            holder::received(ask, card, code, &holder::Received::default())?;
        }
    }
    Ok(GiftOrderRecord::of(ask.db, &order)?)
}

/// One card goes from the stock to the buyer.
fn sold(ask: &Ask<'_>, card_id: &str, order: &GiftOrder) -> Result<(Card, Code, i64), Failed> {
    let mut card = ask.card_named(card_id)?;
    ensure(card.status != DELETE && is_verified(&card), &CARD_STATUS)?;
    let price = number_of(&card.body["base_info"]["giftcard_info"]["price"]).unwrap_or(0);
    let limit = get_limit(&card);
    let had = happenings::times(ask.db, card.id, &order.buyer, Happening::Receive)?;
    ensure(limit == 0 || had < limit, &GET_LIMIT)?;
    ensure(card.quantity > 0, &STOCK)?;
    let mut code = taken(ask, &card, None)?;
    holder::hand_over(&mut code, &order.buyer);
    begin(&card, &mut code, ask.now)?;
    ensure(!is_over(&code, ask.now), &TIME)?;
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

/// The cards of an order in a state, with their codes.
fn those(db: &Connection, order: i64, state: ItemState) -> rusqlite::Result<Vec<(GiftItem, Code)>> {
    let mut found = Vec::new();
    for item in gift_orders::items(db, order)?.into_iter().filter(|item| item.state == state) {
        if let Some(code) = codes::by_number(db, item.code)? {
            found.push((item, code));
        }
    }
    Ok(found)
}

/// What a friend can take. A card that the merchant has ended on its way is not among it.
fn under_way(db: &Connection, order: i64) -> rusqlite::Result<Vec<(GiftItem, Code)>> {
    let mut sent = those(db, order, ItemState::Sent)?;
    sent.retain(|(_, code)| code.state == State::Gifting);
    Ok(sent)
}

/// The buyer sends what nobody has taken yet to a friend, or into a group.
pub(in crate::card) fn send(ask: &Ask<'_>, send: &SendGift) -> Result<GiftOrderRecord, Failed> {
    let mut order = named(ask, &send.order_id)?;
    ensure(order.refunded.is_none(), &GIFT_REFUNDED)?;
    let page = pages::named(ask, &order.page_id)?;
    let multi = Body(&page.body).flag("support_multi")?.unwrap_or(false);
    ensure(!send.chat_room || multi, &GIFT_CHAT_ROOM)?;
    ensure(under_way(ask.db, order.id)?.is_empty(), &GIFT_SENT)?;
    let mut held = those(ask.db, order.id, ItemState::Held)?;
    ensure(!held.is_empty(), &GIFT_SENT)?;
    let open =
        |code: &Code| matches!(code.state, State::Normal | State::GiftTimeout) && !is_over(code, ask.now);
    held.retain(|(_, code)| open(code));
    ensure(!held.is_empty(), &USER_CARD_STATUS)?;
    for (mut item, mut code) in held {
        gifting::check_givable(&code)?;
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
    Ok(GiftOrderRecord::of(ask.db, &order)?)
}

/// A friend takes what was sent: all of it, or one card where it went into a group.
pub(in crate::card) fn accept(ask: &Ask<'_>, accept: &AcceptGift) -> Result<GiftOrderRecord, Failed> {
    ensure(is_openid(&accept.openid), &OPENID)?;
    let order = named(ask, &accept.order_id)?;
    ensure(order.refunded.is_none(), &GIFT_REFUNDED)?;
    let mut sent = under_way(ask.db, order.id)?;
    ensure(!sent.is_empty(), &GIFT_SENT)?;
    sent.truncate(if order.chat_room { 1 } else { usize::MAX });
    let flags = [("IsChatRoom", order.chat_room)];
    tell(ask.db, &order, &accept.openid, ("giftcard_user_accept", &flags), ask.now)?;
    for (_, code) in sent {
        let card = cards::by_number(ask.db, code.card)?.ok_or(&GIFT_ORDER)?;
        // The friend may get another code; the order follows it.
        gifting::accept(ask, &card, code, &accept.openid)?;
    }
    Ok(GiftOrderRecord::of(ask.db, &order)?)
}

/// A code that was on its way goes back to its buyer. Answers whether an order had sent it; of the order is told once,
/// when the last of its codes is back.
pub(in crate::card) fn back(db: &Connection, code: &Code, now: Moment) -> rusqlite::Result<bool> {
    let sent = gift_orders::item_of_code(db, code.id)?.filter(|item| item.state == ItemState::Sent);
    let Some(item) = sent else { return Ok(false) };
    let number = item.order;
    gift_orders::save_item(db, &GiftItem { state: ItemState::Held, ..item })?;
    let is_last = under_way(db, number)?.is_empty();
    if let Some(order) = gift_orders::by_number(db, number)?.filter(|_| is_last) {
        tell_sent(db, &order, true, now)?;
    }
    Ok(true)
}
