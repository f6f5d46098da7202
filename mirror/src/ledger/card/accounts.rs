//! Rows of what owners of accounts have set up.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::card::account_change::{CardReviewPolicy, PushMode};

/// The settings of an account. The default is that of one nobody has touched.
#[derive(Clone)]
pub(crate) struct Account {
    /// Where pushed messages go.
    pub(crate) url: Option<String>,
    pub(crate) token: String,
    pub(crate) aes_key: String,
    pub(crate) mode: PushMode,
    pub(crate) review: CardReviewPolicy,
    pub(crate) review_seconds: i64,
    pub(crate) custom_code: bool,
    pub(crate) bonus: bool,
    pub(crate) balance: bool,
    pub(crate) pay: bool,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            url: None,
            token: String::new(),
            aes_key: String::new(),
            mode: PushMode::Plain,
            review: CardReviewPolicy::Pass,
            review_seconds: 60,
            custom_code: true,
            bonus: true,
            balance: true,
            pay: true,
        }
    }
}

pub(crate) fn find(db: &Connection, appid: &str) -> rusqlite::Result<Account> {
    let found = db
        .prepare_cached(
            "SELECT url, token, aes_key, mode, review, review_seconds, custom_code, bonus, balance, pay
             FROM card_accounts WHERE appid = ?1",
        )?
        .query_row([appid], |row| {
            let (mode, review): (String, String) = (row.get(3)?, row.get(4)?);
            Ok(Account {
                url: row.get(0)?,
                token: row.get(1)?,
                aes_key: row.get(2)?,
                mode: PushMode::of(&mode),
                review: CardReviewPolicy::of(&review),
                review_seconds: row.get(5)?,
                custom_code: row.get(6)?,
                bonus: row.get(7)?,
                balance: row.get(8)?,
                pay: row.get(9)?,
            })
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}

pub(crate) fn save(db: &Connection, appid: &str, account: &Account) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO card_accounts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        appid,
        account.url,
        account.token,
        account.aes_key,
        account.mode.name(),
        account.review.name(),
        account.review_seconds,
        account.custom_code,
        account.bonus,
        account.balance,
        account.pay
    ])
    .map(drop)
}
