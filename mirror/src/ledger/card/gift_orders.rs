//! Rows of what users bought on gift-card pages.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::moment::Moment;

/// An order.
#[derive(Debug, Clone)]
pub(crate) struct GiftOrder {
    pub(crate) id: i64,
    pub(crate) order_id: String,
    pub(crate) appid: String,
    pub(crate) page_id: String,
    pub(crate) trans_id: String,
    pub(crate) created: Moment,
    pub(crate) paid: Moment,
    pub(crate) total_fen: i64,
    pub(crate) buyer: String,
    pub(crate) outer_str: String,
    /// The face that was chosen, and the merchant's own name of it.
    pub(crate) picture: String,
    pub(crate) image_id: String,
    /// The words that come with it: the page's, or the buyer's own.
    pub(crate) message: String,
    pub(crate) own_words: bool,
    pub(crate) chat_room: bool,
    /// When the money went back.
    pub(crate) refunded: Option<Moment>,
}

/// Where a card of an order is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ItemState {
    /// With the buyer.
    Held,
    /// On its way to a friend.
    Sent,
    /// With whoever took it.
    Taken,
}

impl ItemState {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Held => "HELD",
            Self::Sent => "SENT",
            Self::Taken => "TAKEN",
        }
    }

    fn of(name: &str) -> Self {
        match name {
            "HELD" => Self::Held,
            "SENT" => Self::Sent,
            _ => Self::Taken,
        }
    }
}

/// A card of an order.
#[derive(Debug, Clone)]
pub(crate) struct GiftItem {
    /// Number of the order, and place in it, from 0.
    pub(crate) order: i64,
    pub(crate) place: i64,
    /// Number of the code as it is now: a friend gets another one.
    pub(crate) code: i64,
    pub(crate) price_fen: i64,
    pub(crate) state: ItemState,
    /// Who took it; empty before.
    pub(crate) accepter: String,
}

const COLUMNS: &str = "id, order_id, appid, page_id, trans_id, created, paid, total_fen, buyer, outer_str, picture, \
                       image_id, message, own_words, chat_room, refunded";

fn read(row: &Row<'_>) -> rusqlite::Result<GiftOrder> {
    let refunded: Option<i64> = row.get(15)?;
    Ok(GiftOrder {
        id: row.get(0)?,
        order_id: row.get(1)?,
        appid: row.get(2)?,
        page_id: row.get(3)?,
        trans_id: row.get(4)?,
        created: Moment::from_millis(row.get(5)?),
        paid: Moment::from_millis(row.get(6)?),
        total_fen: row.get(7)?,
        buyer: row.get(8)?,
        outer_str: row.get(9)?,
        picture: row.get(10)?,
        image_id: row.get(11)?,
        message: row.get(12)?,
        own_words: row.get(13)?,
        chat_room: row.get(14)?,
        refunded: refunded.map(Moment::from_millis),
    })
}

fn read_item(row: &Row<'_>) -> rusqlite::Result<GiftItem> {
    let state: String = row.get(4)?;
    Ok(GiftItem {
        order: row.get(0)?,
        place: row.get(1)?,
        code: row.get(2)?,
        price_fen: row.get(3)?,
        state: ItemState::of(&state),
        accepter: row.get(5)?,
    })
}

/// The number of the next order.
pub(crate) fn next(db: &Connection) -> rusqlite::Result<i64> {
    db.prepare_cached("SELECT coalesce(max(id), 0) + 1 FROM card_gift_orders")?
        .query_row([], |row| row.get(0))
}

