//! What the platform keeps.

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::mirror::DATA;

/// A coupon in somebody's hands.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) id: i64,
    pub(super) openid: String,
    /// The request number it was asked for by.
    pub(super) number: String,
}

pub(super) struct PlatformRows {
    pub(super) coupons: Vec<Given>,
    /// Request numbers that were answered with a coupon, and its id.
    pub(super) answered: Vec<(String, i64)>,
    /// People who get none.
    pub(super) abnormal: BTreeSet<String>,
    /// What the stock counts.
    pub(super) distributed: i64,
}

impl PlatformRows {
    pub(super) fn read(folder: &Path) -> Self {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
        let file = Connection::open_with_flags(folder.join(DATA), flags).unwrap();
        file.busy_timeout(std::time::Duration::from_secs(60)).unwrap();
        let mut coupons = file.prepare("SELECT id, openid, out_request_no FROM coupons ORDER BY id").unwrap();
        let coupon =
            |row: &rusqlite::Row<'_>| Ok(Given { id: row.get(0)?, openid: row.get(1)?, number: row.get(2)? });
        let mut answered = file.prepare("SELECT out_request_no, coupon_id FROM send_requests").unwrap();
        let answer = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let mut abnormal = file.prepare("SELECT openid FROM users WHERE abnormal = 1").unwrap();
        Self {
            coupons: coupons.query_map([], coupon).unwrap().map(Result::unwrap).collect(),
            answered: answered.query_map([], answer).unwrap().map(Result::unwrap).collect(),
            abnormal: abnormal.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect(),
            distributed: file.query_row("SELECT sum(distributed) FROM stocks", [], |row| row.get(0)).unwrap(),
        }
    }
}