/// Keeps an order: a new one, or what can change about one.
pub(crate) fn save(db: &Connection, order: &GiftOrder) -> rusqlite::Result<()> {
    db.prepare_cached(&format!(
        "INSERT INTO card_gift_orders ({COLUMNS})
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
         ON CONFLICT (id) DO UPDATE SET chat_room = excluded.chat_room, refunded = excluded.refunded"
    ))?
    .execute(params![
        order.id,
        order.order_id,
        order.appid,
        order.page_id,
        order.trans_id,
        order.created.millis(),
        order.paid.millis(),
        order.total_fen,
        order.buyer,
        order.outer_str,
        order.picture,
        order.image_id,
        order.message,
        order.own_words,
        order.chat_room,
        order.refunded.map(Moment::millis)
    ])
    .map(drop)
}

/// Keeps a card of an order: a new one, or where it is now.
pub(crate) fn save_item(db: &Connection, item: &GiftItem) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO card_gift_items (gift_order, place, code, price_fen, state, accepter)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (gift_order, place) DO UPDATE SET state = excluded.state, accepter = excluded.accepter",
    )?
    .execute(params![item.order, item.place, item.code, item.price_fen, item.state.name(), item.accepter])
    .map(drop)
}

pub(crate) fn find(db: &Connection, order_id: &str) -> rusqlite::Result<Option<GiftOrder>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM card_gift_orders WHERE order_id = ?1"))?
        .query_row([order_id], read)
        .optional()
}

pub(crate) fn by_number(db: &Connection, id: i64) -> rusqlite::Result<Option<GiftOrder>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM card_gift_orders WHERE id = ?1"))?
        .query_row([id], read)
        .optional()
}

/// How many orders of an account were made between two seconds, both included.
pub(crate) fn count(db: &Connection, appid: &str, (begin, end): (i64, i64)) -> rusqlite::Result<i64> {
    db.prepare_cached(
        "SELECT count(*) FROM card_gift_orders WHERE appid = ?1 AND created / 1000 BETWEEN ?2 AND ?3",
    )?
    .query_row(params![appid, begin, end], |row| row.get(0))
}

/// Some of them, by when they were made.
pub(crate) fn between(
    db: &Connection,
    appid: &str,
    (begin, end): (i64, i64),
    newest_first: bool,
    (offset, count): (i64, i64),
) -> rusqlite::Result<Vec<GiftOrder>> {
    let order = if newest_first { "created DESC, id DESC" } else { "created, id" };
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM card_gift_orders WHERE appid = ?1 AND created / 1000 BETWEEN ?2 AND ?3
         ORDER BY {order} LIMIT ?5 OFFSET ?4"
    ))?
    .query_map(params![appid, begin, end, offset, count], read)?
    .collect()
}

/// Orders of all accounts, newest first.
pub(crate) fn newest(db: &Connection, limit: u32) -> rusqlite::Result<Vec<GiftOrder>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM card_gift_orders ORDER BY id DESC LIMIT ?1"))?
        .query_map([limit], read)?
        .collect()
}

/// The cards of an order, by their places.
pub(crate) fn items(db: &Connection, order: i64) -> rusqlite::Result<Vec<GiftItem>> {
    db.prepare_cached(
        "SELECT gift_order, place, code, price_fen, state, accepter FROM card_gift_items
         WHERE gift_order = ?1 ORDER BY place",
    )?
    .query_map([order], read_item)?
    .collect()
}

/// The card of an order that a code is of, if it was bought.
pub(crate) fn item_of_code(db: &Connection, code: i64) -> rusqlite::Result<Option<GiftItem>> {
    db.prepare_cached(
        "SELECT gift_order, place, code, price_fen, state, accepter FROM card_gift_items WHERE code = ?1",
    )?
    .query_row([code], read_item)
    .optional()
}

/// A friend took a code, and may have got another one in its place. Who took it from the buyer stays.
pub(crate) fn follow(db: &Connection, (old, new): (i64, i64), friend: &str) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE card_gift_items SET code = ?2, state = 'TAKEN',
            accepter = CASE state WHEN 'TAKEN' THEN accepter ELSE ?3 END
         WHERE code = ?1",
    )?
    .execute(params![old, new, friend])
    .map(drop)
}
